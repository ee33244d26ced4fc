"""No test reaches the network, the user's cache or the user's settings."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import Any

import pytest

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
LOOPBACK = ("127.", "::1", "localhost")


class NetworkBlockedError(RuntimeError):
    """A test tried to reach another machine."""


def _cache() -> str:
    """One cache for all workers of a run, so that the model's graph is made once."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir(), f"footnote-tests-{run}")
    folder.mkdir(exist_ok=True)
    return str(folder)


os.environ["XDG_CACHE_HOME"] = _cache()
for name in list(os.environ):
    if name.startswith(("FOOTNOTE_", "OPENAI_", "GRADIO_")):
        del os.environ[name]


def _guarded(name: str) -> Any:
    original = getattr(socket.socket, name)

    def guarded(self: socket.socket, address: Any, *args: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(LOOPBACK):
            raise NetworkBlockedError(f"A test tried to reach {address}.")
        return original(self, address, *args)

    return guarded


for method in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, method, _guarded(method))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """An empty folder of documents."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder
