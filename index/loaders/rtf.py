"""Rich text."""

from __future__ import annotations

import re

from striprtf.striprtf import rtf_to_text

from index.errors import LoadError
from index.loaders.parts import clean, document
from index.types import Document

_title = re.compile(r"\{\\info.{0,1000}?\{\\title ([^{}\\]{1,300})\}", re.DOTALL)
_code_page = re.compile(r"\\ansicpg(\d{3,5})")


def load(file: str, data: bytes) -> Document:
    """Return the text without its formats."""
    if not data.lstrip().startswith(b"{\\rtf"):
        raise LoadError("not an RTF file")
    source = data.decode("latin-1")
    page = _code_page.search(source)
    text = rtf_to_text(source, encoding=f"cp{page[1]}" if page else "cp1252", errors="strict")
    title = _title.search(source)
    return document(file, clean(text), title=title and title[1])
