"""A model's server on loopback that says what a test tells it to, byte for byte."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rag import Assistant, Settings, load_settings
from rag.llm.model import ServerModel

Reply = Callable[["Handler"], None]
"""Writes the answer to one request."""
DONE = b"data: [DONE]\n\n"


def event(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One chunk of a streamed chat completion, as OpenAI sends it."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps({**chunk, **more})}\n\n".encode()


def events(pieces: Iterable[str], finish: str | None = "stop", usage: bool = True) -> list[bytes]:
    """A whole streamed reply, one chunk a piece."""
    tokens = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    return [
        event({"role": "assistant", "content": ""}),
        *(event({"content": piece}) for piece in pieces),
        event(finish=finish),
        *([event(choices=[], usage=tokens)] if usage else []),
        DONE,
    ]


def says(*pieces: str, finish: str | None = "stop") -> Reply:
    """Reply with a text, cut into these pieces."""
    return sends(*events(pieces, finish))


def sends(*parts: bytes, kind: str = "text/event-stream", status: int = 200) -> Reply:
    """Reply with these bytes, then close."""

    def reply(handler: Handler) -> None:
        handler.begin(kind, status)
        for part in parts:
            handler.put(part)

    return reply


def fails(
    status: int, code: str = "", message: str = "Bearer sk-canary in /secret/place", **headers: str
) -> Reply:
    """Reply with an HTTP error whose body repeats the key, as some servers do."""

    def reply(handler: Handler) -> None:
        handler.begin("application/json", status, headers)
        handler.put(json.dumps({"error": {"message": message, "code": code}}).encode())

    return reply


def stalls(*parts: bytes, headers: bool = True) -> Reply:
    """Send these bytes and then nothing, until the client goes."""

    def reply(handler: Handler) -> None:
        if headers:
            handler.begin("text/event-stream", 200)
        for part in parts:
            handler.put(part)
        handler.wait_for_the_client_to_go()

    return reply


def repeats(part: bytes) -> Reply:
    """Send the same bytes for ever, until the client goes."""

    def reply(handler: Handler) -> None:
        handler.begin("text/event-stream", 200)
        while handler.put(part):
            pass

    return reply


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.model.looks += 1
        self.begin("application/json", 200)
        self.put(json.dumps({"object": "list", "data": self.server.model.offered}).encode())

    def do_POST(self) -> None:
        model = self.server.model
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        model.asked.append(json.loads(body))
        model.keys.append(str(self.headers.get("authorization")))
        model.arrived.set()
        reply = model.script.pop(0) if len(model.script) > 1 else model.script[0]
        reply(self)
        self.close_connection = True

    def begin(self, kind: str, status: int, headers: dict[str, str] | None = None) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        for name, value in (headers or {}).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def put(self, part: bytes) -> bool:
        """Send some bytes; False once the client has gone."""
        try:
            self.wfile.write(part)
            self.wfile.flush()
        except OSError:
            self.server.model.gone.set()
            return False
        return True

    def wait_for_the_client_to_go(self) -> None:
        try:
            while self.connection.recv(1024):
                pass
        except OSError:
            pass
        self.server.model.gone.set()

    def log_message(self, *_: Any) -> None:
        """Say nothing on standard error."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    model: ModelServer

    def handle_error(self, *_: Any) -> None:
        """A client that goes is no error here."""


class ModelServer:
    """What a test sees of the server."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self.script: list[Reply] = [says("NO ANSWER")]
        """What is replied, in order; the last one again and again."""
        self.offered: list[dict[str, Any]] = [{"id": "tiny", "object": "model"}]
        """What the list of models holds."""
        self.asked: list[dict[str, Any]] = []
        """The requests' bodies."""
        self.keys: list[str] = []
        self.looks = 0
        """How often the list of models was asked for."""
        self.arrived = threading.Event()
        """Set once a reply is asked for."""
        self.gone = threading.Event()
        """Set once a client has closed the connection before the reply's end."""

    def settings(self, **more: Any) -> Settings:
        """Settings with which this server writes the answers."""
        given = {"base_url": self.url, "model": "tiny", "api_key": "sk-canary", "context_window": 8192}
        return load_settings(**{**given, **more})

    @property
    def prompt(self) -> str:
        """The last request's messages."""
        return "\n".join(message["content"] for message in self.asked[-1]["messages"])

    def number(self, sentence: str) -> int:
        """The number under which the last prompt shows a sentence."""
        return next(
            int(line[1:].partition("]")[0])
            for line in self.prompt.splitlines()
            if line.endswith(f"] {sentence}")
        )


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Run a server for the time of a block."""
    server = Server(("127.0.0.1", 0), Handler)
    server.model = ModelServer(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def writing(bot: Assistant, server: ModelServer, **more: Any) -> Assistant:
    """The same assistant, its answers written by this server's model."""
    other = copy(bot)
    other.settings = server.settings(**more)
    other.model = ServerModel(other.settings)
    return other
