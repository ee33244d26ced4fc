"""A model on a server that speaks OpenAI's protocol for embeddings."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from index.embedding import Kind, Vectors, unit_length
from index.errors import EmbedderError

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

OPENAI = "https://api.openai.com/v1"
BATCH = 64
BATCH_CHARACTERS = 64_000
"""Texts, and characters, of one request at most; a server that refuses so many gets half."""
MOST_BYTES = 64 << 20
"""Size of a reply at most; 64 vectors of 4,096 numbers are some 6 MB."""
FIRST_PAUSE = 0.5
"""Seconds before the second try; each later pause is twice as long, and longer if the server asks for it."""


class Patience(NamedTuple):
    """How long a server is waited for."""

    seconds: float
    """For a reply, and about twice as long until its last byte."""
    tries: int
    longest_pause: float
    """Seconds between two tries."""


PATIENCE = {"query": Patience(10, 2, 2), "document": Patience(60, 7, 30)}
"""Somebody waits for a question's vector; documents can wait until the server has time."""


class RemoteEmbedder:
    """A model on a server that speaks OpenAI's protocol; safe to share between threads.

    Args:
        model: Its name as the server knows it.
        base_url: Address of the server, mostly ending in `/v1`; OpenAI's own when None.
        api_key: What the server knows the user by; None where it asks for nothing.

    Raises:
        EmbedderError: If the address is none, or OpenAI's key is missing.
    """

    def __init__(self, model: str, *, base_url: str | None = None, api_key: str | None = None) -> None:
        self._model, self._key = model, api_key
        self._url = (base_url or OPENAI).rstrip("/")
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
            raise EmbedderError(
                "The embedding server's address must be like http://localhost:11434/v1, without key or password."
            )
        if self._url == OPENAI and not api_key:
            raise EmbedderError(f"The embedder openai:{model} needs a key: set FOOTNOTE_EMBEDDER_KEY.")
        if api_key and not (api_key.isascii() and api_key.isprintable()):
            raise EmbedderError("The embedding server's key has characters that no key has.")
        self._local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        # The same name on another server may be other weights.
        self.id = f"openai:{model}" if self._url == OPENAI else f"openai:{model}@{parts.netloc}"
        self._batch = BATCH
        self._dimensions: int | None = None

    @property
    def dimensions(self) -> int:
        """See `Embedder.dimensions`; the server is asked for a vector if it has given none yet."""
        if self._dimensions is None:
            self.embed(["."], kind="query")
        assert self._dimensions is not None
        return self._dimensions

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """See `Embedder.embed`; the texts leave the machine.

        Raises:
            EmbedderError: If the server cannot be reached, refuses, or gives no usable vectors.
        """
        found = [
            vectors
            for batch in _batches([text or " " for text in texts])
            for vectors in self._vectors(batch, PATIENCE[kind])
        ]
        return np.concatenate(found) if found else np.empty((0, self.dimensions), np.float32)

    def _vectors(self, texts: list[str], patience: Patience) -> Iterator[Vectors]:
        """The vectors of some texts in one piece, or in more where the server refuses so many at once."""
        for start in range(0, len(texts), self._batch):
            part = texts[start : start + self._batch]
            try:
                body = self._ask_patiently(part, patience)
            except _RefusedError:
                if len(part) == 1:
                    raise
                self._batch = len(part) // 2
                yield from self._vectors(texts[start:], patience)
                return
            yield self._parse(body, len(part))

    def _ask_patiently(self, texts: list[str], patience: Patience) -> bytes:
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

        def pause(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked_for = error.retry_after if isinstance(error, _BusyError) else 0.0
            doubled = FIRST_PAUSE * 2.0 ** (state.attempt_number - 1)
            return min(max(doubled, asked_for), patience.longest_pause)

        retrying = Retrying(
            retry=retry_if_exception_type(_BusyError),
            stop=stop_after_attempt(patience.tries),
            wait=pause,
            reraise=True,
        )
        return retrying(self._ask, texts, patience.seconds)

    def _ask(self, texts: list[str], seconds: float) -> bytes:
        """Send one request and return the reply."""
        import httpx

        request = json.dumps({"model": self._model, "input": texts})
        deadline = time.monotonic() + seconds
        body = bytearray()
        try:
            with self._client.stream(
                "POST", f"{self._url}/embeddings", content=request, timeout=seconds
            ) as response:
                self._check(response)
                for part in response.iter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise EmbedderError(f"{self._who} gave no vectors but an endless reply.")
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("too slow")
        except httpx.TimeoutException:
            raise _BusyError(f"{self._who} did not answer within {seconds:g} seconds.") from None
        except httpx.HTTPError:
            raise _BusyError(f"{self._who} cannot be reached or broke off: does it run?") from None
        return bytes(body)

    def _check(self, response: httpx.Response) -> None:
        """Raise what an HTTP status means. What the server says of it may repeat the key and is not shown."""
        status = response.status_code
        if status == 200:
            return
        if status in (408, 409, 429) or status >= 500:
            wait = response.headers.get("retry-after", "")
            raise _BusyError(
                f"{self._who} is too busy, out of order, or your account there is used up (HTTP {status}).",
                retry_after=float(wait) if wait.isdecimal() else 0,
            )
        if status in (401, 403):
            raise EmbedderError(f"{self._who} refuses the key (HTTP {status}): check FOOTNOTE_EMBEDDER_KEY.")
        if status in (400, 413, 422):
            raise _RefusedError(f"{self._who} refuses a text (HTTP {status}).")
        raise EmbedderError(
            f"{self._who} is not there (HTTP {status}): check FOOTNOTE_EMBEDDER and FOOTNOTE_EMBEDDER_URL."
        )

    def _parse(self, body: bytes, count: int) -> Vectors:
        """The vectors of a reply, in the order of the texts."""
        try:
            entries = sorted(json.loads(body)["data"], key=lambda entry: entry["index"])
            places = [entry["index"] for entry in entries]
            rows = [entry["embedding"] for entry in entries]
        except (ValueError, TypeError, LookupError, RecursionError):
            raise EmbedderError(
                f"{self._who} does not answer in OpenAI's protocol: check FOOTNOTE_EMBEDDER_URL."
            ) from None
        if places != list(range(count)):
            raise EmbedderError(f"{self._who} gave {len(rows)} vectors for {count} texts, or mixed them up.")
        vectors = unit_length(rows, count, self.id)
        if self._dimensions not in (None, vectors.shape[1]):
            raise EmbedderError(
                f"{self._who} gave vectors of {vectors.shape[1]} dimensions, before of {self._dimensions}."
            )
        self._dimensions = vectors.shape[1]
        return vectors

    @property
    def _who(self) -> str:
        return f"The embedding model {self._model} at {self._url}"

    @cached_property
    def _client(self) -> httpx.Client:
        import httpx

        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        # A redirect would carry the documents' words to somebody else.
        return httpx.Client(headers=headers, follow_redirects=False, trust_env=not self._local)


class _BusyError(EmbedderError):
    """Another try may do better."""

    def __init__(self, sentence: str, *, retry_after: float = 0) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        """Seconds that the server asks to wait."""


class _RefusedError(EmbedderError):
    """The server does not take this request; perhaps a smaller one."""


def _batches(texts: list[str]) -> Iterator[list[str]]:
    """Texts in order, as many at a time as one request may have."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == BATCH or size + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch
