"""Lists in documents: a sentence that introduces one answers only together with its items."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.evidence import Evidence
from rag.question import Kind, Question

MOST = 8
"""Largest number of items."""
BETWEEN = 3
"""An item can go on for so many sentences before the next one begins."""

_item = re.compile(r"\s*(?:[-*+•‣·–—]|\(?(?:\d{1,3}|[a-z])[.)])\s")
_bullet = re.compile(r"\s*[-*+•‣·–—]\s+(?=\S)")
_lead_in = re.compile(r"[:：][\s*_]*$")


def block(question: Question, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return the list that the best evidence belongs to, in the order of the document.

    Args:
        question: One that asks for several things gets all items when one of them is the best evidence.
        evidence: All sentences that were read, the best first.

    Returns:
        The sentence that introduces the list, if it was read, and its items; empty when the best
        evidence is no part of a list.
    """
    best = evidence[0]
    lines = {item.span: item for item in evidence if item.source.chunk.file == best.source.chunk.file}
    before = [lines[span] for span in sorted(lines) if span < best.span]
    after = [lines[span] for span in sorted(lines) if span > best.span]
    if _lead_in.search(best.text):
        items = _items(after)
        return [best, *items[:MOST]] if items else []
    if question.kind is not Kind.LIST or not _item.match(best.text):
        return []
    above = _items(before[::-1])[::-1]
    first = above[0] if above else best
    lead_in = [item for item in before if item.span < first.span][-1:]
    lead_in = [item for item in lead_in if _lead_in.search(item.text)]
    return [*lead_in, *[*above, best, *_items(after)][:MOST]]


def bullet(text: str) -> int:
    """Return how many characters at the beginning of a text only mark it as an item; numbers stay."""
    found = _bullet.match(text)
    return found.end() if found else 0


def _items(lines: Sequence[Evidence]) -> list[Evidence]:
    """The items among some lines, as far as they follow each other."""
    found: list[Evidence] = []
    since = 0
    for line in lines:
        since = 0 if _item.match(line.text) else since + 1
        if since > BETWEEN or _lead_in.search(line.text):
            break
        if not since:
            found.append(line)
    return found
