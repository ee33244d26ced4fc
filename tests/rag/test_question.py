"""What a question asks for, and the questions inside it."""

from __future__ import annotations

import pytest

from index import Chunk, ScoredChunk
from rag.evidence import ELSEWHERE, Evidence, nearby
from rag.question import Kind, understand


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Who baked the bread?", Kind.FACT),
        ("When was the lighthouse built?", Kind.FACT),
        ("What do the files say about the ferry?", Kind.LIST),
        ("List the bakers.", Kind.LIST),
        ("Which reasons were given?", Kind.LIST),
        ("What are these files about?", Kind.SUMMARY),
        ("tl;dr of the ferry story", Kind.SUMMARY),
        ("Sum up the report.", Kind.SUMMARY),
    ],
)
def test_kinds(text: str, kind: Kind) -> None:
    assert understand(text).kind is kind


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Who baked the bread?", ["Who baked the bread?"]),
        ("Who baked the bread and the cake?", ["Who baked the bread and the cake?"]),
        ("When did Ann sail, and how long was the trip?", ["When did Ann sail", "how long was the trip?"]),
        ("Who is Ann Lee? Where does Bo live?", ["Who is Ann Lee", "Where does Bo live?"]),
    ],
)
def test_parts(text: str, parts: list[str]) -> None:
    assert [part.text for part in understand(text).parts()] == parts


def test_only_a_part_without_a_name_of_its_own_refers_to_the_first() -> None:
    _, trip = understand("When did Ann sail, and how long was the trip?").parts()
    assert trip.refers
    assert trip.query == "how long was the trip? (When did Ann sail)"
    _, home = understand("Who is Ann Lee? Where does Bo live?").parts()
    assert not home.refers


def evidence(chunk: int, score: float) -> Evidence:
    text = f"Sentence of chunk {chunk}."
    place = Chunk(
        id=chunk, file="a.txt", title="A", start=0, end=len(text), text=text, sentences=((0, len(text)),)
    )
    source = ScoredChunk(chunk=place, score=0.0, similarity=0.0, bm25=0.0)
    return Evidence(source=source, span=(0, len(text)), answer=None, score=score, coverage=0.0)


def test_what_stands_where_the_other_part_is_answered_comes_first() -> None:
    here, there = evidence(1, 0.3), evidence(2, 0.5)
    first, second = nearby([there, here], [evidence(1, 0.9), evidence(2, 0.01)])
    assert first == here
    assert second.score == pytest.approx(0.5 * ELSEWHERE)
