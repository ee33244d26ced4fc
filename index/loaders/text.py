"""Plain text: the file is the text."""

from __future__ import annotations

from pathlib import PurePosixPath

from index.dates import document_date
from index.loaders.encoding import decode
from index.loaders.parts import first_line
from index.types import Document


def load(file: str, data: bytes) -> Document:
    """Return the file decoded; its title is the first line that is not only a date."""
    text = decode(data)
    title = first_line(text) or PurePosixPath(file).name
    return Document(file=file, text=text, title=title, date=document_date(text))
