"""PDF: the text of each page, its lines joined to paragraphs again."""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterator

from pypdf import PdfReader
from pypdf.errors import FileNotDecryptedError, LimitReachedError, WrongPasswordError

from index.dates import document_date
from index.errors import LoadError
from index.loaders.parts import clean, document, paged
from index.types import Document

FULL = 0.8
"""A line of so much of the page's usual width was ended by the margin, not by its writer."""
NARROW = 40
"""No column is narrower, in Latin characters."""
HYPHENS = ("-", "‐")

_word = re.compile(r"[^\W\d_]+(?:[-‐][^\W\d_]+)*")
_list_item = re.compile(r"(?:[-*•–▪◦]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_unspaced = re.compile(r"[぀-ヿ㐀-鿿]")
_useless_title = re.compile(
    r"(?:untitled|microsoft word|powerpoint|document\d*|slide \d)\b|.*\.\w{2,4}$", re.IGNORECASE
)


def load(file: str, data: bytes) -> Document:
    """Return the text of all pages, with where each begins.

    Raises:
        LoadError: If a password is needed, or no page has text.
    """
    start = data.find(b"%PDF-", 0, 1024)
    if start < 0:
        raise LoadError("not a PDF file")
    try:
        reader = PdfReader(io.BytesIO(data[start:]))
        pages = [page.extract_text() for page in reader.pages]
    except (FileNotDecryptedError, WrongPasswordError) as error:
        raise LoadError("a PDF that asks for a password: save it without one") from error
    except LimitReachedError as error:
        raise LoadError("a PDF that unpacks to more than can be read") from error
    words = {word for page in pages for word in _word.findall(page)}
    text, starts = paged("\n".join(_paragraphs(clean(page).splitlines(), words)) for page in pages)
    if not any(map(str.isalnum, text)):
        raise LoadError(
            f"no text on {len(starts)} pages: perhaps a scan, which would need text recognition first"
        )
    title, date = _metadata(reader)
    return document(file, text, title=title, date=document_date(text) or date, page_starts=starts)


def _paragraphs(lines: list[str], words: set[str]) -> Iterator[str]:
    """The lines of a page, those that only the margin ended joined."""
    widths = sorted(_width(line) for line in lines if line.strip())
    usual = max(NARROW, widths[len(widths) * 3 // 4]) if widths else NARROW
    whole, last = "", ""
    for line in map(str.strip, lines):
        if last and line and _goes_on(last, line, usual):
            whole = _join(whole, line, words)
        else:
            if whole or not line:
                yield whole
            whole = line
        last = line
    yield whole


def _goes_on(last: str, line: str, usual: int) -> bool:
    if _list_item.match(line):
        return False
    if line[0].islower() or _cut_word(last):
        return True
    first = line[:1] if _unspaced.match(line) else line.split(maxsplit=1)[0]
    return _width(last) + 1 + _width(first) > FULL * usual


def _width(line: str) -> int:
    """How wide a line is, in Latin characters."""
    return len(line) + len(_unspaced.findall(line))


def _join(whole: str, line: str, words: set[str]) -> str:
    cut, rest = _cut_word(whole), _word.match(line)
    if cut and rest and line[0].islower():
        # The hyphen stays if the word is written with it in another place, and not without.
        joined = cut + rest[0]
        hyphenated = {f"{cut}{hyphen}{rest[0]}" for hyphen in HYPHENS}
        return (whole if hyphenated & words and joined not in words else whole[:-1]) + line
    unspaced = _unspaced.match(whole[-1:]) and _unspaced.match(line)
    return f"{whole}{line}" if unspaced or cut else f"{whole} {line}"


def _cut_word(line: str) -> str:
    """The part of a word with which a line ends before a hyphen; empty when it does not."""
    return line[:-1].split()[-1] if line.endswith(HYPHENS) and line[-2:-1].isalpha() else ""


def _metadata(reader: PdfReader) -> tuple[str, datetime.date | None]:
    """The title and the date that the file gives of itself; they may be missing or nonsense."""
    try:
        about = reader.metadata
        title = (about and about.title) or ""
        moment = about and (about.modification_date or about.creation_date)
    except Exception:  # noqa: BLE001 - damaged metadata are none
        return "", None
    return "" if _useless_title.match(title) else title, moment.date() if moment else None
