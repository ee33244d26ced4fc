"""Files that give different answers to the same question, so that both sides can be shown.

Two sentences of different files disagree only when the question has one answer at a time, both answers are of
the kind it asks for, nothing in them is the same, and neither file has the other's answer beside its own. Words
that could mean the same thing in two ways, as places and descriptions do, are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

from index.dates import mentions
from index.text import content_terms, terms
from rag.checks.quantities import WRITTEN
from rag.evidence import Evidence
from rag.question import Kind, Question

MOST = 3
"""Largest number of sides."""
HEDGED = 20
"""Characters before an amount in which `about` and the like belong to it."""

_ONCE = (
    r"(?:born|die[ds]?|buil[dt]|found(?:ed)?|establish(?:ed)?|open(?:s|ed)?|close[sd]?|beg[aiu]n|start(?:s|ed)?|end(?:s|ed)?"
    r"|finish(?:ed)?|completed?|sign(?:ed)?|t[ao]o?ken? place|happen(?:ed)?|held|invent(?:ed)?|discover(?:ed)?|publish(?:ed)?"
    r"|wr(?:ite|ote|itten)|design(?:ed)?|composed?|paint(?:ed)?|direct(?:ed)?|w[io]n|marr(?:y|ied)|due|launch(?:ed)?|created?)"
)
_THE = r"(?:(?:now |currently )?(?:the|its|their|our|my|your|his|her|[\w.]+['’]s|\w+ (?:of|for|at))\b)"
_when = re.compile(
    rf"\b(?:when|(?:what|which) (?:year|month|day|date|time))\b(?!.*\ban?\b)(?:.*\b{_ONCE}\b|\W+(?:is|was) {_THE})",
    re.IGNORECASE,
)
_who = re.compile(
    rf"\b(?:who|which \w+) (?:{_ONCE}|leads?|led|runs?|heads?|owns?|chairs?)\b|\bwho(?:['’]s| is| was| became) {_THE}",
    re.IGNORECASE,
)
_what = re.compile(
    rf"\bhow (?:many|much|long|old|tall|high|far|big|large|heavy|deep|wide|fast)\b|\b(?:what|which)(?:['’]s| is| was) {_THE}",
    re.IGNORECASE,
)
_hedged = re.compile(
    r"\b(?:about|around|roughly|approximately|some|nearly|almost|over|under|up to|than|at least|at most|circa|ca)\b|~",
    re.IGNORECASE,
)
_no_longer = re.compile(
    r"\b(?:former|ex|late|previous|outgoing|acting|deputy|vice|then|next|first|second)\b", re.IGNORECASE
)
_described = re.compile(r"\W*(?:the|an?|his|her|its|their|this|that)\b", re.IGNORECASE)
_number = re.compile(r"\b\d[\d,]*(?:[.:]\d+)?")
_capital = re.compile(r"\b[^\W\d_a-z][\w’'-]*")


def sides(question: Question, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return sentences whose answers disagree, each of another file.

    Args:
        question: What is asked.
        evidence: What passes as an answer, the best first.

    Returns:
        The best evidence and, in order, at most `MOST - 1` others that contradict all before them;
        empty when the files do not disagree.
    """
    found: list[Evidence] = []
    for item in evidence if question.kind is Kind.FACT else ():
        if len(found) < MOST and all(_disagree(question, item, other) for other in found):
            found.append(item)
    return found if len(found) > 1 else []


def _disagree(question: Question, one: Evidence, other: Evidence) -> bool:
    if one.source.chunk.file == other.source.chunk.file or not _same_subject(question, (one, other)):
        return False
    if _when.search(question.text):
        return _dates_differ(one, other)
    if _who.search(question.text):
        return _names_differ(question, one, other)
    if _what.search(question.text):
        return _amounts_differ(one, other) or _names_differ(question, one, other)
    return False


def _same_subject(question: Question, both: Sequence[Evidence]) -> bool:
    """Whether both speak of every name and number in the question, at the same time."""
    named = set(
        content_terms(" ".join(_capital.findall(question.query[1:]) + _number.findall(question.query)))
    )
    return all(
        named <= set(content_terms(f"{item.source.chunk.title} {item.source.chunk.text}"))
        and set(_no_longer.findall(item.text.lower())) <= set(_no_longer.findall(question.text.lower()))
        for item in both
    )


def _dates_differ(one: Evidence, other: Evidence) -> bool:
    """Whether answers name dates that cannot be the same, or times of day."""
    dates, others = mentions(one.words), mentions(other.words)
    if not dates or not others:
        return not dates and not others and _amounts_differ(one, other)
    beside, others_beside = mentions(one.source.chunk.text), mentions(other.source.chunk.text)
    said_beside = any(a.holds(b) for a, b in [*product(dates, others_beside), *product(others, beside)])
    return not said_beside and all(a.excludes(b) for a, b in product(dates, others))


def _amounts_differ(one: Evidence, other: Evidence) -> bool:
    """Whether answers give other numbers of the same unit."""
    amounts, units = _amounts(one.words)
    others, other_units = _amounts(other.words)
    if (
        len(amounts) != 1
        or len(others) != 1
        or _hedged.search(_before(one))
        or _hedged.search(_before(other))
    ):
        return False
    beside, others_beside = _amounts(one.source.chunk.text)[0], _amounts(other.source.chunk.text)[0]
    alike = bool(units & other_units) or units == other_units
    return alike and not amounts & others_beside and not others & beside


def _amounts(text: str) -> tuple[set[float], set[str]]:
    """The numbers in a text, and its other words."""
    numbers = {float(number.replace(",", "").replace(":", ".")) for number in _number.findall(text)}
    words = set(re.findall(r"[^\W\d_]+|[%$€£]", text.lower()))
    numbers |= {float(WRITTEN.index(word)) for word in words & set(WRITTEN)}
    return numbers, set(terms(" ".join(words - set(WRITTEN)))) | words & set("%$€£")


def _names_differ(question: Question, one: Evidence, other: Evidence) -> bool:
    """Whether answers are names that have nothing in common."""
    names, others = _names(question, one), _names(question, other)
    beside, others_beside = set(terms(one.source.chunk.text)), set(terms(other.source.chunk.text))
    return bool(names and others) and not names & others_beside and not others & beside


def _names(question: Question, evidence: Evidence) -> set[str]:
    """The capitalised words of an answer that the question does not have; empty when it is a description."""
    answer = evidence.words
    if _described.match(answer):
        return set()
    return set(terms(" ".join(_capital.findall(answer)))) - set(terms(question.query))


def _before(evidence: Evidence) -> str:
    """The words that answer, with the `HEDGED` characters before them."""
    start, end = evidence.answer or (evidence.span[0], evidence.span[0])
    shift = evidence.source.chunk.start
    return evidence.source.chunk.text[max(0, start - HEDGED - shift) : end - shift]
