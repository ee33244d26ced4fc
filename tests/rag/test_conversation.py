"""A follow-up takes along what it refers to; a question that stands alone is left as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversation import CONTEXT_CHARACTERS, MAX_DEPTH, leans, standalone

BAKER = ("Who opened the bakery in Bergen?", "Ann Lee opened it in 1982. [1]")
FERRY = ("When does the ferry to Stavanger leave?", "The ferry to Stavanger leaves at noon. [1]")


@pytest.mark.parametrize(
    "question",
    [
        "When does the ferry to Stavanger leave?",
        "Who built the lighthouse?",
        "What do the files say about fishing boats?",
        "Is there a lighthouse near the harbour?",
        "What do these documents say about bread?",
        "Did Ann Lee sell her bakery?",
        "How many people does the bakery employ?",
    ],
)
def test_a_question_that_stands_alone_is_searched_as_it_is(question: str) -> None:
    assert standalone(question, [BAKER]) == question


@pytest.mark.parametrize(
    "question",
    [
        "Where was she born?",
        "How many people does it employ?",
        "And where?",
        "where?",
        "Which one?",
        "Why?",
        "What about Oslo?",
        "And the buns sold there in winter?",
        "When did that happen?",
        "Who are its customers?",
    ],
)
def test_a_follow_up_takes_the_last_turn_along(question: str) -> None:
    query = standalone(question, [FERRY, BAKER])
    assert query.startswith(question)
    assert BAKER[0] in query
    assert "Ann Lee opened it in 1982." in query
    assert "ferry" not in query, "an earlier turn that is not referred to stays out"


def test_a_chain_of_follow_ups_is_traced_back_to_where_it_began() -> None:
    history = [FERRY, BAKER, ("When was she born?", "In 1950. [1]"), ("And where?", "In Oslo. [1]")]
    query = standalone("How old was she then?", history)
    assert query.startswith("How old was she then?")
    assert (
        query.index("Who opened the bakery") < query.index("When was she born?") < query.index("And where?")
    )
    assert "ferry" not in query


def test_only_the_last_turns_are_looked_at() -> None:
    history = [(f"And turn number {n}?", "") for n in range(50)]
    query = standalone("And then?", history)
    assert query.count("And turn") == MAX_DEPTH
    assert f"number {50 - MAX_DEPTH}?" in query


def test_footnote_markers_of_earlier_answers_are_not_searched() -> None:
    assert "[" not in standalone("And where?", [("Who?", "Ann Lee [1][2], a baker [12].")])


def test_a_long_earlier_turn_is_cut_at_a_word() -> None:
    query = standalone("And where?", [("ask " * 9_000, "answer " * 9_000)])
    assert len(query) < 2 * CONTEXT_CHARACTERS + 50
    assert set(query.replace("(", "").replace(")", "").split()) == {"And", "where?", "ask", "answer"}


@given(st.text(max_size=80))
def test_without_history_nothing_is_added(question: str) -> None:
    assert standalone(question, []) == question.strip()


@given(st.text(max_size=60), st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=4))
def test_a_query_always_begins_with_the_question(question: str, history: list[tuple[str, str]]) -> None:
    query = standalone(question, history)
    assert query.startswith(question.strip())
    if not leans(question):
        assert query == question.strip()
