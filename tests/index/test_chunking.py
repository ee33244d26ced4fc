from __future__ import annotations

from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.chunking import MAX_CHARACTERS, Piece, split
from index.text import sentences
from index.types import Document
from tests.index.strategies import LAW, texts


def chunks(text: str, page_starts: tuple[int, ...] = ()) -> list[Piece]:
    return split(Document(file="a.txt", text=text, title="A", page_starts=page_starts))


def holds_the_laws(text: str) -> bool:
    pieces = chunks(text)
    assert [span for piece in pieces for span in piece.sentences] == sentences(text)
    for piece in pieces:
        assert (piece.start, piece.end) == (piece.sentences[0][0], piece.sentences[-1][1])
        assert piece.end - piece.start <= MAX_CHARACTERS or len(piece.sentences) == 1
    return True


@LAW
@given(texts)
def test_chunks_hold_every_sentence_once_and_stay_small(text: str) -> None:
    assert holds_the_laws(text)
    assert chunks(text) == chunks(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 5_000_000, id="one line without a space"),
        pytest.param("a few words " * 400_000, id="one line without a full stop"),
        pytest.param("short line\n" * 10_000, id="short lines"),
        pytest.param("- item\n" * 10_000, id="list"),
        pytest.param(("word " * 14 + "\n") * 10_000, id="one wrapped paragraph"),
        pytest.param("\n" * 1_000_000 + "end", id="blank lines"),
    ],
)
def test_huge_texts_are_chunked_in_time(text: str) -> None:
    assert holds_the_laws(text)


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_no_text_no_chunks(text: str) -> None:
    assert chunks(text) == []


def test_a_chunk_ends_between_paragraphs_where_it_can() -> None:
    paragraph = "Five words make a sentence. " * 15
    text = f"{paragraph.strip()}\n\n{paragraph.strip()}"
    assert [text[piece.start : piece.end] for piece in chunks(text)] == [paragraph.strip()] * 2


def test_short_paragraphs_share_a_chunk() -> None:
    text = "Heading\n\nOne.\n\nTwo."
    assert [(piece.start, piece.end) for piece in chunks(text)] == [(0, len(text))]


def test_a_chunk_knows_the_page_it_starts_on() -> None:
    pages = ["First page. " * 30, "Second page. " * 90, "", "Fourth page. " * 70]
    starts = tuple(sum(map(len, pages[:number])) for number in range(len(pages)))
    pieces = chunks("".join(pages), starts)
    assert {piece.page for piece in pieces} == {1, 2, 4}
    for piece in pieces:
        assert piece.page == bisect_right(starts, piece.start)
    assert {piece.page for piece in chunks("".join(pages))} == {None}


def test_short_pages_share_no_chunk() -> None:
    text = "A zebra.\n\nA lion."
    assert [(piece.start, piece.page) for piece in chunks(text, (0, 10))] == [(0, 1), (10, 2)]


@LAW
@given(st.text(), st.text())
def test_a_change_far_below_leaves_the_chunks_above_alone(above: str, below: str) -> None:
    top = "A first paragraph stands here on its own, and it is very long indeed. " * 12 + "\n\n"
    first = chunks(top)[0]
    assert chunks(top + above)[0] == chunks(top + below)[0] == first
