"""The one path from a question to a cited answer."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

from index import CorpusError, Document, FootnoteError, Index, Keeper, ScoredChunk, SyncReport
from rag import abstention, extractive, reader, summary
from rag.abstention import Judgement
from rag.conversation import own_terms, standalone
from rag.evidence import Evidence, nearby, weigh
from rag.gaps import gaps
from rag.llm.asides import Asides
from rag.llm.choice import choose
from rag.llm.language import is_foreign
from rag.question import Kind, Question, understand
from rag.settings import Settings, load_settings, shipped_seeds
from rag.timeline import present
from rag.trace import Trace
from rag.types import Answer, Completed, Event, History, Retrieved, Status, TextDelta
from rag.way import Way

if TYPE_CHECKING:
    from llama_index.core.base.base_query_engine import BaseQueryEngine

    from index import Embedder
    from index.types import OnProgress
    from rag.retriever import HybridRetriever


class Assistant:
    """Answers questions about a folder of documents; safe to share between threads.

    On first use the index is opened, and brought up to date with the folder in the background. Answers wait for
    that, but not longer than the setting `patience`; their `notices` say what they may lack. `sync` waits for all
    of it, and `follow` takes in what changes from then on.

    Args:
        corpus: The folder; the shipped seeds when None.
        index_dir: Where the index lives; the user's cache when None.
        llm: What writes the answers: a model's name on the server of the settings, a LlamaIndex LLM, or any
            `LanguageModel`. When None, the settings say; "extractive" is none at all.
        settings: Other settings; from the environment and files when None.
        embedder: What turns texts into vectors; the one that ships with Footnote when None.

    Raises:
        CorpusError: If the folder is missing.
        ConfigurationError: If a setting cannot work.
    """

    def __init__(
        self,
        corpus: str | Path | None = None,
        *,
        index_dir: str | Path | None = None,
        llm: object = None,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        self.model = choose(llm, self.settings)
        self._snapshots = None if corpus else self.settings.snapshots
        self.corpus = Path(corpus or self._snapshots or self.settings.corpus or shipped_seeds())
        if not self.corpus.is_dir():
            raise CorpusError(f"There is no folder {self.corpus}.")
        self.index_dir = Path(index_dir) if index_dir else self.settings.index_folder(self.corpus)
        self._embedder = embedder
        self._opening = threading.Lock()
        self._kept: Keeper | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def engine(self) -> str:
        """What writes the answers: `extractive`, or the model's name."""
        return self.model.name if self.model else extractive.NAME

    def ask(self, question: str, history: History = ()) -> Answer:
        """Answer a question.

        Args:
            question: As typed.
            history: Earlier turns as (question, answer) pairs, oldest first. Nothing is remembered
                between calls.

        Raises:
            CorpusError: If the folder cannot be read.
            StoreError: If the index cannot be used.
        """
        *_, last = self.stream(question, history)
        assert isinstance(last, Completed)
        return last.answer

    def stream(
        self,
        question: str,
        history: History = (),
        trace: Trace | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[Event]:
        """Answer a question bit by bit: `Retrieved`, then `TextDelta`s, then `Completed`.

        Takes and raises the same as `ask`; what happens on the way is written into a trace. Closing the stream
        ends the request to the model; while its words are awaited, an empty delta comes four times a second.
        Setting `stop`, from any thread, ends it at every stage: the answer then comes without the model.
        """
        way = Way(self.model, self.settings, trace or Trace(), stop)
        clock, draft = way.clock, way.draft
        with clock("open"):
            index = self.ready(stop=stop)
            lacking = self.notices()
        question = _whole(question)
        reason = abstention.cannot_ask(question, index, history)
        with clock("rewriting"):
            asked = (
                understand("", question.strip())
                if reason
                else self._understand(index, question, history, way.asides)
            )
        with clock("retrieval"):
            chunks = () if reason else tuple(self._find(index, asked))
        way.trace.search(asked.query, chunks)
        yield Retrieved(asked.query, chunks)
        status: Status = "abstained"
        confidence = 0.0
        if not reason:
            with clock("reading"):
                parts = list(self._judge(index, asked, chunks))
                status, confidence, reason = abstention.overall(parts)
        if reason:
            strange = abstention.strange_names(asked.text, index)
            yield TextDelta(draft.say(abstention.explain(reason, strange)))
        else:
            for text in way.writer(index, question.strip(), asked, chunks)(parts, draft):
                yield TextDelta(text)
            status, confidence, reason = draft.outcome(status, confidence)
        yield Completed(
            Answer(
                text=draft.text,
                status=status,
                abstain_reason=reason,
                confidence=confidence,
                claims=tuple(draft.claims),
                citations=tuple(draft.citations),
                question=question,
                query=asked.query,
                chunks=chunks,
                engine=draft.engine,
                timings_ms=clock.times(),
                usage=draft.usage,
                notices=(*lacking, *({index.problem} - {"", *lacking}), *draft.notices),
            )
        )

    async def aask(self, question: str, history: History = ()) -> Answer:
        """Answer a question without blocking the event loop; see `ask`."""
        return await asyncio.to_thread(self.ask, question, history)

    async def astream(self, question: str, history: History = ()) -> AsyncIterator[Event]:
        """Answer a question bit by bit without blocking the event loop; see `stream`.

        Cancelling or closing it closes the stream, and ends the request to the model at once.
        """
        ended = threading.Event()
        events = self.stream(question, history, stop=ended)

        def step() -> Event | None:
            event = next(events, None)
            if ended.is_set():
                events.close()
            return event

        try:
            while (event := await asyncio.to_thread(step)) is not None:
                yield event
        finally:
            ended.set()
            # Else `step` is in the middle of it, and closes it afterwards.
            if inspect.getgeneratorstate(events) != inspect.GEN_RUNNING:
                events.close()

    def retrieve(self, query: str, k: int = 8) -> list[ScoredChunk]:
        """Return the chunks most relevant to a query.

        Args:
            query: A standalone question or some words.
            k: Largest number of chunks, at least 1.

        Returns:
            At most k chunks, best first, equal scores in order of chunk id; empty when the query has
            no words or there are no documents.

        Raises:
            ValueError: If k is below 1.
        """
        index, query = self.ready(), _whole(query)
        return [] if abstention.cannot_ask(query, index) else self._retriever(index, k).search(query)

    def sync(self, progress: OnProgress | None = None) -> SyncReport:
        """Bring the index up to date with the folder, all of it, and return what was done.

        Args:
            progress: Called with what is being done.

        Raises:
            CorpusError: If the folder cannot be read.
            EmbedderError: If the embedder does not work.
            LockedError: If another process is updating the index.
            StoreError: If the index cannot be written.
        """
        return self._keeper().sync(progress)

    def repair(self, progress: OnProgress | None = None) -> SyncReport:
        """Compare the index with the content of every file, mend what differs, and return what was done.

        Args:
            progress: Called with what is being done.

        Raises:
            FootnoteError: The same as `sync`.
        """
        return self._keeper().repair(progress)

    def publish(self, folder: str | Path) -> Path:
        """Write a snapshot of the index for other computers, and return its path.

        Args:
            folder: Where to; made when missing. They ask it by their setting `snapshots`.

        Raises:
            StoreError: If it cannot be written.
        """
        return self.index.publish(Path(folder))

    def follow(self, told: Callable[[SyncReport | FootnoteError], None] | None = None) -> None:
        """From now on, take in what changes in the folder, in the background, until `close`.

        Args:
            told: Called, from another thread, whenever something changed in the index, or went wrong.
        """
        self._keeper().follow(told)

    def notices(self) -> tuple[str, ...]:
        """Return a sentence for each thing that an answer given now may lack; none when the index is whole."""
        keeper = self._keeper()
        return gaps(keeper.index, keeper.state)

    def close(self) -> None:
        """End what goes on in the background and release the index; not to be used afterwards."""
        with self._opening:
            if self._kept:
                self._kept.close()

    def titles(self) -> list[tuple[str, str]]:
        """Return file and title of every document of the index, ordered by file."""
        return self._checked().titles()

    def documents(self) -> list[Document]:
        """Return all documents of the index with their texts, ordered by file."""
        return self._checked().documents()

    def document(self, file: str) -> Document:
        """Return one document.

        Raises:
            CorpusError: If no such file is indexed.
        """
        document = self._checked().document(file)
        if document is None:
            raise CorpusError(f"There is no document {file} in {self.corpus}.")
        return document

    def as_retriever(self, k: int = 8) -> HybridRetriever:
        """Return a LlamaIndex retriever over the corpus that gives at most k nodes."""
        return self._retriever(self.ready(), k)

    def as_query_engine(self) -> BaseQueryEngine:
        """Return a LlamaIndex query engine: its response is the answer's text, its nodes the citations."""
        from rag.query_engine import AssistantQueryEngine

        return AssistantQueryEngine(self)

    @property
    def index(self) -> Index:
        """The index as it is, opened on first use and not compared with the folder."""
        return self._keeper().index

    def ready(self, progress: OnProgress | None = None, stop: threading.Event | None = None) -> Index:
        """Return the index, checked against the folder the first time; every other call does this by itself.

        Meanwhile what answers questions is loaded.

        Args:
            progress: Called with what is being done while this waits.
            stop: Ends the waiting when it is set, from any thread.

        Raises:
            FootnoteError: What `sync` raises, if there is not one document to answer from; else `notices` says it.
        """
        return self._checked(progress, stop, meanwhile=_load)

    def _checked(
        self,
        progress: OnProgress | None = None,
        stop: threading.Event | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Index:
        keeper = self._keeper()
        keeper.settle(self.settings.patience, progress, stop, meanwhile)
        return keeper.index

    def _keeper(self) -> Keeper:
        with self._opening:
            if self._kept is None:
                if self.model:
                    from rag.checks.support import prepare

                    prepare()
                embedder = self._embedder or self.settings.make_embedder()
                url, snapshots = self.settings.chroma_url, self._snapshots is not None
                self._kept = Keeper(Index(self.corpus, self.index_dir, embedder, url, snapshots))
            return self._kept

    def _understand(self, index: Index, question: str, history: History, asides: Asides | None) -> Question:
        titles = [title for _, title in index.titles()] if asides and is_foreign(question, index) else []
        translated = asides.translate(question, (), titles) if asides and titles else None
        spelt = index.respell(translated or question)
        own = own_terms(spelt)
        if own and not index.mentions(own):
            history = ()  # What no document mentions is not explained, and not answered, by earlier turns.
        earlier = [(_whole(asked), _whole(answered)) for asked, answered in history]
        if translated and asides and earlier:
            return understand(spelt, asides.complete(question, spelt, earlier, titles) or spelt)
        return understand(spelt, (asides and asides.condense(spelt, earlier)) or standalone(spelt, earlier))

    def _find(self, index: Index, asked: Question) -> list[ScoredChunk]:
        if asked.kind is Kind.SUMMARY:
            return summary.chunks(index, asked)
        return self._retriever(index, self.settings.chunks).search(asked.query)

    def _judge(self, index: Index, asked: Question, chunks: Sequence[ScoredChunk]) -> Iterator[Judgement]:
        """What was found for each part of a question."""
        first: list[Evidence] = []
        for part in asked.parts():
            evidence = self._read(index, part, chunks)
            if first and part.refers:
                evidence = nearby(evidence, first)
            yield abstention.judge(part, evidence, self.settings.gate)
            first = first or evidence

    def _read(self, index: Index, asked: Question, chunks: Sequence[ScoredChunk]) -> list[Evidence]:
        if asked.kind is Kind.SUMMARY:
            return summary.read(index, chunks)
        return present(asked, weigh(index, asked, reader.read(asked.query, chunks)))

    def _retriever(self, index: Index, k: int) -> HybridRetriever:
        from rag.retriever import HybridRetriever

        return HybridRetriever(index, k)


def _load() -> None:
    import rag.retriever  # noqa: F401

    reader.load()


def _whole(text: str) -> str:
    """A text without halves of characters, which come from broken input and no index or JSON can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


_making = threading.Lock()


@cache
def _make_shipped() -> Assistant:
    return Assistant(shipped_seeds())


def _shipped() -> Assistant:
    with _making:
        return _make_shipped()


def ask(question: str, history: History = ()) -> Answer:
    """Answer a question about the shipped seeds; see `Assistant.ask`."""
    return _shipped().ask(question, history)
