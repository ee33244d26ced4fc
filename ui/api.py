"""OpenAI's chat protocol: any program that speaks it can ask the documents.

The last message of the user is the question, earlier ones are the history. What has no meaning here
(temperature, tools, messages of the system) is ignored; what would be promised and not kept (several
choices, JSON, pictures) is refused.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from rag import Answer, Completed, Event, TextDelta, Turn
from ui.desk import BusyError, Desk
from ui.footer import footer, without_footer
from ui.guard import RefusedError
from ui.incidents import note

MODEL = "footnote"
"""The one name to ask for, whatever writes the answers."""
_MESSAGES = 1_000
_UNCACHED = {"cache-control": "no-cache"}


class Part(BaseModel):
    """A piece of a message."""

    type: str
    text: str = ""


class Message(BaseModel):
    """What one side has said."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    def text(self) -> str:
        """Return the words of the message."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: bool = False


class Format(BaseModel):
    """The form of the text that is wanted."""

    type: str = "text"


class ChatRequest(BaseModel):
    """What of a request counts here; other fields are ignored."""

    model: str
    messages: list[Message] = Field(max_length=_MESSAGES)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = 1
    response_format: Format | None = None

    def conversation(self) -> tuple[str, list[Turn]]:
        """Return the question, and the earlier turns that were answered.

        Raises:
            RefusedError: If nobody asks, or with something else than words.
        """
        turns: list[Turn] = []
        for place, message in enumerate(self.messages):
            if message.role == "user":
                _check_words(message, f"messages.{place}.content")
                turns.append((message.text(), ""))
            elif message.role == "assistant" and turns:
                turns[-1] = turns[-1][0], without_footer(message.text())
        if not turns:
            raise RefusedError(400, "There is no message of a user, so nothing is asked.", param="messages")
        *earlier, (question, _) = turns
        return question, [turn for turn in earlier if turn[1]]


def build_api(desk: Desk) -> Starlette:
    """Return the app for everything under `/v1`."""
    chat = _Chat(desk)
    return Starlette(
        routes=[
            Route("/chat/completions", chat.complete, methods=["POST"]),
            Route("/models", chat.models),
            Route("/models/{model}", chat.model),
        ],
        exception_handlers={RefusedError: _refused, HTTPException: _no_route},
    )


class _Chat:
    """The endpoints."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._card = {"id": MODEL, "object": "model", "created": int(time.time()), "owned_by": "footnote"}

    async def models(self, _: Request) -> Response:
        return _json({"object": "list", "data": [self._card]})

    async def model(self, request: Request) -> Response:
        _check_model(request.path_params["model"])
        return _json(self._card)

    async def complete(self, request: Request) -> Response:
        wanted = await _read(request)
        question, history = wanted.conversation()
        try:
            if not wanted.stream:
                return _json(_completion(await self._desk.ask(question, history)))
            events = self._desk.stream(question, history)
            first = await anext(events)  # what fails until here has a status of its own
        except Exception as error:
            raise _failure(error) from error
        usage = bool(wanted.stream_options and wanted.stream_options.include_usage)
        return StreamingResponse(_sse(first, events, usage), 200, _UNCACHED, "text/event-stream")


async def _read(request: Request) -> ChatRequest:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "The request has to be JSON, sent as application/json.")
    try:
        wanted = ChatRequest.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or None
        raise RefusedError(400, f"{place or 'The request'}: {first['msg']}.", param=place) from None
    _check_model(wanted.model)
    if wanted.n not in (None, 1):
        raise RefusedError(400, "There is one answer to a question: `n` can only be 1.", param="n")
    if wanted.response_format and wanted.response_format.type != "text":
        raise RefusedError(400, "Answers are text, not JSON.", param="response_format")
    return wanted


def _check_model(name: str) -> None:
    if name != MODEL:
        reason = f"There is no such model here: the only one is “{MODEL}”."
        raise RefusedError(404, reason, code="model_not_found", param="model")


def _check_words(message: Message, place: str) -> None:
    parts = message.content if isinstance(message.content, list) else []
    if any(part.type != "text" for part in parts):
        raise RefusedError(400, "A question can only be asked in words.", param=place)


def _completion(answer: Answer) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.text + footer(answer), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    head = _head("chat.completion")
    return {**head, "choices": [choice], "usage": _usage(answer), "footnote": answer.to_dict()}


def _head(kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": MODEL}


def _usage(answer: Answer) -> dict[str, int]:
    prompt, completion = (answer.usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens"))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


async def _sse(first: Event, rest: AsyncGenerator[Event], usage: bool) -> AsyncIterator[str]:
    """Yield an answer as server-sent events; once the status is sent, a failure can only be one of them."""
    try:
        async with aclosing(rest):
            async for chunk in _chunks(first, rest, usage):
                yield f"data: {json.dumps(chunk)}\n\n"
    except Exception as error:  # noqa: BLE001 - whatever it is, the stream must not look finished
        yield f"data: {json.dumps(_failure(error).to_dict())}\n\n"
    else:
        yield "data: [DONE]\n\n"


async def _chunks(first: Event, rest: AsyncGenerator[Event], usage: bool) -> AsyncIterator[dict[str, Any]]:
    head = _head("chat.completion.chunk")

    def chunk(delta: Mapping[str, str], end: str | None = None, **more: object) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": end}
        return {**head, "choices": [choice], **({"usage": None} if usage else {}), **more}

    yield chunk({"role": "assistant", "content": ""})
    event = first
    while not isinstance(event, Completed):
        if isinstance(event, TextDelta) and event.text:
            yield chunk({"content": event.text})
        event = await anext(rest)
    answer = event.answer
    if under := footer(answer):
        yield chunk({"content": under})
    yield chunk({}, end="stop", footnote=answer.to_dict())
    if usage:
        yield {**head, "choices": [], "usage": _usage(answer)}


def _failure(error: Exception) -> RefusedError:
    if isinstance(error, BusyError):
        return RefusedError(429, str(error), code="rate_limit_exceeded")
    number = note("a question of another program failed", error)
    return RefusedError(500, f"The answer failed. Error {number} in the log says why.")


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, RefusedError)
    return _json(refusal.to_dict(), refusal.status)


async def _no_route(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _json(RefusedError(error.status_code, f"{error.detail}.").to_dict(), error.status_code)


def _json(content: object, status: int = 200) -> Response:
    """Return plain ASCII, in which whatever a file's name is made of can be sent."""
    return Response(json.dumps(content), status, media_type="application/json")
