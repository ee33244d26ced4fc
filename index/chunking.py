"""Documents to chunks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from index.boilerplate import is_boilerplate
from index.text import blocks
from index.types import Document, Span

CHUNKER = "sentences-4"
"""Raised whenever the chunks of an unchanged document would differ."""
MAX_CHARACTERS = 450
"""Size a chunk may grow to; a single longer sentence is a chunk of its own."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk before it has a number."""

    start: int
    end: int
    sentences: tuple[Span, ...]
    page: int | None
    boilerplate: bool = False


def split(document: Document) -> list[Piece]:
    """Return the chunks of a document, in order.

    Each is a run of whole sentences of at most `MAX_CHARACTERS`, broken between paragraphs where
    possible; together they hold every sentence exactly once. Pages share no chunk, and boilerplate
    shares none with the text. A document without text has none.
    """

    def kind(block: list[Span]) -> tuple[int | None, bool]:
        return _page(document, block[0][0]), is_boilerplate(document.text[block[0][0] : block[-1][1]])

    return [
        Piece(run[0][0], run[-1][1], tuple(run), _page(document, run[0][0]), boilerplate)
        for (_, boilerplate), paragraphs in groupby(blocks(document.text), kind)
        for run in _runs(paragraphs)
    ]


def _runs(paragraphs: Iterable[list[Span]]) -> Iterator[list[Span]]:
    run: list[Span] = []
    for paragraph in paragraphs:
        if run and paragraph[-1][1] - run[0][0] > MAX_CHARACTERS:
            yield run
            run = []
        for span in paragraph:
            if run and span[1] - run[0][0] > MAX_CHARACTERS:
                yield run
                run = []
            run.append(span)
    if run:
        yield run


def _page(document: Document, start: int) -> int | None:
    return bisect_right(document.page_starts, start) if document.page_starts else None
