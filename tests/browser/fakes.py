"""An assistant whose answers are written down here, so that a test knows every character."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag import (
    AbstainReason,
    Answer,
    Assistant,
    Chunk,
    Citation,
    Completed,
    CorpusError,
    Document,
    Event,
    Retrieved,
    ScoredChunk,
    Settings,
    TextDelta,
)

Quote = tuple[str, str]
"""A file and words that stand in it."""

LIGHTHOUSE = "The lighthouse was lit for the first time on 3 May 1871."
KEEPER = "Its first keeper, Marta Halloran, stayed for thirty years."
FILLER = "\n\n".join(f"Entry {number}. Wind from the west, nothing to report." for number in range(120))
FILES = {
    "harbour/log.txt": f"Harbour log\n\n{FILLER}\n\n{LIGHTHOUSE} {KEEPER}\n\n{FILLER}",
    "letters.txt": "Letters of Marta Halloran\n\nDear sister,\n\n\tthe lamp is heavy.\nThe sea is not.",
}


class FakeAssistant:
    """Has the interface of `rag.Assistant` and answers by the first word of the question.

    `slow` waits for `step()` before each word; `crash` raises half-way; `cut` ends without an
    answer; `none` abstains; `part` covers half the question; anything else is answered.
    """

    engine = "extractive"
    astream = Assistant.astream

    def __init__(
        self, corpus: Path, files: dict[str, str] | None = None, settings: Settings | None = None
    ) -> None:
        self.corpus = corpus
        self.settings = settings or Settings()
        self.files = FILES if files is None else files
        self.text = f"{LIGHTHOUSE} [1] {KEEPER} [2]"
        self.quotes: list[Quote] = [("harbour/log.txt", LIGHTHOUSE), ("harbour/log.txt", KEEPER)]
        self.questions: list[str] = []
        self.histories: list[Sequence[tuple[str, str]]] = []
        self.skipped_files: dict[str, str] = {}
        self.lacking: tuple[str, ...] = ()
        self.revision = "first"
        self.closed = threading.Event()
        """Set when a stream is closed before its end."""
        self._steps = threading.Semaphore(0)

    def step(self, words: int = 1) -> None:
        """Let a `slow` answer go on by some words."""
        for _ in range(words):
            self._steps.release()

    def rest(self) -> None:
        """Take back the steps that no answer used."""
        while self._steps.acquire(blocking=False):
            pass

    def given_up(self) -> bool:
        """Let a `slow` answer go on, word by word, and tell whether it is closed before its end."""
        for _ in range(20):
            self.step()
            if self.closed.wait(0.2):
                break
        self.rest()
        return self.closed.is_set()

    @property
    def index(self) -> FakeAssistant:
        """It is its own index."""
        return self

    def follow(self) -> None:
        """Its files are changed by the tests alone."""

    def titles(self) -> list[tuple[str, str]]:
        return [(file, self.document(file).title) for file in sorted(self.files)]

    def counts(self) -> dict[str, int]:
        return {"documents": len(self.files)}

    def skipped(self) -> dict[str, str]:
        return self.skipped_files

    def notices(self) -> tuple[str, ...]:
        return self.lacking

    def document(self, file: str) -> Document:
        if file not in self.files:
            raise CorpusError(f"There is no document {file}.")
        text = self.files[file]
        return Document(file=file, text=text, title=text.split("\n")[0] or file)

    def stream(
        self, question: str, history: Sequence[tuple[str, str]] = (), stop: threading.Event | None = None
    ) -> Iterator[Event]:
        self.questions.append(question)
        self.histories.append(list(history))
        try:
            yield from self._events(question, question.split()[0])
        except GeneratorExit:
            self.closed.set()
            raise

    def _events(self, question: str, kind: str) -> Iterator[Event]:
        answer = self._answer(question, kind)
        yield Retrieved(answer.query, answer.chunks)
        words = answer.text.split(" ")
        for number, word in enumerate(words):
            if kind == "slow":
                self._steps.acquire(timeout=20)
            if kind in ("crash", "cut") and number == 3:
                break
            yield TextDelta(word if number == 0 else f" {word}")
        if kind == "crash":
            raise ValueError("/secret/place holds <b>sk-canary</b>")
        if kind != "cut":
            yield Completed(answer)

    def _answer(self, question: str, kind: str) -> Answer:
        abstained = kind == "none"
        citations = tuple(self._citation(number, *quote) for number, quote in enumerate(self.quotes, 1))
        return Answer(
            text="The files do not say." if abstained else f"{self.text} You asked: {_plain(question[:60])}",
            status="abstained" if abstained else "partial" if kind == "part" else "answered",
            abstain_reason=AbstainReason.NOT_ANSWERED if abstained else None,
            confidence=0.81,
            claims=(),
            citations=() if abstained else citations,
            question=question,
            query=f"{question} (in full)" if kind == "and" else question,
            chunks=tuple(self._chunk(citation) for citation in citations),
            engine=self.engine,
            timings_ms={"total": 12.0},
            notices=("One file was skipped.",) if kind == "part" else (),
        )

    def _citation(self, number: int, file: str, quote: str) -> Citation:
        document = self.document(file)
        start = document.text.index(quote)
        end = start + len(quote)
        return Citation(
            number=number, file=file, title=document.title, page=None, start=start, end=end, quote=quote
        )

    def _chunk(self, c: Citation) -> ScoredChunk:
        chunk = Chunk(
            id=c.number, file=c.file, title=c.title, start=c.start, end=c.end, text=c.quote, sentences=()
        )
        return ScoredChunk(chunk=chunk, score=1.0, similarity=0.5, bm25=1.0)


def _plain(text: str) -> str:
    """Return text escaped the way the assistant escapes what is not its own Markdown."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#" else char for char in text)
