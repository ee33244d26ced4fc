"""What one question has with it on its way to an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag import extractive
from rag.citations import Draft
from rag.llm.asides import Asides
from rag.llm.requests import Requests

if TYPE_CHECKING:
    from index import Index, ScoredChunk
    from rag.abstention import Judgement
    from rag.llm.model import LanguageModel
    from rag.question import Question
    from rag.settings import Settings
    from rag.trace import Trace


class Way:
    """The clock, the draft of the answer, and the model that helps with it, if there is one."""

    def __init__(
        self, model: LanguageModel | None, settings: Settings, trace: Trace, stop: threading.Event | None
    ) -> None:
        self._model, self._settings = model, settings
        self.clock, self.draft, self.trace = Clock(), Draft(), trace
        self._requests = Requests(model, self.draft.usage, stop) if model else None
        self.asides = Asides(self._requests, settings.rewrite_timeout, trace) if self._requests else None

    def writer(
        self, index: Index, question: str, asked: Question, chunks: Sequence[ScoredChunk]
    ) -> Callable[[Sequence[Judgement], Draft], Iterator[str]]:
        """Return what turns that which was found into text: `extractive.write`, or the same of a model's."""
        if self._model is None or self._requests is None or self.asides is None:
            return extractive.write
        from rag.generative import Writer

        return Writer(
            model=self._model,
            settings=self._settings,
            embedder=index.embedder,
            question=question if asked.query == question else f"{question} ({asked.query})",
            chunks=chunks,
            requests=self._requests,
            asides=self.asides,
            clock=self.clock,
            trace=self.trace,
        ).write


class Clock:
    """Times the stages of an answer."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._stages[stage] = self._stages.get(stage, 0.0) + (time.perf_counter() - started) * 1000

    def times(self) -> dict[str, float]:
        """Return the milliseconds of each stage, and of all as `total`."""
        return {**self._stages, "total": (time.perf_counter() - self._started) * 1000}
