"""Answers in the documents' own words: the sentences that answer, each with its footnote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from index.text import content_terms
from rag import disagreement, lists
from rag.abstention import Judgement
from rag.citations import Draft, bold_markdown, plain_markdown
from rag.evidence import Evidence
from rag.question import Kind
from rag.timeline import by_date, origin, timely

NAME = "extractive"
SAME = 0.8
"""Sentences that share this part of the shorter one's words say the same thing: one claim, several footnotes."""
KEEP = {Kind.FACT: 0.6, Kind.LIST: 0.4, Kind.SUMMARY: 0.0}
"""A further sentence is added when its score reaches this share of the best one's."""
MOST = 0.5
"""Words that answer are not marked when they are a larger share of their sentence than this."""
DISPUTED = 0.5
"""A sentence of another file that disagrees is shown when its score reaches this share of the best one's."""
LENGTH = {Kind.FACT: 2, Kind.LIST: 5, Kind.SUMMARY: 6}
"""Largest number of points."""

Point = list[Evidence]
"""Sentences that say the same thing, the best first."""


def write(parts: Sequence[Judgement], draft: Draft) -> Iterator[str]:
    """Write an answer into a draft, yielding its text point by point.

    Args:
        parts: What was found for each part of the question; at least one part has an answer.
        draft: Where the text, claims and citations go.
    """
    points: list[Point] = []
    disputes: list[list[Evidence]] = []
    for part in parts:
        if part.reason:
            continue
        if sides := disagreement.sides(part.question, _comparable(part, DISPUTED)):
            disputes.append(by_date(sides))
        else:
            points += choose(part, points)
    points = [
        point for point in points if not any(_same(point[0], side) for sides in disputes for side in sides)
    ]
    for number, point in enumerate(points):
        bullet = draft.say("\n- " if number else "- ") if len(points) > 1 else ""
        yield bullet + _state(point, draft)
    for sides in disputes:
        yield from _show_sides(sides, draft)
    missing = [part.question.text.strip(" ?") for part in parts if part.reason]
    if missing:
        yield draft.say("\n\nThe documents do not say: " + "; ".join(map(plain_markdown, missing)) + ".")


def choose(part: Judgement, said: Sequence[Point] = ()) -> list[Point]:
    """Return the points that answer, the best first, without those already said: few for a fact, several for a list."""
    kind = part.question.kind
    listed = lists.block(part.question, part.evidence)
    points: list[Point] = []
    for evidence in [*listed, *_comparable(part, KEEP[kind])]:
        if any(_same(point[0], evidence) for point in said):
            continue
        same = next((point for point in points if _same(point[0], evidence)), None)
        if same:
            same.append(evidence)
        elif len(points) < max(LENGTH[kind], len(listed)):
            points.append([evidence])
    return points


def _comparable(part: Judgement, share: float) -> list[Evidence]:
    """The evidence whose score reaches a share of the best one's, in the order that the question wants."""
    enough = [evidence for evidence in part.evidence if evidence.score >= part.evidence[0].score * share]
    return timely(part.question, enough)


def _same(one: Evidence, other: Evidence) -> bool:
    """Whether two sentences say the same thing: in much the same words, and not with other numbers."""
    words, others = set(content_terms(one.text)), set(content_terms(other.text))
    if any(word.isdigit() for word in words - others) and any(word.isdigit() for word in others - words):
        return False
    return len(words & others) >= SAME * max(1, min(len(words), len(others)))


def _state(point: Point, draft: Draft) -> str:
    return draft.claim(_marked(point[0]), [(evidence.source, evidence.span) for evidence in point])


def _show_sides(sides: Sequence[Evidence], draft: Draft) -> Iterator[str]:
    yield draft.say("\n\nThe documents differ:" if draft.text else "The documents differ:")
    for side in sides:
        yield draft.say(f"\n- {plain_markdown(origin(side))}: ") + _state([side], draft)


def _marked(evidence: Evidence) -> str:
    """A sentence without the bullet of a list, with the words that answer in bold, unless they are most of it."""
    bullet = lists.bullet(evidence.text)
    text, start = evidence.text[bullet:], evidence.span[0] + bullet
    first, last = evidence.answer or (start, start)
    if first < start or last - first > MOST * len(text):
        return plain_markdown(text)
    return bold_markdown(text, (first - start, last - start))
