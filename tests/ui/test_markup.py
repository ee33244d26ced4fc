"""Text stays text, whatever it holds."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from ui.markup import Html, clip, el, escape, join

TEXT = st.text(st.characters(codec=None) | st.sampled_from("<>&\"'`*_[]()#$\\{}|!\n\r\t"), max_size=60)


class Reader(HTMLParser):
    """Collects what a browser would: tags with attributes, and text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(text: str) -> str:
    """Return text as it can be shown: without what hides or reorders it, and what cannot be sent."""
    hidden = (
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
    )
    return re.sub(hidden, "\ufffd", text)


@given(TEXT)
def test_escaped_text_reads_back_and_holds_nothing_special(text: str) -> None:
    escaped = escape(text)
    assert Reader(escaped).text.replace("\r", "\n") == shown(text).replace("\r", "\n")
    assert Reader(escaped).tags == []
    assert not re.search(r"[<>\"'`*_\[\](){}!$|~\\\n\r\t.:@/+=^-]", escaped)
    escaped.encode()


@given(TEXT, TEXT)
def test_an_element_has_exactly_its_attributes_and_children(attribute: str, child: str) -> None:
    markup = el("p", child, class_=attribute, hidden=False)
    (tag,) = Reader(markup).tags
    assert tag[0] == "p"
    assert list(tag[1]) == ["class"]
    assert "\n" not in markup


def test_markup_is_not_escaped_twice() -> None:
    inner = el("b", "1 < 2")
    assert inner == "<b>1 &#60; 2</b>"
    assert el("p", inner, " & ", hidden=True) == f'<p hidden="">{inner} &#38; </p>'
    assert isinstance(join("a", inner), Html)


def test_clipped_text_is_one_line_and_says_so() -> None:
    assert clip("a\n b", 10) == "a b"
    assert clip("one two three", 9) == "one two …"
    assert clip("x" * 50, 10) == "x" * 10 + " …"
    assert clip(" " * 100 + "late", 10).endswith("…")
