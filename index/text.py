"""Words and sentences: the only ideas about language that the index has."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from sentencex import get_sentence_boundaries

from index.types import Span

if TYPE_CHECKING:
    from tantivy import TextAnalyzer

MAX_SENTENCE = 1000
"""Longer "sentences" (tables, minified text) are cut at a space so that a chunk stays bounded."""
MAX_WRAP = 160
"""Lines longer than this are whole paragraphs, so their ends are never a wrapped line."""

_UNSPACED = r"[぀-ヿ㐀-䶿一-鿿豈-﫿]"
_unspaced_run = re.compile(f"{_UNSPACED}+")
_line = re.compile(r"[^\r\n]+")
_quoted_part = re.compile(r"[」』](?=と(?!ても|ころ|にかく)|って|など|の|を)")
"""A Japanese quotation that its sentence goes on after."""
_list_item = re.compile(r"\s*(?:[-*•–#>|]|\d{1,3}[.)]\s)")


def terms(text: str) -> list[str]:
    """Return the words of a text as they are compared: NFKC, lower case, without accents, stemmed.

    Chinese and Japanese, which have no spaces, give their pairs of neighbouring characters.
    """
    return _analyzer(False).analyze(searchable(text))


def content_terms(text: str) -> list[str]:
    """Return the `terms` of a text that carry meaning: English function words are left out."""
    return _analyzer(True).analyze(searchable(text))


def searchable(text: str) -> str:
    """Return the text in the form from which `terms` are made."""
    return _unspaced_run.sub(_pairs, unicodedata.normalize("NFKC", text))


def _pairs(run: re.Match[str]) -> str:
    characters = run.group()
    pairs = [characters[i : i + 2] for i in range(len(characters) - 1)] or [characters]
    return f" {' '.join(pairs)} "


def new_analyzer(content_only: bool) -> TextAnalyzer:
    """Return the analyzer that `terms` and the word index share."""
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase()).filter(Filter.ascii_fold())
    if content_only:
        builder = builder.filter(Filter.stopword("english"))
    return builder.filter(Filter.stemmer("english")).build()


def plain_analyzer() -> TextAnalyzer:
    """Return the analyzer that keeps words as they are spelt, in lower case."""
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase()).build()


_analyzer = cache(new_analyzer)


def sentences(text: str) -> list[Span]:
    """Return the spans of all sentences, in order, without surrounding space.

    Headings and list items count as sentences. Every character that is not space lies in exactly
    one span, and no span is longer than `MAX_SENTENCE`; a text without words gives an empty list.
    """
    return [span for block in blocks(text) for span in block]


def blocks(text: str) -> list[list[Span]]:
    """Return the sentences of each paragraph, heading or list item."""
    found = []
    for start, end in _block_spans(text):
        flat = text[start:end].replace("\n", " ").replace("\r", " ")
        marker = _list_item.match(flat)
        first = marker.end() if marker else 0
        cuts = [cut for cut in _boundaries(flat) if cut > first and not _inside(flat, cut)]
        edges = [0, *cuts, len(flat)]
        pieces = (_trim(text, start + left, start + right) for left, right in pairwise(edges))
        if spans := [span for piece in pieces for span in _bounded(text, piece)]:
            found.append(spans)
    return found


def _boundaries(text: str) -> list[int]:
    return [boundary["end_index"] for boundary in get_sentence_boundaries("en", text)]


def _inside(text: str, cut: int) -> bool:
    """Whether a boundary is none: no space follows its full stop, as in `non-U.S.`, or its sentence goes on."""
    if not 0 < cut < len(text):
        return False
    return (text[cut - 1] == "." and not text[cut].isspace()) or bool(_quoted_part.match(text, cut - 1))


def _block_spans(text: str) -> list[Span]:
    """Runs of lines that belong together: a line ends a block unless it was only wrapped there."""
    lines = [match.span() for match in _line.finditer(text)]
    width = max((end - start for start, end in lines), default=0)
    spans: list[Span] = []
    previous = 0, 0
    for start, end in lines:
        if not text[start:end].strip():
            continue
        if spans and _wrapped(text, previous, (start, end), width):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
        previous = start, end
    return spans


def _wrapped(text: str, previous: Span, line: Span, width: int) -> bool:
    """Whether a line goes on with the one above: its first word would not have fitted there."""
    if width > MAX_WRAP or text[previous[1] : line[0]] not in ("\n", "\r\n", "\r"):
        return False
    content = text[line[0] : line[1]]
    if _list_item.match(content):
        return False
    return previous[1] - previous[0] + 1 + len(content.split(maxsplit=1)[0]) > width


def _trim(text: str, start: int, end: int) -> Span:
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())


def _bounded(text: str, span: Span) -> list[Span]:
    start, end = span
    pieces: list[Span] = []
    while end - start > MAX_SENTENCE:
        cut = text.rfind(" ", start + 1, start + MAX_SENTENCE)
        cut = cut if cut > start else start + MAX_SENTENCE
        pieces.append(_trim(text, start, cut))
        start = cut
        while text[start].isspace():
            start += 1
    if end > start:
        pieces.append((start, end))
    return pieces
