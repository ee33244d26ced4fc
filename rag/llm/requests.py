"""What one question may ask of a model: few requests, bounded waits, and none once it was stopped."""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from threading import Event

from rag.errors import ModelError
from rag.llm.model import BEAT, LanguageModel, Message, Usage

ATTEMPTS = 3
"""Requests for one question, at most, once one of them has failed."""
PAUSE, LONGEST_PAUSE = 0.5, 2.0
"""Seconds before a second request, and before any later one, at most; a share of each is left to chance."""


class Requests:
    """Sends the requests of one question: for its rewriting, its answer and what is asked about that.

    Args:
        model: Whom to ask.
        usage: What tokens are added to.
        stop: Once it is set, from any thread, the request at hand ends and no other begins.
    """

    def __init__(self, model: LanguageModel, usage: Usage, stop: Event | None = None) -> None:
        self._model, self._usage, self._stop = model, usage, stop or Event()
        self._sent = 0
        self._fault: ModelError | None = None

    def stream(self, messages: Sequence[Message], *, seconds: float) -> Generator[str, None, None]:
        """Yield the reply piece by piece, as `LanguageModel.stream` does; what fails in passing is sent again.

        Raises:
            ModelError: As there; without a request when an earlier one showed that none will do better.
        """
        until = time.monotonic() + seconds
        while True:
            if self._fault and (self._fault.lasting or self._sent >= ATTEMPTS):
                raise self._fault
            begun = False
            try:
                for piece in self._once(messages, until - time.monotonic()):
                    begun = begun or bool(piece)
                    yield piece
                return
            except ModelError as fault:
                self._fault = fault
                pause = self._pause(fault, seconds)
                if begun or pause is None or time.monotonic() + pause >= until:
                    raise
            yield from self._wait(pause)

    def _once(self, messages: Sequence[Message], seconds: float) -> Generator[str, None, None]:
        self._go_on()
        self._sent += 1
        with closing(self._model.stream(messages, seconds=seconds, usage=self._usage)) as pieces:
            for piece in pieces:
                self._go_on()
                yield piece

    def _pause(self, fault: ModelError, seconds: float) -> float | None:
        """Seconds after which to ask again, longer each time and never quite the same; None for never."""
        if fault.retry_after is None:
            return None
        longest = min(PAUSE * 2 ** (self._sent - 1), LONGEST_PAUSE, seconds / 10)
        return fault.retry_after + random.uniform(0, longest)

    def _wait(self, seconds: float) -> Generator[str, None, None]:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._stop.wait(min(left, BEAT))
            self._go_on()
            yield ""

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise ModelError("The answer was stopped.", lasting=True)
