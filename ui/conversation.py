"""What one browser tab has asked and been told: kept on the server, for that tab only."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from rag import Answer, Assistant, Completed, Event, Retrieved, TextDelta

log = logging.getLogger("footnote.ui")

Passage = tuple[str, int, int, str]
"""A file, where the passage starts and ends in its text, and the passage itself."""


class Phase(StrEnum):
    """How far a turn has come; the last three are final."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


@dataclass(slots=True, kw_only=True)
class Turn:
    """One question and what came of it."""

    number: int
    """From 1, never used twice in a conversation."""
    question: str
    phase: Phase = Phase.RUNNING
    text: str = ""
    """What has been streamed so far."""
    found: Retrieved | None = None
    """What was retrieved; None until then."""
    answer: Answer | None = None
    """Only when the phase is `DONE`."""
    error: str = ""
    """Number under which the log has the cause, when the phase is `INTERRUPTED`."""

    def passage(self, kind: str, number: int) -> Passage | None:
        """Return a citation (`cite`) or a near miss (`near`) by its number, from 1."""
        if self.answer is None:
            return None
        if kind == "cite":
            cited = [(c.file, c.start, c.end, c.quote) for c in self.answer.citations if c.number == number]
            return cited[0] if cited else None
        if not 1 <= number <= len(self.answer.chunks):
            return None
        near = self.answer.chunks[number - 1].chunk
        return near.file, near.start, near.end, near.text


@dataclass(slots=True)
class Conversation:
    """The turns of one tab, oldest first, and the files its page listed."""

    turns: list[Turn] = field(default_factory=list)
    asked: int = 0
    files: list[str] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Whether an answer is being written."""
        return bool(self.turns) and self.turns[-1].phase is Phase.RUNNING

    def ask(self, assistant: Assistant, question: str) -> Iterator[Turn]:
        """Ask, and yield the turn each time there is more of it; it ends in a final phase.

        Closing the iterator, which is what Stop and a closed tab do, closes the assistant's
        stream and leaves the turn `STOPPED`. No exception of the assistant gets out: its text
        may hold paths or keys, so it goes to the log under a number and the turn gets the number.
        """
        history = [(turn.question, turn.answer.text) for turn in self.turns if turn.answer]
        self.asked += 1
        turn = Turn(number=self.asked, question=question)
        self.turns.append(turn)
        try:
            yield turn
            with _closing(assistant.stream(question, history)) as events:
                for event in events:
                    if turn.phase is not Phase.RUNNING:
                        return
                    _take(turn, event)
                    yield turn
            if turn.answer is None:
                raise RuntimeError("the assistant's stream ended without a completed answer")
        except Exception:  # noqa: BLE001 - whatever it is, the turn must not look finished
            turn.error = note("an answer was interrupted")
            turn.phase = Phase.INTERRUPTED
            yield turn
        finally:
            if turn.phase is Phase.RUNNING:
                turn.phase = Phase.STOPPED

    def stop(self) -> None:
        """Mark the answer being written as stopped."""
        if self.busy:
            self.turns[-1].phase = Phase.STOPPED

    def undo(self) -> str:
        """Take the last turn back and return its question; empty when there is none."""
        return self.turns.pop().question if self.turns and not self.busy else ""

    def clear(self) -> None:
        """Forget every turn."""
        self.stop()
        self.turns.clear()

    def passage(self, kind: str, turn: int, number: int) -> Passage | None:
        """Return what a footnote of one of these turns points to; None when nothing does."""
        found = [candidate.passage(kind, number) for candidate in self.turns if candidate.number == turn]
        return found[0] if found else None


def note(what: str) -> str:
    """Put the exception being handled into the log and return the number to find it by."""
    number = uuid.uuid4().hex[:8]
    log.exception("error %s: %s", number, what)
    return number


@contextmanager
def _closing(events: Iterator[Event]) -> Iterator[Iterator[Event]]:
    """Close a stream on the way out, so that whatever it holds (a model's connection) is let go."""
    try:
        yield events
    finally:
        if isinstance(events, Generator):
            events.close()


def _take(turn: Turn, event: Event) -> None:
    match event:
        case Retrieved():
            turn.found = event
        case TextDelta(text):
            turn.text += text
        case Completed(answer):
            turn.answer = answer
            turn.phase = Phase.DONE
