"""Answers in the documents' own words: the sentences that answer, each with its footnote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.citations import Draft, plain_markdown
from rag.question import Kind, Question
from rag.reader import ReadSentence

NAME = "extractive"
SAME = 0.9
"""Sentences whose vectors are this close say the same thing: one claim, several footnotes."""
KEEP = {Kind.FACT: 0.8, Kind.LIST: 0.4, Kind.SUMMARY: 0.0}
"""A further sentence is added when its score reaches this share of the best one's."""
LENGTH = {Kind.FACT: 2, Kind.LIST: 5, Kind.SUMMARY: 6}
"""Largest number of points."""

Point = list[ReadSentence]
"""Sentences that say the same thing, the best first."""


def write(question: Question, sentences: Sequence[ReadSentence], draft: Draft) -> Iterator[str]:
    """Write an answer into a draft, yielding its text point by point.

    Args:
        question: What to answer.
        sentences: What was read, best first; at least one.
        draft: Where the text, claims and citations go.
    """
    points = choose(question, sentences)
    if len(points) == 1:
        yield _state(points[0], draft)
        return
    for number, point in enumerate(points):
        bullet = draft.say("\n- " if number else "- ")
        yield bullet + _state(point, draft)


def choose(question: Question, sentences: Sequence[ReadSentence]) -> list[Point]:
    """Return the points that answer, the best first: few for a fact, several for a list."""
    enough = sentences[0].score * KEEP[question.kind]
    points: list[Point] = []
    for sentence in sentences:
        if sentence.score < enough:
            break
        same = next((point for point in points if _same(point[0], sentence)), None)
        if same:
            same.append(sentence)
        elif len(points) < LENGTH[question.kind]:
            points.append([sentence])
    return points


def _same(one: ReadSentence, other: ReadSentence) -> bool:
    return float(one.vector @ other.vector) >= SAME


def _state(point: Point, draft: Draft) -> str:
    return draft.claim(
        plain_markdown(point[0].text), [(sentence.source, sentence.span) for sentence in point]
    )
