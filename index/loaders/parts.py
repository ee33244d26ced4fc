"""What the readers of all formats share: clean text, titles, rows of tables."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import PurePosixPath

from index.dates import document_date
from index.errors import LoadError
from index.types import Document

TITLE_CHARACTERS = 120
HEAD = 12
"""A title stands in one of so many first lines, or nowhere."""

_unseen = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters that are not shown; those that join letters or emoji (U+200C, U+200D) are not among them."""
_newlines = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_gaps = re.compile(r"\n{3,}")
_iso = re.compile(r"\s*(\d{4}-\d\d-\d\d)(?!\d)")
_value = re.compile(r"(?!(?:19|20)\d\d$)[\W_]*\d[\W\d_]*")
"""A number, amount or date, but not a year: that can name a column."""


def clean(text: str) -> str:
    """Return a text without characters that nobody sees, with single newlines and no gaps between lines."""
    lines = _newlines.sub("\n", _unseen.sub("", text)).split("\n")
    return _gaps.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()


def shorten(line: str) -> str:
    """Return a line as a title: without the signs of a heading, cut between words."""
    line = " ".join(line.lstrip("# ").split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    return line[:TITLE_CHARACTERS].rsplit(" ", 1)[0] + " …"


def first_line(text: str) -> str:
    """Return the first line that says more than a date, as a title; empty when there is none."""
    lines = islice((line for line in _lines(text) if any(map(str.isalnum, line))), HEAD)
    return next((shorten(line) for line in lines if not document_date(line)), "")


def _lines(text: str) -> Iterator[str]:
    """The lines of a text one by one: a title needs only a few of a long one."""
    return (match[0].strip() for match in re.finditer(r"[^\r\n]+", text))


def iso_date(text: str) -> datetime.date | None:
    """Return the day with which a text begins, written as 2024-05-03; None when it begins otherwise."""
    match = _iso.match(text)
    try:
        return datetime.date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def document(
    file: str,
    text: str,
    *,
    title: str | None = None,
    date: datetime.date | None = None,
    page_starts: tuple[int, ...] = (),
) -> Document:
    """Return the document of an extracted text.

    Args:
        file: Its path.
        text: What was found in it, `clean`.
        title: What its metadata call it.
        date: Its date, if known; else what the text says.
        page_starts: Where its pages begin.

    Raises:
        LoadError: If there is no text.
    """
    if not text.strip():
        raise LoadError("it holds no text")
    name = PurePosixPath(file).name
    return Document(
        file=file,
        text=text,
        title=shorten(clean(title or "")) or first_line(text) or name,
        date=date or document_date(text),
        page_starts=page_starts,
    )


def paged(pages: Iterable[str]) -> tuple[str, tuple[int, ...]]:
    """Return the text of all pages, a blank line between them, and where each begins."""
    text, starts = [], []
    length = 0
    for page in map(clean, pages):
        starts.append(length)
        if page:
            text += [page, "\n\n"]
            length += len(page) + 2
    whole = "".join(text).rstrip("\n")
    return whole, tuple(min(start, len(whole)) for start in starts)


def rows_as_lines(rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield each row of a table as a line that can be understood alone: `column: value; column: value`.

    The first row with several cells names the columns, unless one of its cells is a number, or empty (but for the corner).
    A row with one cell is that cell; a table without names of columns gives its cells alone.
    """
    header: list[str] | None = None
    unused = False
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row]
        filled = [cell for cell in cells if cell]
        if header is None and len(filled) > 1:
            named = all(cells[1:]) and not any(map(_value.fullmatch, filled))
            header = cells if named else []
            if unused := bool(header):
                continue
        if header and len(filled) > 1:
            unused = False
            yield "; ".join(_labelled(cells, header))
        elif filled:
            yield "; ".join(filled)
    if unused and header:
        yield "; ".join(header)


def _labelled(cells: list[str], header: list[str]) -> Iterator[str]:
    for number, cell in enumerate(cells):
        name = header[number] if number < len(header) else ""
        if cell:
            yield f"{name}: {cell}" if name else cell
