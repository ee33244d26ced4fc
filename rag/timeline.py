"""Time: when evidence is from, and which of it a question about time wants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from index.dates import Mention, mentions
from index.text import content_terms
from rag.evidence import Evidence
from rag.question import Question

PAST = 0.4
"""What is left of a score when a sentence speaks of a former holder, and the question of the present one."""

_new = re.compile(
    r"\b(?:now|nowadays|today|current(?:ly)?|present(?:ly)?|latest|newest|most recent(?:ly)?|at the moment|these days|up to date)\b",
    re.IGNORECASE,
)
_old = re.compile(
    r"\b(?:originally|initially|at first|(?:earliest|oldest|first) (?:report|article|note|document|file|entry|version))\b",
    re.IGNORECASE,
)
_former = re.compile(r"\b(?:former|late|ex|previous|then|outgoing)\b[\W_]((?:\W*\w+){1,3})", re.IGNORECASE)
_is_now = re.compile(r"\b(?:who|which \w+)(?:['’]s| is| are)\b|\bcurrent", re.IGNORECASE)
_bound = re.compile(r"\b(before|after|since)\W+(?:the )?$", re.IGNORECASE)


def present(question: Question, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return evidence, best first, with sentences on a former holder counted down when a question asks who it is now."""
    if not _is_now.search(question.text) or _former.search(question.text):
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
    """Return the evidence that a question about time wants, the most wanted first.

    Questions about now take dated documents newest first, those about the beginning oldest first; only dated
    ones change places, as nothing is known of the others. What is plainly not `before`, `after` or `since` a
    date that the question names is left out, unless that leaves nothing. Other questions change nothing.

    Args:
        question: What is asked.
        evidence: Sentences that answer about as well as one another, the best first.
    """
    found = list(evidence)
    for mention in mentions(question.text):
        bound = _bound.search(question.text[: mention.span[0]])
        if bound and mention.year:
            found = [item for item in found if not _outside(item, bound[1].lower(), mention)] or found
    if _new.search(question.text):
        return by_date(found)
    return by_date(found, oldest_first=True) if _old.search(question.text) else found


def by_date(evidence: Sequence[Evidence], *, oldest_first: bool = False) -> list[Evidence]:
    """Return evidence with what has a date ordered by it, newest first, in the places such evidence had."""
    dated = [(item.source.chunk.date, item) for item in evidence if item.source.chunk.date]
    ordered = iter(sorted(dated, key=lambda pair: pair[0], reverse=not oldest_first))
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


def _outside(evidence: Evidence, side: str, bound: Mention) -> bool:
    """Whether a sentence tells only of times on the wrong side; one without a date may be too old for `after`."""
    years = [mention for mention in mentions(evidence.text) if mention.year]
    written = evidence.source.chunk.date
    if years:
        return not any(_fits(mention, side, bound) for mention in years)
    return side != "before" and written is not None and written.timetuple()[:3] < _first(bound)


def _fits(mention: Mention, side: str, bound: Mention) -> bool:
    match side:
        case "before":
            return _first(mention) < _first(bound)
        case "since":
            return _last(mention) >= _first(bound)
        case _:
            return _last(mention) > _last(bound)


def _first(mention: Mention) -> tuple[int, ...]:
    """The first day that a date with a year can mean, as year, month and day."""
    return mention.year or 0, mention.month or 1, mention.day or 1


def _last(mention: Mention) -> tuple[int, ...]:
    return mention.year or 0, mention.month or 12, mention.day or 31
