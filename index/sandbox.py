"""Files that a parser has to take apart are read in a process of their own, within bounds.

Whatever a file does to its parser, it stays one file that cannot be read: the process ends, the reason
is told, and the next file gets a new one.
"""

from __future__ import annotations

import datetime
import json
import os
import resource
import signal
import struct
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from index.errors import LoadError
from index.loaders import HARMLESS, format_of, load, unread
from index.types import Document

SECONDS = 30
"""A file that is not read by then is given up."""
MEMORY = 512_000_000
"""Bytes that the process may take, itself included."""
WORN = MEMORY // 2
"""A process that still holds so much after a file makes room for a new one, which has all of it."""

SERVE = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from index.sandbox import serve; serve()"

_LENGTH = struct.Struct(">Q")
_STATM = Path("/proc/self/statm")


class Sandbox:
    """Reads files as `index.loaders.load` does, from one thread; it may hold a process, so it has to be closed."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def load(self, file: str, data: bytes) -> Document:
        """Return the document that a file holds; plain text is read here, everything else in the process.

        Raises:
            LoadError: As `index.loaders.load`, and if reading takes more than `SECONDS` or `MEMORY`.
        """
        if format_of(file) in HARMLESS or unread(file, len(data)):
            return load(file, data)
        try:
            answer = self._ask(file, data)
        except BaseException:
            self.close()  # Else its answer would be taken for the next file's.
            raise
        if answer["last"]:
            self.close()
        if answer["reason"]:
            raise LoadError(answer["reason"])
        return _document(answer["document"])

    def close(self) -> None:
        """End the process, if there is one; the next file starts another."""
        if self._child:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def _ask(self, file: str, data: bytes) -> dict[str, Any]:
        if not self._child or self._child.poll() is not None:
            self.close()
            self._child = _start()
        requests, answers = self._child.stdin, self._child.stdout
        assert requests
        assert answers
        try:
            _send(requests, file.encode())
            _send(requests, data)
            answer: dict[str, Any] = json.loads(_receive(answers))
        except (BrokenPipeError, EOFError):
            late = self._child.wait() == -signal.SIGALRM
            reason = f"reading it takes longer than {SECONDS} seconds" if late else "its reader broke down"
            return {"document": None, "reason": reason, "last": True}
        return answer


def _start() -> subprocess.Popen[bytes]:
    # -P: a file in the working folder must not be taken for a module.
    command = [sys.executable, "-P", "-c", SERVE]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def serve() -> None:
    """Read the files that come on standard input, until it ends, as it does when the parent has gone."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # What a parser prints is no answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent decides what Ctrl-C ends.
    _bound()
    answer: dict[str, Any] = {"last": False}
    while not answer["last"]:
        try:
            file, data = _receive(sys.stdin.buffer).decode(), _receive(sys.stdin.buffer)
        except EOFError:
            return
        signal.alarm(SECONDS)
        answer = _answer(file, data)
        signal.alarm(0)
        _send(answers, json.dumps(answer).encode())


def _bound() -> None:
    """Bound the memory: what libraries have mapped but do not use does not count."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    mapped, used = _memory()
    if mapped:
        resource.setrlimit(resource.RLIMIT_AS, (mapped - used + MEMORY, resource.RLIM_INFINITY))


def _memory() -> tuple[int, int]:
    """Bytes that are mapped and bytes that are used; zeros where the system does not say."""
    pages = _STATM.read_text().split() if _STATM.exists() else (0, 0)
    return int(pages[0]) * resource.getpagesize(), int(pages[1]) * resource.getpagesize()


def _answer(file: str, data: bytes) -> dict[str, Any]:
    document, reason, last = None, None, False
    try:
        document = _plain(load(file, data))
    except LoadError as error:
        reason = str(error)
    except MemoryError:
        reason, last = f"reading it takes more than {MEMORY // 1_000_000} MB of memory", True
    return {"document": document, "reason": reason, "last": last or _memory()[1] > WORN}


def _plain(document: Document) -> dict[str, Any]:
    return asdict(document) | {"date": document.date and document.date.isoformat()}


def _document(plain: dict[str, Any]) -> Document:
    date = plain["date"] and datetime.date.fromisoformat(plain["date"])
    return Document(**plain | {"date": date, "page_starts": tuple(plain["page_starts"])})


def _send(stream: IO[bytes], message: bytes) -> None:
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes:
    length = stream.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        raise EOFError
    message = stream.read(_LENGTH.unpack(length)[0])
    if len(message) < _LENGTH.unpack(length)[0]:
        raise EOFError
    return message
