"""Footnote markers and the passages behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index import ScoredChunk, Span
from rag.types import Citation, Claim

Passage = tuple[ScoredChunk, Span]
"""A stretch of a retrieved chunk."""

_special = re.compile(r"[\\`*_\[\]<>|~$]|&(?=#?\w+;)")
_space = re.compile(r"\s+")
_block = re.compile(r"^(?=[#+=-])|^(\d+)(?=[.)](?:\s|$))")


def plain_markdown(text: str) -> str:
    """Return a document's words as Markdown that shows them as they are, on one line.

    Nothing in a document can become formatting, a link, HTML or a footnote marker.
    """
    return _block.sub(r"\1\\", _inline(text).strip())


def bold_markdown(text: str, bold: Span) -> str:
    """Return a document's words as `plain_markdown` does, those from `bold[0]` to `bold[1]` in bold.

    Words are marked from the first to the last letter or digit, where Markdown allows it everywhere.
    """
    letters = [place for place in range(*bold) if text[place].isalnum()]
    if not letters:
        return plain_markdown(text)
    first, last = letters[0], letters[-1] + 1
    marked = f"{_inline(text[:first])}**{_inline(text[first:last])}**{_inline(text[last:])}"
    return _block.sub(r"\1\\", marked.strip())


def _inline(text: str) -> str:
    return _special.sub(r"\\\g<0>", _space.sub(" ", text))


class Draft:
    """An answer while it is being written: its text, its claims and their footnotes."""

    def __init__(self) -> None:
        self.text = ""
        self.claims: list[Claim] = []
        self.citations: list[Citation] = []
        self._numbers: dict[tuple[str, Span], int] = {}

    def say(self, text: str) -> str:
        """Add words that claim nothing about the documents; return what was added."""
        self.text += text
        return text

    def claim(self, text: str, passages: Sequence[Passage]) -> str:
        """Add a statement with the passages it rests on; return what was added.

        Args:
            text: The statement, as Markdown.
            passages: At least one.
        """
        numbers = tuple(dict.fromkeys(self._cite(source, span) for source, span in passages))
        start = len(self.text)
        self.claims.append(
            Claim(text=text, start=start, end=start + len(text), citations=numbers, verdict="supported")
        )
        return self.say(f"{text} {''.join(f'[{number}]' for number in numbers)}")

    def _cite(self, source: ScoredChunk, span: Span) -> int:
        chunk = source.chunk
        key = (chunk.file, span)
        if key not in self._numbers:
            self._numbers[key] = number = len(self.citations) + 1
            self.citations.append(
                Citation(
                    number=number,
                    file=chunk.file,
                    title=chunk.title,
                    date=chunk.date,
                    page=chunk.page,
                    start=span[0],
                    end=span[1],
                    quote=chunk.sentence(span),
                )
            )
        return self._numbers[key]
