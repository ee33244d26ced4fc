"""A language model behind an OpenAI-compatible server, with bounded waits.

Requests run on one event loop in a thread of its own, so that dropping an answer closes its connection at
once, whatever the server is doing. The client's own retries and timeouts are not used: it would retry what
cannot get better, and pings from a server would keep it waiting for ever. Here a request is sent once; see
`rag.llm.requests` for what becomes of one that fails.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncIterator, Coroutine, Generator, Mapping, Sequence
from functools import cache
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from rag.errors import ModelError
from rag.llm.replies import Reply

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from rag.settings import Settings

OPENAI = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4.1-mini"
"""What writes the answers when only a key is given."""
DEFAULT_WINDOW = 4096
"""Tokens that a server which does not say how many it takes is trusted with."""
OPENAI_WINDOW = 128_000
BEAT = 0.25
"""Seconds after which a caller who waits for the model is given control."""
ASIDE = 2.0
"""Seconds to wait for what is only good to know: the server's models, its last count of tokens."""

Message = dict[str, str]
"""`role` and `content`, as in OpenAI's protocol."""
Usage = dict[str, int]
"""Tokens by kind; added to by each request."""


class LanguageModel(Protocol):
    """What writes text for Footnote."""

    @property
    def name(self) -> str:
        """What answers say they were written by."""

    @property
    def window(self) -> int:
        """Tokens that prompt and reply may have together."""

    def stream(
        self, messages: Sequence[Message], *, seconds: float, usage: Usage
    ) -> Generator[str, None, None]:
        """Send one request and yield the reply piece by piece; an empty piece only means that the wait goes on.

        Closing the generator ends the request.

        Args:
            messages: The conversation so far.
            seconds: How long all of it may take.
            usage: What tokens are added to.

        Raises:
            ModelError: When there is no reply or it breaks off; what came before stands.
        """


class ServerModel:
    """A model behind an OpenAI-compatible server; safe to share between threads.

    Args:
        settings: Address, key, name and limits.
    """

    def __init__(self, settings: Settings) -> None:
        self.server = settings.base_url or OPENAI
        self._key = settings.api_key
        self._name = settings.model or (None if settings.base_url else DEFAULT_MODEL)
        self._window = settings.context_window or (None if settings.base_url else OPENAI_WINDOW)
        self._patience = settings.first_token_timeout
        self._plain = False
        self._client: AsyncOpenAI | None = None
        self._start(self._connect())

    @property
    def name(self) -> str:
        """The name that was set, or that of the only model the server offers, once it was asked."""
        return self._name or f"the model at {self.server}"

    @property
    def window(self) -> int:
        """Tokens that prompt and reply may have together: as set, as the server says, or a safe guess."""
        if self._window is None or self._name is None:
            self.look()
        return self._window or DEFAULT_WINDOW

    def look(self) -> list[str]:
        """Ask the server which models it offers, and take over what it says about ours.

        Raises:
            ModelError: If no name is set and the server does not offer exactly one.
        """
        found: list[dict[str, Any]] = self._start(self._models()).result()
        names = [str(entry["id"]) for entry in found]
        if self._name is None:
            if len(names) != 1:
                offered = f"one of {', '.join(names[:8])}" if names else "the name of a model that it has"
                raise ModelError(f"Which model at {self.server}? Set FOOTNOTE_MODEL to {offered}.")
            self._name = names[0]
        if self._window is None and found:
            ours = next((entry for entry in found if entry["id"] == self._name), {})
            self._window = _stated_window(ours) or DEFAULT_WINDOW
        return names

    def stream(
        self, messages: Sequence[Message], *, seconds: float, usage: Usage
    ) -> Generator[str, None, None]:
        """Yield the reply piece by piece; see `LanguageModel.stream`."""
        if self._name is None:
            self.look()
        pieces: SimpleQueue[str | Exception | None] = SimpleQueue()
        running = self._start(self._pump(list(messages), pieces, seconds, usage))
        try:
            while True:
                try:
                    piece = pieces.get(timeout=BEAT)
                except Empty:
                    yield ""
                    continue
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            running.cancel()

    async def _pump(
        self,
        messages: list[Message],
        pieces: SimpleQueue[str | Exception | None],
        seconds: float,
        usage: Usage,
    ) -> None:
        """Put the reply's pieces into a queue, then what ended it: None or the error."""
        from rag.llm.faults import explain

        try:
            async with asyncio.timeout(seconds):
                async for piece in self._request(messages, usage):
                    pieces.put(piece)
            pieces.put(None)
        except Exception as error:  # noqa: BLE001 - whatever a server makes the client raise ends the answer, in words
            pieces.put(explain(error, self.server, self.name))

    async def _request(self, messages: list[Message], usage: Usage) -> AsyncIterator[str]:
        """Send one request and yield its reply's pieces."""
        from openai import BadRequestError, UnprocessableEntityError

        from rag.llm.faults import explain

        client = await self._connect()
        loop, plain = asyncio.get_running_loop(), self._plain
        async with asyncio.timeout(self._patience) as patience:
            try:
                stream = await self._open(client, messages, plain)
            except (BadRequestError, UnprocessableEntityError) as error:
                fault = explain(error, self.server, self.name)
                if not fault.overflow:
                    self._plain = not plain
                    if not plain:  # Perhaps it is our options that are refused.
                        fault.retry_after, fault.lasting = 0.0, False
                raise fault from None
            async with stream:
                reply = Reply(stream.response, self.server, usage)
                async for piece in reply.pieces(stream):
                    patience.reschedule(loop.time() + (ASIDE if reply.finish else self._patience))
                    if piece:
                        yield piece
                reply.check(self.server)

    async def _open(self, client: AsyncOpenAI, messages: list[Message], plain: bool) -> Any:
        """Send a request; a plain one for models that take no temperature, or servers that count no tokens."""
        options: dict[str, Any] = (
            {} if plain else {"temperature": 0, "stream_options": {"include_usage": True}}
        )
        return await client.chat.completions.create(
            model=self.name,
            messages=messages,  # type: ignore[arg-type]
            stream=True,
            **options,
        )

    async def _models(self) -> list[dict[str, Any]]:
        client = await self._connect()
        try:
            async with asyncio.timeout(min(ASIDE, self._patience)):
                answer: Any = await client.get("/models", cast_to=object)
        except Exception as error:  # noqa: BLE001 - many servers do not offer this list, and none has to
            from rag.llm.faults import explain

            if self._name is None:
                raise explain(error, self.server, self.name) from None
            return []
        listed = answer.get("data") if isinstance(answer, Mapping) else None
        entries = listed if isinstance(listed, list) else []
        return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]

    async def _connect(self) -> AsyncOpenAI:
        """The client; made in the loop's thread, which also imports it while the index is opened."""
        if self._client is None:
            from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

            local = (urlsplit(self.server).hostname or "") in ("localhost", "127.0.0.1", "::1")
            self._client = AsyncOpenAI(
                api_key=self._key.get_secret_value() if self._key else "none",
                base_url=self.server,
                max_retries=0,
                # A redirect would carry the documents' words to somebody else.
                http_client=DefaultAsyncHttpxClient(follow_redirects=False, trust_env=not local),
                timeout=Timeout(None, connect=self._patience),
            )
            weakref.finalize(self, _close, self._client)
        return self._client

    def _start(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, _loop())


def _stated_window(entry: Mapping[str, Any]) -> int | None:
    """The context window in an entry of a server's list of models, as vLLM, LM Studio, llama.cpp and others say it."""
    meta = entry.get("meta")
    stated = {**(meta if isinstance(meta, Mapping) else {}), **entry}
    for key in (
        "loaded_context_length",
        "max_model_len",
        "n_ctx",
        "context_length",
        "context_window",
        "max_context_length",
        "n_ctx_train",
    ):
        if isinstance(stated.get(key), int) and stated[key] >= 512:
            return int(stated[key])
    return None


def _close(client: AsyncOpenAI) -> None:
    asyncio.run_coroutine_threadsafe(client.close(), _loop())


_starting = threading.Lock()


@cache
def _started() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="footnote-model", daemon=True).start()
    return loop


def _loop() -> asyncio.AbstractEventLoop:
    """The event loop that all models share, running in its own thread."""
    with _starting:
        return _started()
