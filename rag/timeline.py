"""Time: when evidence is from, and which of it a question about time wants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from index.dates import mentions
from index.text import content_terms
from rag.evidence import Evidence
from rag.question import Order, Question

PAST = 0.4
"""What is left of a score when a sentence speaks of a former holder, and the question of the present one."""

_former = re.compile(
    r"\b(?:former|late(?!\W+(?:\d|in\b))|ex|previous|then(?=-)|outgoing)\b[\W_]((?:\W*\w+){1,3})",
    re.IGNORECASE,
)
_holds = re.compile(r"\b(?:who|which \w+)(?:['’]s| is| are)\b", re.IGNORECASE)


def present(question: Question, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return evidence, best first, with sentences on a former holder counted down when a question asks who it is now."""
    if not _holds.search(question.text) or _former.search(question.text):
        return list(evidence)
    weighed = (
        replace(item, score=item.score * PAST) if _is_past(question, item) else item for item in evidence
    )
    return sorted(weighed, key=lambda item: (-item.score, item.source.chunk.file, item.span))


def _is_past(question: Question, evidence: Evidence) -> bool:
    """Whether a word for the past stands just before a word of the question."""
    asked = set(content_terms(question.text))
    return any(asked & set(content_terms(found[1])) for found in _former.finditer(evidence.text))


def timely(question: Question, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return sentences that answer about as well as one another in the order that a question wants."""
    return list(evidence) if question.order is Order.ANY else by_date(evidence, question.order)


def by_date(evidence: Sequence[Evidence], order: Order = Order.NEWEST) -> list[Evidence]:
    """Return evidence with the sentences of dated documents in order, in the places that such sentences had.

    Nothing is known of the others, so they stay where they are.
    """
    dated = [(item.source.chunk.date, item) for item in evidence if item.source.chunk.date]
    ordered = iter(sorted(dated, key=lambda pair: pair[0], reverse=order is Order.NEWEST))
    return [next(ordered)[1] if item.source.chunk.date else item for item in evidence]


def origin(evidence: Evidence) -> str:
    """Return which document a sentence is from, and when: its date, else a date that stands near, else nothing."""
    chunk = evidence.source.chunk
    name = chunk.file if chunk.title.strip(" …") in evidence.text else chunk.title
    if chunk.date:
        return f"{name} ({chunk.date})"
    clue = _clue(evidence)
    return f"{name} (mentions {clue})" if clue else name


def _clue(evidence: Evidence) -> str:
    """The words for the latest year, or else for some date, that a sentence or its chunk names beside its answer."""
    chunk = evidence.source.chunk
    start, end = (place - chunk.start for place in evidence.answer or evidence.span)
    named = [mention for mention in mentions(chunk.text) if not start <= mention.span[0] < end]
    first, last = (place - chunk.start for place in evidence.span)
    named = [mention for mention in named if first <= mention.span[0] < last] or named
    if not named:
        return ""
    latest = max(named, key=lambda mention: mention.year or 0)
    return chunk.text[slice(*latest.span)]
