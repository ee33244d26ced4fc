"""Answers for other programs: some are written at once, some wait, more are sent away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from rag import Answer, Assistant, Completed, Event, FootnoteError, History

AT_ONCE = 8
WAITING = 56


class BusyError(FootnoteError):
    """More questions are waiting than are taken."""


class Desk:
    """Hands questions to an assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self._places = asyncio.Semaphore(AT_ONCE)
        self._taken = 0

    async def stream(self, question: str, history: History = ()) -> AsyncGenerator[Event]:
        """Answer a question bit by bit, as `Assistant.astream` does; closing it stops the work.

        Raises:
            BusyError: If too many questions are waiting.
        """
        if self._taken >= AT_ONCE + WAITING:
            raise BusyError("Too many questions are being answered: try again in a moment.")
        self._taken += 1
        try:
            async with self._places:
                async for event in self.assistant.astream(question, history):
                    yield event
        finally:
            self._taken -= 1

    async def ask(self, question: str, history: History = ()) -> Answer:
        """Answer a question; raises the same as `stream`."""
        async with aclosing(self.stream(question, history)) as events:
            async for event in events:
                if isinstance(event, Completed):
                    return event.answer
        raise RuntimeError("the assistant's stream ended without a completed answer")
