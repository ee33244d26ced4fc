"""What stands between the network and the app: who may ask, from which page, and how much."""

from __future__ import annotations

import hmac
import ipaddress
import json
import re
import socket
from base64 import b64decode
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ui.incidents import note

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Nothing a document says can make the browser load from or talk to another host. Gradio's page
# starts from inline scripts, hence 'unsafe-inline'; it needs no 'unsafe-eval'.
CONTENT_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = [
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_HOST = re.compile(r"(?:([a-z0-9._-]+)|\[([0-9a-f:.]+)\])(?::\d{1,5})?")
_BODY_LIMIT = 1_000_000
"""Bytes of one request; a question is at most a few thousand."""
# The page uploads nothing and links no files; the file route would also fetch from the web
# (`file=http…`), and the proxy route from other servers.
_CLOSED = (
    "/upload",
    "/file=",
    "/file/",
    "/proxy=",
    "/stream/",
    "/monitoring",
    "/dev/reload",
    "/custom_component/",
)
_FOR_PROGRAMS = re.compile(r"/(?:v1|mcp)(?:/|$)")
_STARTED = "/gradio_api/startup-events"
"""Gradio asks its own server for this once, as anybody; it does nothing a second time."""


def is_for_program(scope: Scope) -> bool:
    """Return whether a program, not a browser, asks for this."""
    return bool(_FOR_PROGRAMS.match(scope["path"]))


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Hosts:
    """What a browser may call us by when we listen on `host`.

    Without such a list a foreign page could reach us under its own name, by pointing that name at
    this machine (DNS rebinding). An address cannot be pointed elsewhere, so on a network any will do.
    """

    def __init__(self, host: str) -> None:
        self._names = {"localhost", "127.0.0.1", "::1", host.lower()}
        self._any_address = not is_loopback(host)
        if self._any_address:
            machine = socket.gethostname().lower()
            self._names |= {machine, f"{machine}.local"}

    def __contains__(self, header: str) -> bool:
        """Return whether a `Host` header, with or without a port, names us."""
        found = _HOST.fullmatch(header.lower())
        name = (found[1] or found[2]) if found else ""
        return name in self._names or (self._any_address and _is_address(name))


class RefusedError(Exception):
    """A request that does not get through; holds the status and a sentence.

    Args:
        status: Of HTTP.
        reason: A sentence for people.
        code: The reason as one word, where OpenAI has one.
        param: The field of the request that is at fault.
    """

    def __init__(self, status: int, reason: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.code, self.param = status, reason, code, param

    def to_dict(self) -> dict[str, Any]:
        """Return what OpenAI's clients read."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {"error": {"message": self.reason, "type": kind, "param": self.param, "code": self.code}}


class Guard:
    """Around an app: refuse foreign hosts, origins and closed routes; add the security headers.

    With a token, only those who send it get through: programs as `Authorization: Bearer`, browsers, which
    ask for a password, as `Basic` with any name.

    It has to be the outermost layer. Among Gradio's middleware it would stand behind the one that
    answers cross-origin preflights, and on a network address that one welcomes every origin.
    """

    def __init__(self, app: App, hosts: Hosts, token: str | None = None) -> None:
        self.app = app
        self.hosts = hosts
        self._token = token.encode() if token else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        try:
            self._check(scope)
            await self.app(scope, _limited(receive), _with_headers(send))
        except RefusedError as refusal:
            await _refuse(scope, send, refusal)
        except Exception as error:  # noqa: BLE001 - the client has had a bare 500, the log gets the rest
            note(f"{scope['type']} request for {scope['path']} failed", error)

    def _check(self, scope: Scope) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if host not in self.hosts:
            raise RefusedError(421, "This address is not one that Footnote answers to.")
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise RefusedError(403, "Requests from other sites are refused.")
        if scope["path"] != _STARTED and not self._admits(headers.get(b"authorization", "")):
            raise RefusedError(401, "The token is missing or wrong.", code="invalid_api_key")
        path = unquote(unquote(scope["path"])).lower()
        if any(closed in path for closed in _CLOSED):
            raise RefusedError(404, "Not found.")
        if int(headers.get(b"content-length") or 0) > _BODY_LIMIT:
            raise RefusedError(413, "The request is too large.")

    def _admits(self, authorization: str) -> bool:
        scheme, _, given = authorization.encode("latin-1").partition(b" ")
        if scheme.lower() == b"basic":
            given = _password(given)
        elif scheme.lower() != b"bearer":
            given = b""
        return not self._token or hmac.compare_digest(given.strip(), self._token)


def _password(credentials: bytes) -> bytes:
    try:
        return b64decode(credentials, validate=True).partition(b":")[2]
    except ValueError:
        return b""


def _limited(receive: Receive) -> Receive:
    """Count what is received, whatever length the request claimed to have."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > _BODY_LIMIT:
            raise RefusedError(413, "The request is too large.")
        return message

    return counted


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            names = {name for name, _ in _HEADERS}
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in names]
            message = {**message, "headers": [*kept, *_HEADERS]}
        await send(message)

    return sending


async def _refuse(scope: Scope, send: Send, refusal: RefusedError) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    program = is_for_program(scope)
    body = (json.dumps(refusal.to_dict()) if program else refusal.reason).encode()
    kind = b"application/json" if program else b"text/plain; charset=utf-8"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    if refusal.status == 401:
        challenge = b"Bearer" if program else b'Basic realm="Footnote", charset="UTF-8"'
        headers.append((b"www-authenticate", challenge))
    start = {"type": "http.response.start", "status": refusal.status, "headers": headers}
    await _with_headers(send)(start)
    await send({"type": "http.response.body", "body": body})
