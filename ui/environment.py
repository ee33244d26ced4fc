"""What has to be true of the process before Gradio is imported."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_PREFIX = "GRADIO_"


def prepare() -> None:
    """Take every Gradio setting out of the environment and put ours in.

    Gradio reads share links, extra file paths, an MCP server and more from `GRADIO_*`
    variables, some at import, and prefers them to empty arguments. A variable left over from
    another project must not open this one, so all of them go.
    """
    folder = os.environ.get("GRADIO_TEMP_DIR", "")
    for name in [name for name in os.environ if name.startswith(_PREFIX)]:
        del os.environ[name]
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = folder if folder in _made else _private_folder()


_made: set[str] = set()


def _private_folder() -> str:
    """Make a folder that only this user can read and that goes when the process ends."""
    folder = tempfile.mkdtemp(prefix="footnote-")
    _made.add(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
