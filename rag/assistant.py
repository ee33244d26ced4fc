"""The one path from a question to a cited answer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from index import CorpusError, Document, Index, LockedError, ScoredChunk, SyncReport
from rag import abstention, extractive, summary
from rag.abstention import Judgement
from rag.citations import Draft
from rag.conversation import own_terms, standalone
from rag.errors import ConfigurationError
from rag.evidence import Evidence, nearby, weigh
from rag.question import Kind, Question, understand
from rag.reader import read
from rag.settings import Settings, load_settings, shipped_seeds
from rag.timeline import present
from rag.types import Answer, Completed, Event, History, Retrieved, Status, TextDelta

if TYPE_CHECKING:
    from llama_index.core.base.base_query_engine import BaseQueryEngine

    from index import Embedder
    from index.sync import Progress
    from rag.retriever import HybridRetriever


class Assistant:
    """Answers questions about a folder of documents; safe to share between threads.

    The index is opened, and brought up to date with the folder, on first use.

    Args:
        corpus: The folder; the shipped seeds when None.
        index_dir: Where the index lives; the user's cache when None.
        llm: A model to write the answers; not possible yet, so None.
        settings: Other settings; from the environment and files when None.
        embedder: What turns texts into vectors; the one that ships with Footnote when None.

    Raises:
        CorpusError: If the folder is missing.
        ConfigurationError: If a setting cannot work.
    """

    engine = extractive.NAME
    """What writes the answers."""

    def __init__(
        self,
        corpus: str | Path | None = None,
        *,
        index_dir: str | Path | None = None,
        llm: object = None,
        settings: Settings | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        if llm is not None:
            raise ConfigurationError("A model cannot write the answers yet: leave `llm` out.")
        self.settings = settings or load_settings()
        self.corpus = Path(corpus or self.settings.corpus or shipped_seeds())
        if not self.corpus.is_dir():
            raise CorpusError(f"There is no folder {self.corpus}.")
        self.index_dir = Path(index_dir) if index_dir else self.settings.index_folder(self.corpus)
        self._embedder = embedder
        self._opening, self._syncing = threading.Lock(), threading.Lock()
        self._index: Index | None = None
        self._synced = False
        self._notices: tuple[str, ...] = ()

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

    def stream(self, question: str, history: History = ()) -> Iterator[Event]:
        """Answer a question bit by bit: `Retrieved`, then `TextDelta`s, then `Completed`.

        Takes and raises the same as `ask`.
        """
        clock, draft = _Clock(), Draft()
        with clock("open"):
            index = self.ready()
        question = _whole(question)
        reason = abstention.cannot_ask(question, index, history)
        asked = understand("", question.strip()) if reason else self._understand(index, question, history)
        with clock("retrieval"):
            chunks = () if reason else tuple(self._find(index, asked))
        yield Retrieved(asked.query, chunks)
        status: Status = "abstained"
        confidence = 0.0
        if not reason:
            with clock("reading"):
                parts = list(self._judge(index, asked, chunks))
                status, confidence, reason = abstention.overall(parts)
        if reason:
            yield TextDelta(draft.say(abstention.explain(reason, asked.text, index)))
        else:
            for text in extractive.write(parts, draft):
                yield TextDelta(text)
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
                engine=self.engine,
                timings_ms=clock.times(),
                notices=self._notices,
            )
        )

    async def aask(self, question: str, history: History = ()) -> Answer:
        """Answer a question without blocking the event loop; see `ask`."""
        return await asyncio.to_thread(self.ask, question, history)

    async def astream(self, question: str, history: History = ()) -> AsyncIterator[Event]:
        """Answer a question bit by bit without blocking the event loop; see `stream`."""
        events = self.stream(question, history)
        while (event := await asyncio.to_thread(next, events, None)) is not None:
            yield event

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

    def sync(self, progress: Progress | None = None) -> SyncReport:
        """Bring the index up to date with the folder and return what was done.

        Args:
            progress: Called with files done, files to do and the file at hand.

        Raises:
            CorpusError: If the folder cannot be read.
            LockedError: If another process is updating the index.
            StoreError: If the index cannot be written.
        """
        with self._syncing:
            report = self._open().sync(progress)
            self._synced, self._notices = True, ()
        return report

    def documents(self) -> list[Document]:
        """Return all documents of the index, ordered by file."""
        return self.ready().documents()

    def document(self, file: str) -> Document:
        """Return one document.

        Raises:
            CorpusError: If no such file is indexed.
        """
        document = self.ready().document(file)
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

    def ready(self, progress: Progress | None = None) -> Index:
        """Return the index, checked against the folder the first time; every other call does this by itself.

        Raises the same as `sync`, but goes on with what there is while another process updates the index.
        """
        index = self._open()
        if not self._synced:
            with self._syncing:
                if not self._synced:
                    self._check(index, progress)
                    self._synced = True
        return index

    def _open(self) -> Index:
        with self._opening:
            self._index = self._index or Index(self.corpus, self.index_dir, self._embedder)
            return self._index

    def _check(self, index: Index, progress: Progress | None) -> None:
        try:
            index.sync(progress)
        except LockedError as error:
            if not index.counts()["documents"]:
                raise
            self._notices = (f"Changes in the folder may be missing here. {error}",)

    def _understand(self, index: Index, question: str, history: History) -> Question:
        spelt = index.respell(question)
        own = own_terms(spelt)
        if own and not index.mentions(own):
            history = ()  # What no document mentions is not explained, and not answered, by earlier turns.
        earlier = [(_whole(asked), _whole(answered)) for asked, answered in history]
        return understand(spelt, standalone(spelt, earlier))

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
        return present(asked, weigh(index, asked, read(asked.query, chunks)))

    def _retriever(self, index: Index, k: int) -> HybridRetriever:
        from rag.retriever import HybridRetriever

        return HybridRetriever(index, k)


class _Clock:
    """Times the stages of an answer."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._stages[stage] = (time.perf_counter() - started) * 1000

    def times(self) -> dict[str, float]:
        return {**self._stages, "total": (time.perf_counter() - self._started) * 1000}


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
