"""Answer text as markup: the little Markdown that answers use, and their footnote markers.

Images, links and raw HTML are not among it: they come out as the characters they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ui.markup import Html, el, escape, join

Marker = Callable[[int], Html | None]
"""What to show for a footnote number; None when the answer has no such footnote."""

_INLINE = re.compile(
    r"""
      \\(?P<literal>[!-/:-@\[-`{-~])
    | [ ]?\[(?P<number>\d{1,3})\]
    | \*\*(?P<strong>\S(?:.{0,400}?\S)?)\*\*
    | (?<![\w*])\*(?P<em>[^\s*](?:[^*]{0,400}[^\s*])?)\*(?![\w*])
    | `(?P<code>[^`]{1,400})`
    """,
    re.VERBOSE | re.DOTALL,
)
_ITEM = re.compile(r"\s*(?:(?P<bullet>[-*•])|(?P<number>\d{1,3})[.)])\s+(?P<text>.*)", re.DOTALL)
_HEADING = re.compile(r"#{1,6}\s+(?P<text>.*)")
_OPEN_MARKER = re.compile(r"[ ]?\[\d{0,3}$")
_WORD_JOINER = "\N{WORD JOINER}"


def prose(text: str, marker: Marker) -> Html:
    """Return paragraphs, lists and inline emphasis of an answer as markup."""
    return join(*(_block(kind, lines, marker) for kind, lines in _blocks(text)))


def plain_text(text: str) -> str:
    """Return an answer for a place that knows no Markdown: no escapes, no stars, markers kept."""
    return _INLINE.sub(_plain_span, text)


def _plain_span(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    if kind in ("strong", "em"):
        return plain_text(found[kind])
    return found[kind] if kind == "literal" else found[0]


def without_open_marker(text: str) -> str:
    """Return streamed text without a marker that has only begun to arrive."""
    return _OPEN_MARKER.sub("", text)


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield runs of lines of one kind: `p`, `ul`, `ol` or `heading`."""
    kind, lines = "p", list[str]()
    for line in [*text.split("\n"), ""]:
        found, content = _line(line)
        if lines and (found != kind or not content):
            yield kind, lines
            lines = []
        if content:
            kind = found
            lines.append(content)


def _line(line: str) -> tuple[str, str]:
    if heading := _HEADING.match(line):
        return "heading", heading["text"].strip()
    if item := _ITEM.match(line):
        return ("ul" if item["bullet"] else "ol"), item["text"].strip()
    return "p", line.strip()


def _block(kind: str, lines: list[str], marker: Marker) -> Html:
    if kind in ("ul", "ol"):
        return el(kind, *(el("li", _inline(line, marker)) for line in lines))
    body = _inline("\n".join(lines), marker)
    return el("p", el("strong", body) if kind == "heading" else body)


def _inline(text: str, marker: Marker) -> Html:
    parts, at = list[Html](), 0
    for found in _INLINE.finditer(text):
        parts += [escape(text[at : found.start()]), _span(found, marker)]
        at = found.end()
    return join(*parts, escape(text[at:]))


def _span(found: re.Match[str], marker: Marker) -> Html:
    kind = found.lastgroup or ""
    content = found[kind]
    if kind == "literal":
        return escape(content)
    if kind == "number":
        shown = marker(int(content))
        return escape(found[0]) if shown is None else el("span", _WORD_JOINER, shown, class_="keep")
    return el("code", content) if kind == "code" else el(kind, _inline(content, marker))
