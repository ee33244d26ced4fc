"""What the index hands to everyone else: documents, chunks, and chunks with a score."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Span = tuple[int, int]
"""Start and end of a stretch of a document's text, in characters, the end excluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file, read: its text exactly as citations will quote it."""

    file: str
    """Path relative to the corpus folder, with `/` separators."""
    text: str
    """The whole text; offsets everywhere count its characters."""
    title: str
    """The heading a reader would know it by; the file's name where the text has none."""
    date: datetime.date | None = None
    """The day it says it was last written; None when it does not say so."""
    page_starts: tuple[int, ...] = ()
    """Where each page begins in `text`, in order; empty for formats without pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A few neighbouring whole sentences of one document: the unit that is searched."""

    id: int
    """Number of the chunk in the index; stable until its document changes."""
    file: str
    """Path of its document, relative to the corpus folder."""
    title: str
    """Title of its document."""
    date: datetime.date | None = None
    """Date of its document; None when the document does not give one."""
    start: int
    """Offset of its first character in the document."""
    end: int
    """Offset just after its last character."""
    text: str
    """Equal to `document.text[start:end]`."""
    sentences: tuple[Span, ...]
    """Spans of its sentences in the document, in order, without surrounding space."""
    page: int | None = None
    """Page the chunk starts on, counted from 1; None for formats without pages."""
    boilerplate: bool = False
    """Whether it belongs to the page that carries the text, such as a cookie banner, and not to the text."""

    def sentence(self, span: Span) -> str:
        """Return the text of one of its spans."""
        return self.text[span[0] - self.start : span[1] - self.start]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredChunk:
    """A chunk and how well it matches a query."""

    chunk: Chunk
    score: float
    """Fused score; higher is better, comparable only within one search."""
    similarity: float
    """Cosine of query and chunk vectors, -1 to 1."""
    bm25: float
    """BM25 score of the query's words in the chunk; 0 when none occurs."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data."""
        chunk = self.chunk
        return {
            "file": chunk.file,
            "title": chunk.title,
            "date": chunk.date and chunk.date.isoformat(),
            "page": chunk.page,
            "start": chunk.start,
            "end": chunk.end,
            "text": chunk.text,
            "score": self.score,
            "similarity": self.similarity,
            "bm25": self.bm25,
        }


Stage = Literal["checking", "reading", "embedding"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync has come."""

    stage: Stage
    """The folder is looked through; new and changed files are read; what was read gets its vectors."""
    done: int
    """Files read, or texts embedded, so far."""
    total: int
    """How many there are to do in this stage; 0 while that is not known."""
    file: str = ""
    """The file at hand, if there is one."""


OnProgress = Callable[[Progress], None]
