"""The real server, on a free port of this machine."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

GRADIO_WARNINGS = [
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""What it does with pandas, and with event loops it never closes."""


@contextmanager
def serving(assistant: Any) -> Iterator[str]:
    """Serve an assistant and give the address; the environment is put back at the end."""
    before = dict(os.environ)
    from ui import environment

    environment.prepare()
    from ui.server import Server

    try:
        with Server(assistant, host="127.0.0.1", port=0, open_browser=False) as server:
            yield server.url
    finally:
        os.environ.clear()
        os.environ.update(before)
        gc.collect()  # so that Gradio's leftovers complain here and not in somebody else's test
