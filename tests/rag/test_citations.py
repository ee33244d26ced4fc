"""Documents' words as Markdown, and the numbering of footnotes."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from index import Chunk, ScoredChunk
from rag.citations import Draft, plain_markdown

COMMONMARK = MarkdownIt("commonmark")
TRICKY = [
    "#",
    "##",
    "-",
    "+",
    "*",
    "_",
    "1.",
    "12)",
    ">",
    "```",
    "~~~",
    "|",
    "&amp;",
    "&#35;",
    "<b>",
    "<!--",
    "a@b.c",
]
TRICKY += [
    "[1]",
    "![x](y)",
    "[x]: /y",
    "<http://x.y>",
    "\\",
    "---",
    "===",
    "$x$",
    "**b**",
    "`c`",
    "\u2028",
    "\ufeff",
    "文",
]
# A document never holds NUL (it would be skipped as binary) and, being UTF-8, no halves of characters.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.one_of(
    st.text(characters),
    st.lists(st.sampled_from([*TRICKY, " ", "  ", "\n", "\r\n", "\t", "word"]), max_size=12).map("".join),
)


def shown(markdown: str) -> str:
    """The text of the one paragraph that some Markdown is; fails when it is anything else."""
    tokens = COMMONMARK.parse(markdown)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    return "".join(child.content for child in children)


@given(texts)
@example("1. not a list")
@example("## not a heading")
@example("-")
@example("---")
@example("&lt;b&gt; stays as it was typed")
@example("[7] is no footnote")
def test_any_text_is_shown_as_it_is(text: str) -> None:
    words = " ".join(text.split())
    if words:
        assert shown(plain_markdown(text)) == words
    else:
        assert plain_markdown(text) == ""


@given(texts)
def test_no_document_can_make_a_footnote_marker(text: str) -> None:
    assert not re.search(r"(?<!\\)\[\d+\]", plain_markdown(text))


@pytest.mark.parametrize(
    "text",
    [
        "Plain words.",
        "3.5 million people",
        "He said: “No.”",
        "AT&T & others",
        "50 % - or less",
        "C# (a language)",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert plain_markdown(text) == text


def passage(file: str, text: str, start: int = 0) -> tuple[ScoredChunk, tuple[int, int]]:
    span = (start, start + len(text))
    chunk = Chunk(id=1, file=file, title=file, start=start, end=span[1], text=text, sentences=(span,))
    return ScoredChunk(chunk=chunk, score=1.0, similarity=1.0, bm25=1.0), span


def test_a_claim_stands_where_it_says_and_its_markers_follow() -> None:
    draft = Draft()
    added = draft.say("- ") + draft.claim("One.", [passage("a", "One.")])
    added += draft.say("\n- ") + draft.claim("Two.", [passage("b", "Two."), passage("a", "One.")])
    assert draft.text == added == "- One. [1]\n- Two. [2][1]"
    assert [draft.text[claim.start : claim.end] for claim in draft.claims] == ["One.", "Two."]
    assert [claim.citations for claim in draft.claims] == [(1,), (2, 1)]
    assert [(c.number, c.file, c.quote) for c in draft.citations] == [(1, "a", "One."), (2, "b", "Two.")]


sources = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=1, max_size=4)


@given(st.lists(sources, max_size=6))
def test_footnotes_are_numbered_in_order_of_first_use_and_each_passage_once(
    claims: list[list[tuple[str, int]]],
) -> None:
    draft = Draft()
    for claim in claims:
        draft.claim("Said.", [passage(file, "Said.", start * 10) for file, start in claim])
    order = list(dict.fromkeys(source for claim in claims for source in claim))
    assert [(c.file, c.start // 10) for c in draft.citations] == order
    assert [c.number for c in draft.citations] == list(range(1, len(order) + 1))
    used = dict.fromkeys(int(number) for number in re.findall(r"\[(\d+)\]", draft.text))
    assert list(used) == list(range(1, len(order) + 1))
