"""Source code, settings and logs: the file is the text, and its name the title."""

from __future__ import annotations

from pathlib import PurePosixPath

from index.loaders.encoding import decode
from index.types import Document


def load(file: str, data: bytes) -> Document:
    """Return the file decoded; dates in code are not when it was written."""
    return Document(file=file, text=decode(data), title=PurePosixPath(file).name)
