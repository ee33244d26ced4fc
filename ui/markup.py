"""Strings that are safe to put on the page, and the only way to make them.

The page is shown by Gradio's Markdown component (its HTML component compiles templates with
`eval`, which our content policy forbids). So text has to survive two readers, Markdown and HTML,
and then Gradio's sanitiser, which keeps `class`, `id` and `tabindex` but no `data-` or `aria-`
attribute. Three habits make that safe: everything is one line of one HTML block, which Markdown
passes through untouched; every character that means something to either reader is written as a
numeric entity; and a plain `str` is escaped wherever it meets an `Html`.
"""

from __future__ import annotations

import re
import string

_ENTITIES = {ord(char): f"&#{ord(char)};" for char in string.punctuation + "\t\n\r" if char not in ",;"}
# Controls, direction overrides and invisible tag characters can hide or reorder what a reader
# sees; lone surrogates (from odd file names) cannot be sent at all.
_UNSHOWABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)


class Html(str):
    """Markup made by this module: nothing in it came from outside unescaped."""

    __slots__ = ()


def escape(text: str) -> Html:
    """Return text as markup that shows exactly its characters, and cannot be anything else."""
    if isinstance(text, Html):
        return text
    return Html(_UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text).translate(_ENTITIES))


def el(name: str, *children: str, **attributes: str | int | bool) -> Html:
    """Return an element; plain strings among children and attribute values are escaped.

    A trailing underscore in an attribute's name is dropped (`class_`), False leaves it out.
    """
    written = "".join(
        f' {key.rstrip("_")}="{"" if value is True else escape(str(value))}"'
        for key, value in attributes.items()
        if value is not False
    )
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: str) -> Html:
    """Return markup after markup; plain strings are escaped."""
    return Html("".join(escape(child) for child in children))


def unseen(text: str) -> Html:
    """Return text that a screen reader speaks and nobody sees."""
    return el("span", text, class_="unseen")


def clip(text: str, limit: int) -> str:
    """Return text on one line, cut at a word near `limit` characters, with `…` where cut."""
    line = " ".join(text[: limit * 2].split())
    if len(line) <= limit:
        return line if len(text) <= limit * 2 else line + " …"
    return line[:limit].rsplit(" ", 1)[0] + " …"
