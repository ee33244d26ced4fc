"""What one browser tab has asked and been told: kept on the server, for that tab only."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from queue import SimpleQueue
from threading import Event as Stop
from threading import Thread
from typing import NamedTuple

from rag import Answer, Assistant, Claim, Completed, Event, Retrieved, TextDelta
from ui.incidents import note


class Passage(NamedTuple):
    """What a footnote or a near miss points to."""

    file: str
    start: int
    end: int
    quote: str
    """Equal to `text[start:end]` of the file when the answer was given."""
    claims: tuple[Claim, ...] = ()
    """What the answer rests on it."""


_WAITING = TextDelta("")
"""What the assistant says, several times a second, while it waits for a model: the time to see a Stop."""


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
    stopped: Stop = field(default_factory=Stop)
    """Set by `stop`, for the assistant to see."""
    events: SimpleQueue[Event | Exception | None] = field(default_factory=SimpleQueue)
    """What has come from the assistant and is not taken yet; None only wakes whoever waits."""

    def take(self, event: Event | Exception | None) -> None:
        """Add an event of the assistant's stream; ignored once the phase is final."""
        if self.phase is not Phase.RUNNING:
            return
        match event:
            case Retrieved():
                self.found = event
            case TextDelta(text):
                self.text += text
            case Completed(answer):
                self.answer = answer
                self.phase = Phase.DONE
            case Exception():
                self.error = note("an answer was interrupted", event)
                self.phase = Phase.INTERRUPTED

    def stop(self) -> None:
        """End the turn where it is, unless it has ended."""
        if self.phase is Phase.RUNNING:
            self.phase = Phase.STOPPED
            self.stopped.set()
            self.events.put(None)

    def passage(self, kind: str, number: int) -> Passage | None:
        """Return a citation (`cite`) or a near miss (`near`) by its number, from 1."""
        if self.answer is None:
            return None
        if kind == "cite":
            claims = tuple(claim for claim in self.answer.claims if number in claim.citations)
            cited = [
                Passage(c.file, c.start, c.end, c.quote, claims)
                for c in self.answer.citations
                if c.number == number
            ]
            return cited[0] if cited else None
        if not 1 <= number <= len(self.answer.chunks):
            return None
        near = self.answer.chunks[number - 1].chunk
        return Passage(near.file, near.start, near.end, near.text)


@dataclass(slots=True)
class Conversation:
    """The turns of one tab, oldest first, and what its page shows of the folder."""

    turns: list[Turn] = field(default_factory=list)
    asked: int = 0
    files: list[str] = field(default_factory=list)
    """Those the page lists, in that order."""
    listing: bool = True
    """Whether the source pane shows the list of files."""
    revision: str = ""
    """That of the index when the page was last filled."""
    notices: tuple[str, ...] = ()
    """What the page says that answers may lack."""

    @property
    def busy(self) -> bool:
        """Whether an answer is being written."""
        return bool(self.turns) and self.turns[-1].phase is Phase.RUNNING

    def ask(self, assistant: Assistant, question: str) -> Generator[Turn]:
        """Ask, and yield the turn each time there is more of it; it ends in a final phase.

        The assistant is read by a thread of its own, so that Stop takes effect at once even while
        the assistant waits for something. Closing the generator, as a closed tab does, stops too.
        """
        history = [(turn.question, turn.answer.text) for turn in self.turns if turn.answer]
        self.asked += 1
        turn = Turn(number=self.asked, question=question)
        self.turns.append(turn)
        try:
            yield turn
            Thread(target=_read, args=(assistant, history, turn), daemon=True).start()
            while turn.phase is Phase.RUNNING:
                turn.take(turn.events.get())
                while not turn.events.empty():
                    turn.take(turn.events.get())
                yield turn
        finally:
            turn.stop()

    def stop(self) -> None:
        """Stop the answer being written."""
        if self.turns:
            self.turns[-1].stop()

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


def _read(assistant: Assistant, history: list[tuple[str, str]], turn: Turn) -> None:
    """Hand over what the assistant says, until it ends or the turn does; closes the stream either way."""
    try:
        stream = assistant.stream(turn.question, history, stop=turn.stopped)
        for event in stream:
            if turn.phase is not Phase.RUNNING:
                break
            if event != _WAITING:
                turn.events.put(event)
        if isinstance(stream, Generator):
            stream.close()
        turn.events.put(RuntimeError("the assistant's stream ended without a completed answer"))
    except Exception as error:  # noqa: BLE001 - whatever it is, the turn must not look finished
        turn.events.put(error)
