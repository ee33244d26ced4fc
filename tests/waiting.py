"""Waiting for what other threads and processes do, no longer than it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SECONDS = 30.0
"""What takes longer has failed, even on a busy machine."""


def until(look: Callable[[], T], seconds: float = SECONDS) -> T:
    """Look again and again until there is something to see, and return it."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, f"{look} did not come true in {seconds:.0f} s"
        threading.Event().wait(0.02)
    return seen


def threads(*names: str) -> list[threading.Thread]:
    """Return the threads of this process whose names begin so."""
    return [thread for thread in threading.enumerate() if thread.name.startswith(names)]
