"""What the chunks of a streamed chat completion say, from servers that keep to the protocol more or less."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from rag.errors import ModelError

LONGEST = 60_000
"""Characters of a reply; more is no answer."""
_OPEN, _CLOSE = "<think>", "</think>"


class Reply:
    """One reply while it arrives.

    Args:
        response: The HTTP response, whose type says whether it is a stream at all.
        server: The server's address, for people.
        usage: What tokens are added to.
    """

    def __init__(self, response: Any, server: str, usage: dict[str, int]) -> None:
        self._response, self._server, self._usage = response, server, usage
        self._counted: dict[str, int] = {}
        self._characters = 0
        self._thoughts = Thoughts()
        self.finish: str | None = None
        """Why the model stopped, in the server's word; None while it has not."""

    async def pieces(self, stream: Any) -> AsyncIterator[str]:
        """Yield the reply's pieces, an empty one for a sign of life without text.

        Raises:
            ModelError: If this is no reply, or one without end.
        """
        from rag.llm.faults import malformed

        kind = str(self._response.headers.get("content-type", "")).partition(";")[0].strip().lower()
        if kind == "application/json":
            yield self._whole(json.loads(await self._response.aread()))
        elif kind in ("", "text/event-stream", "text/plain", "application/octet-stream"):
            async for chunk in stream:
                for piece in self._chunk(chunk):
                    yield piece
        else:
            raise malformed(self._server)

    def check(self, server: str) -> None:
        """Hold a reply that has ended to be complete.

        Raises:
            ModelError: If it broke off, was cut or is empty.
        """
        again = 0.0 if not self._characters else None
        wrong = {
            None: f"The reply of the model at {server} broke off.",
            "length": "The model reached the end of its room and its reply was cut.",
            "content_filter": "The filter of the model's server withheld the reply.",
            "error": f"The model at {server} reported an error.",
            "tool_calls": "The model asked for a tool instead of answering.",
            "function_call": "The model asked for a tool instead of answering.",
        }
        if self.finish in wrong:
            raise ModelError(wrong[self.finish], retry_after=None if self.finish else again)
        if not self._characters:
            raise ModelError(f"The model at {server} sent an empty reply.")

    def _whole(self, body: Any) -> str:
        """The text of a reply that came in one piece from a server that does not stream."""
        from rag.llm.faults import malformed

        choices = body.get("choices") if isinstance(body, Mapping) else None
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            raise malformed(self._server)
        self._count(body.get("usage"))
        self.finish = choices[0].get("finish_reason") or "stop"
        message = choices[0].get("message")
        text = message.get("content") if isinstance(message, Mapping) else None
        return self._text(text if isinstance(text, str) else "")

    def _chunk(self, chunk: Any) -> list[str]:
        self._count(getattr(chunk, "usage", None))
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list) or not choices:
            return []
        choice = choices[0]
        delta = getattr(choice, "delta", None)
        finish = getattr(choice, "finish_reason", None)
        self.finish = finish if isinstance(finish, str) and finish else self.finish
        said = [getattr(delta, name, None) for name in ("content", "refusal")]
        thought = [getattr(delta, name, None) for name in ("reasoning_content", "reasoning")]
        text = "".join(part for part in said if isinstance(part, str))
        alive = text or self.finish or any(isinstance(part, str) and part for part in thought)
        return [self._text(text)] if alive else []

    def _text(self, text: str) -> str:
        self._characters += len(text)
        if self._characters > LONGEST:
            raise ModelError("The model's reply has no end and was cut.")
        return self._thoughts.without(text)

    def _count(self, usage: Any) -> None:
        """Add the tokens that a server says it took so far: once at the end, or with every chunk."""
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            value = usage.get(name) if isinstance(usage, Mapping) else getattr(usage, name, None)
            if isinstance(value, int):
                self._usage[name] = self._usage.get(name, 0) + value - self._counted.get(name, 0)
                self._counted[name] = value


class Thoughts:
    """Takes out what a reasoning model thinks aloud, in `<think>` tags, before it answers."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking: bool | None = None

    def without(self, text: str) -> str:
        """Return what is left of the next piece; how a reply is cut into pieces changes nothing."""
        if self._thinking is False:
            return text
        self._held += text
        if self._thinking is None:
            begun = self._held.lstrip()
            if _OPEN.startswith(begun):
                return ""
            self._thinking = begun.startswith(_OPEN)
        if self._thinking:
            before, found, after = self._held.partition(_CLOSE)
            if not found:
                self._held = before[-len(_CLOSE) :]
                return ""
            self._held = after
        self._thinking = False
        return self._held
