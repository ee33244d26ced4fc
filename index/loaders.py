"""Files to documents. A new format is one more entry in `LOADERS`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from index.dates import document_date
from index.errors import LoadError
from index.types import Document

LOADER = "text-2"
"""Raised whenever the text, title or date of an unchanged file would differ."""
MAX_BYTES = 50_000_000
TITLE_CHARACTERS = 120

_heading = re.compile(r"^#{1,6}[ \t]+(\S.*)$", re.MULTILINE)
_control = re.compile(r"[\x00-\x08\x0e-\x1f]")


def load(file: str, data: bytes) -> Document:
    """Return the document that a file holds.

    Args:
        file: Its path relative to the corpus folder, with `/` separators; the suffix decides how
            it is read.
        data: Its bytes.

    Raises:
        LoadError: If the format is not known, or the bytes are not what the suffix says. The
            message is a reason that can stand after the file's name.
    """
    suffix = PurePosixPath(file).suffix.lower()
    if suffix not in LOADERS:
        raise LoadError(f"{suffix or 'a file without a suffix'} is not a format that can be read yet")
    if len(data) > MAX_BYTES:
        raise LoadError(f"larger than {MAX_BYTES // 1_000_000} MB")
    return LOADERS[suffix](file, data)


def _load_text(file: str, data: bytes) -> Document:
    text = _decode(data)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    title = _shorten(first) or PurePosixPath(file).name
    return Document(file=file, text=text, title=title, date=document_date(text))


def _load_markdown(file: str, data: bytes) -> Document:
    document = _load_text(file, data)
    heading = _heading.search(document.text)
    if not heading:
        return document
    return replace(document, title=_shorten(_unclosed(heading.group(1))) or document.title)


def _unclosed(heading: str) -> str:
    """A heading without the `#` signs that may close it, which stand after a space."""
    heading = heading.rstrip()
    bare = heading.rstrip("#")
    return bare if bare.endswith((" ", "\t")) else heading


def _decode(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if b"\0" in data[:8192]:
            raise LoadError("a binary file, not text") from error
        raise LoadError(f"not UTF-8 text (byte {error.start}): save it as UTF-8") from error
    if "\0" in text or len(_control.findall(text[:8192])) > len(text[:8192]) // 50:
        raise LoadError("a binary file, not text")
    if not text.strip():
        raise LoadError("it holds no text")
    return text


def _shorten(line: str) -> str:
    line = line.lstrip("# ").strip()
    if len(line) <= TITLE_CHARACTERS:
        return line
    return line[:TITLE_CHARACTERS].rsplit(" ", 1)[0] + " …"


LOADERS: dict[str, Callable[[str, bytes], Document]] = {
    ".txt": _load_text,
    ".md": _load_markdown,
    ".markdown": _load_markdown,
}
