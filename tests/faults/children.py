"""Child processes that may be killed, or crash, without taking the tests with them.

They are forked from a server that has imported the libraries but opened nothing, so that starting one
takes milliseconds.
"""

from __future__ import annotations

import multiprocessing
import resource
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from index import FootnoteError

TIMEOUT = 120.0
"""Seconds after which a child counts as hanging."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["chromadb", "tantivy", "index.vectors", "tests.faults.library"])


class DeadError(Exception):
    """A child ended without an answer: killed, crashed, or hanging."""


class Child:
    """A function that runs in a process of its own, beginning now.

    Args:
        function: Found by its name in its module; it gets the arguments.
        arguments: Anything that can be pickled.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._connection, answers = _context.Pipe(duplex=False)
        self.process = _context.Process(target=_answer, args=(answers, function, arguments), daemon=True)
        self.process.start()
        answers.close()

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    @property
    def pid(self) -> int:
        assert self.process.pid
        return self.process.pid

    def kill(self, signal: str = "SIGKILL") -> int:
        """End it at once and return its exit code, which is negative if the signal came in time."""
        self.process.kill() if signal == "SIGKILL" else self.process.terminate()
        self.process.join(TIMEOUT)
        assert self.process.exitcode is not None
        self._connection.close()
        return self.process.exitcode

    def result(self, timeout: float = TIMEOUT) -> Any:
        """Wait for what the function returns.

        Raises:
            FootnoteError: What it raised for people to read.
            DeadError: If it died, hung or raised anything else.
        """
        try:
            if not self._connection.poll(timeout):
                self.kill()
                raise DeadError(f"no answer within {timeout:.0f} seconds")
            value, error = self._connection.recv()
        except EOFError as end:
            self.process.join(TIMEOUT)
            raise DeadError(f"exit code {self.process.exitcode}") from end
        self._connection.close()
        self.process.join(TIMEOUT)
        if isinstance(error, FootnoteError):
            raise error
        if error:
            raise DeadError(error)
        return value


def in_child(function: Callable[..., Any], *arguments: Any, timeout: float = TIMEOUT) -> Any:
    """Return what a function returns in a process of its own; see `Child.result`."""
    return Child(function, *arguments).result(timeout)


def peak_memory() -> float:
    """The most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _answer(answers: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        answers.send((function(*arguments), None))
    except FootnoteError as error:
        answers.send((None, error))
    except BaseException:  # noqa: BLE001
        answers.send((None, traceback.format_exc()))
