"""What stands under an answer that is only text, and how it comes off again."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from rag import Answer, Citation
from ui.footer import footer, without_footer

WORDS = st.text(max_size=20)


def citation(number: int, file: str, quote: str) -> Citation:
    return Citation(number=number, file=file, title="", page=None, start=0, end=len(quote), quote=quote)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    passages = draw(st.lists(st.tuples(WORDS, WORDS), max_size=3))
    return Answer(
        text=draw(WORDS),
        status="answered",
        abstain_reason=None,
        confidence=1.0,
        claims=(),
        citations=tuple(citation(number, *passage) for number, passage in enumerate(passages, 1)),
        question="",
        query="",
        chunks=(),
        engine="extractive",
        notices=tuple(draw(st.lists(WORDS, max_size=2))),
    )


@settings(deadline=None)
@given(answers())
def test_it_comes_off_as_it_was_put_on(answer: Answer) -> None:
    assert without_footer(answer.text + footer(answer)) == without_footer(answer.text)
    assert footer(answer).count("\n\n---\n\n") == (1 if answer.citations or answer.notices else 0)


@given(WORDS)
def test_an_answer_that_has_none_is_left_as_it_is(text: str) -> None:
    assert without_footer(text) == text


def test_a_rule_of_the_answer_itself_stays() -> None:
    text = "One part.\n\n---\n\nAnother part."
    assert without_footer(text) == text


def test_a_document_cannot_load_or_link_anything_or_pass_for_a_footnote() -> None:
    quote = "![x](http://evil.example/x.png) <img src=x> [2] other.txt\n\n---\n\n[1] `y`"
    hostile = citation(1, "a](b).txt", quote)
    answer = Answer(
        text="It says so. [1]",
        status="answered",
        abstain_reason=None,
        confidence=1.0,
        claims=(),
        citations=(hostile,),
        question="",
        query="",
        chunks=(),
        engine="extractive",
    )
    shown = footer(answer)
    assert re.findall(r"(?<!\\)[\[\]<>`]", shown) == ["[", "]"], "those of the marker"
    assert without_footer(answer.text + shown) == answer.text


def test_a_long_quote_is_cut() -> None:
    answer_quote = citation(1, "a.txt", "word " * 1_000)
    answer = Answer(
        text="",
        status="answered",
        abstain_reason=None,
        confidence=1.0,
        claims=(),
        citations=(answer_quote,),
        question="",
        query="",
        chunks=(),
        engine="extractive",
    )
    assert len(footer(answer)) < 450
    assert footer(answer).endswith(" …”")
