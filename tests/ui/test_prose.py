"""The Markdown of answers, and nothing else of Markdown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.test_markup import Reader
from ui.markup import Html, el
from ui.prose import plain_text, prose, without_open_marker

BUTTON = "<button>1</button>"
ALLOWED = {"p", "ul", "ol", "li", "strong", "em", "code", "span", "button"}


def marker(number: int) -> Html | None:
    return el("button", str(number)) if number < 9 else None


def words(markup: str) -> str:
    return Reader(markup).text


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("One. Two.", ["p"]),
        ("One.\n\nTwo.", ["p", "p"]),
        ("- a\n- b", ["ul", "li", "li"]),
        ("Intro:\n1. a\n2) b\nEnd.", ["p", "ol", "li", "li", "p"]),
        ("## Head\ntext", ["p", "strong", "p"]),
        ("**bold** *em* `code`", ["p", "strong", "em", "code"]),
        ("a * b * c, 2*3*4, snake_case_name", ["p"]),
        ("Said. [1]", ["p", "span", "button"]),
        ("**Said [1]**", ["p", "strong", "span", "button"]),
        ("Said.[1][2]", ["p", "span", "button", "span", "button"]),
        ("<b>x</b> ![i](http://x) [l](http://x)", ["p"]),
        ("", []),
    ],
)
def test_what_becomes_markup(text: str, tags: list[str]) -> None:
    assert [tag for tag, _ in Reader(prose(text, marker)).tags] == tags


def test_what_stays_as_it_is() -> None:
    assert words(prose(r"\*kept\* \[1\] \- \<b\> [12] [x]", marker)) == "*kept* [1] - <b> [12] [x]"
    assert words(prose("<img src=x> $$x$$ | a |", marker)) == "<img src=x> $$x$$ | a |"


def test_a_marker_never_begins_a_line() -> None:
    assert prose("End. [1]", marker) == f'<p>End&#46;<span class="keep">\u2060{BUTTON}</span></p>'


def test_plain_text_loses_escapes_and_stars_only() -> None:
    assert plain_text(r"- **2\*3** \[x\] [1] a\b `c` *d*") == r"- 2*3 [x] [1] a\b `c` d"


@pytest.mark.parametrize("text", ["End. [", "End. [1", "End.[12", "End."])
def test_an_open_marker_is_held_back(text: str) -> None:
    assert without_open_marker(text) == "End."


@given(st.text(st.sampled_from("ab12 \n*`[]()<>#-_\\.!$") | st.characters(codec="utf-8"), max_size=80))
def test_any_text_gives_only_allowed_tags_on_one_line(text: str) -> None:
    markup = prose(text, marker)
    assert {tag for tag, _ in Reader(markup).tags} <= ALLOWED
    assert "\n" not in markup


@pytest.mark.parametrize("piece", ["**a ", "*a ", "`a", "[1", "\\", "**a** ", "- \n", "# "])
def test_long_odd_text_takes_no_time(piece: str) -> None:
    started = time.perf_counter()
    prose(piece * 4_000, marker)
    assert time.perf_counter() - started < 3
