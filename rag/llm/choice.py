"""Which model writes the answers, if any."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from rag import extractive
from rag.errors import ConfigurationError, ModelError
from rag.llm.model import BEAT, DEFAULT_WINDOW, LanguageModel, Message, ServerModel, Usage

if TYPE_CHECKING:
    from rag.settings import Settings


def choose(llm: object, settings: Settings) -> LanguageModel | None:
    """Return the model that writes the answers; None when they are in the documents' own words.

    Args:
        llm: A model's name, a LlamaIndex LLM or a `LanguageModel`; when None, the settings say.
        settings: Where a model's server is; with neither key nor address there is none.

    Raises:
        ConfigurationError: If `llm` is nothing that can write, or names a model without a server.
    """
    if llm is None or isinstance(llm, str):
        settings = settings.model_copy(update={"model": llm}) if llm else settings
        if settings.model == extractive.NAME:
            return None
        if settings.api_key or settings.base_url:
            return ServerModel(settings)
        if llm:
            raise ConfigurationError(f"Where is the model {llm}? Set OPENAI_API_KEY or OPENAI_BASE_URL.")
        return None
    if _is_llama(llm):
        return LlamaModel(llm)
    if callable(getattr(llm, "stream", None)) and isinstance(getattr(llm, "name", None), str):
        return llm  # type: ignore[return-value]
    raise ConfigurationError(
        f"{type(llm).__name__} cannot write answers: give a model's name or a LlamaIndex LLM as `llm`."
    )


def _is_llama(llm: object) -> bool:
    """Whether this is a LlamaIndex LLM; nobody can have one without having imported its module."""
    module = sys.modules.get("llama_index.core.llms")
    return module is not None and isinstance(llm, module.LLM)


class LlamaModel:
    """A LlamaIndex LLM; read in a thread of its own, so that a caller never waits for it without end.

    Args:
        llm: The LLM; what it can be told about time and retries is its own affair.
    """

    def __init__(self, llm: Any) -> None:
        self._llm = llm

    @property
    def name(self) -> str:
        """The model's name, as LlamaIndex has it."""
        return str(self._llm.metadata.model_name or type(self._llm).__name__)

    @property
    def window(self) -> int:
        """Tokens that prompt and reply may have together, as LlamaIndex has it."""
        return int(self._llm.metadata.context_window or DEFAULT_WINDOW)

    def stream(
        self, messages: Sequence[Message], *, seconds: float, usage: Usage
    ) -> Generator[str, None, None]:
        """Yield the reply piece by piece; see `LanguageModel.stream`. Tokens are not counted."""
        pieces: SimpleQueue[str | Exception | None] = SimpleQueue()
        dropped, until = Event(), monotonic() + seconds
        Thread(target=self._read, args=(messages, pieces, dropped), daemon=True).start()
        begun = False
        try:
            while True:
                try:
                    piece = pieces.get(timeout=min(BEAT, max(until - monotonic(), 0.001)))
                except Empty:
                    piece = ""
                if isinstance(piece, Exception):
                    raise ModelError(f"The model {self.name} failed: {type(piece).__name__}.") from piece
                if piece is None and begun:
                    return
                if piece is None:
                    raise ModelError(f"The model {self.name} sent an empty reply.")
                if monotonic() > until:
                    raise ModelError(f"The model {self.name} did not answer in time.")
                begun = begun or bool(piece)
                yield piece
        finally:
            dropped.set()

    def _read(
        self, messages: Sequence[Message], pieces: SimpleQueue[str | Exception | None], dropped: Event
    ) -> None:
        """Hand over what the LLM says, until it ends or nobody wants it."""
        from llama_index.core.llms import ChatMessage

        try:
            told = [ChatMessage(role=message["role"], content=message["content"]) for message in messages]
            for response in self._llm.stream_chat(told):
                if dropped.is_set():
                    break
                if response.delta:
                    pieces.put(response.delta)
            pieces.put(None)
        except Exception as error:  # noqa: BLE001 - LLMs raise what they like; it is told by its name
            pieces.put(error)
