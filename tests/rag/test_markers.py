"""A model's stream as sentences with markers, wherever it is cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.llm.markers import LONGEST, Sentence, Sentences

TEXT = """Dr. Ann Lee was born in Oslo in 1950 [1]. She opened a bakery in Bergen【2】 in 1982.[3][4] It sells 3.5 kg.

## Bread and more
The bakery sells:
- rye bread [1, 2]
- cinnamon buns. [1-3] They cost `arr[1]` a lot [99].
1. First thing [^2](http://x.y)
2. See [here](http://evil/x) and ![img](http://evil/i.png).

**Bold end.** Next [AB12] one [source 5]. 石破氏は話した。[7]次の文です [２]。
Final without stop [[4]]"""
BITS = [*"[]【】［］〔〕()`*#->!?.。\n \t1239,;–^†AaÄ石“”", "[1]", "[2, 3].", ". [", "http://x ", "](u)"]
SOUP = st.lists(st.sampled_from(BITS), max_size=150).map("".join)


def read(*pieces: str, known: int = 9) -> list[Sentence]:
    sentences = Sentences(known)
    return [*(found for piece in pieces for found in sentences.feed(piece)), *sentences.close()]


def numbers(text: str, known: int = 9) -> tuple[int, ...]:
    return tuple(number for sentence in read(text, known=known) for number in sentence.numbers)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("A b [1].", (1,)),
        ("A b. [1]", (1,)),
        ("A b.[1]", (1,)),
        ("A b[1][2].", (1, 2)),
        ("A b [1] [2].", (1, 2)),
        ("A b [1, 2].", (1, 2)),
        ("A b [1; 2 and 3].", (1, 2, 3)),
        ("A b [1-3].", (1, 2, 3)),
        ("A b [1–3, 5].", (1, 2, 3, 5)),
        ("A b 【1】.", (1,)),
        ("A b 【1†source】.", (1,)),
        ("A b ［２］.", (2,)),
        ("A b [[4]].", (4,)),
        ("A b [^4].", (4,)),
        ("A b [Passage 4, sentence 5].", (4, 5)),
        ("A b [1](http://x.y).", (1,)),
        ("A b [3][3].", (3,)),
        ("A b [0][10][999999999].", ()),
        ("A b [8-99999999].", (8, 9)),
        ("A `b[1]`.", ()),
        ("A (1) b.", ()),
        ("[2] A b.", (2,)),
    ],
)
def test_every_way_to_write_a_marker_is_read(text: str, named: tuple[int, ...]) -> None:
    assert numbers(text) == named


@pytest.mark.parametrize(
    "text", ["A b [1].", "A b [99].", "A b [AB12].", "A b [doc:3].", "A b [[7]].", "A b【3†x】."]
)
def test_no_marker_known_or_invented_stays_in_the_text(text: str) -> None:
    assert [sentence.text for sentence in read(text)] == ["A b."]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He met Dr. Smith. She left.", ["He met Dr. Smith.", "She left."]),
        ("It costs 3.5 euros at example.com today.", ["It costs 3.5 euros at example.com today."]),
        ("The U.S. Army came. It left!", ["The U.S. Army came.", "It left!"]),
        ("She said “no.” Then she left.", ["She said “no.”", "Then she left."]),
        ("1. One thing.\n2. Two things.", ["One thing.", "Two things."]),
        ("一つ。二つ！三つ", ["一つ。", "二つ！", "三つ"]),
        ("See [here](http://x) or ![there](http://y).", ["See here or there."]),
        ("```python\nx = 1\n```", ["x = 1"]),
        ("| a | b |\n|---|---|", ["| a | b |"]),
        ("", []),
        (" \n\n [1] \n", []),
    ],
)
def test_sentences_end_where_people_think_they_do(text: str, sentences: list[str]) -> None:
    assert [sentence.text for sentence in read(text)] == sentences


def test_what_stands_between_sentences_is_kept() -> None:
    found = read(TEXT)
    assert [sentence.lead for sentence in found[:8]] == ["", " ", " ", "\n\n", "\n", "\n- ", "\n- ", " "]
    assert [sentence.text for sentence in found if sentence.heading] == [
        "Bread and more",
        "The bakery sells:",
    ]


def test_a_sentence_comes_as_soon_as_the_next_one_begins() -> None:
    sentences = Sentences(9)
    assert not list(sentences.feed("One is here. [1"))
    assert not list(sentences.feed("]"))
    assert [found.numbers for found in sentences.feed(" T")] == [(1,)]


@given(st.one_of(st.just(TEXT), SOUP, SOUP.map(lambda soup: soup * 30)), st.data())
def test_where_a_stream_is_cut_changes_nothing(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert read(*pieces) == read(text)


@given(SOUP)
def test_one_character_at_a_time_is_the_same_too(text: str) -> None:
    assert read(*text) == read(text)


@given(SOUP)
def test_only_known_numbers_come_out(text: str) -> None:
    assert all(1 <= number <= 3 for number in numbers(text, known=3))


@pytest.mark.parametrize("unit", ["[", "]", "[1", "[1][", "【", "`[", "[[[[ ", "[1-", "]("])
def test_a_million_brackets_take_less_than_a_second(unit: str) -> None:
    text = (unit * 1_000_000)[:1_000_000]
    pieces = [text[start : start + 500] for start in range(0, len(text), 500)]
    started = time.process_time()
    found = read(*pieces)
    assert time.process_time() - started < 1
    assert all(len(sentence.text) <= LONGEST for sentence in found)
