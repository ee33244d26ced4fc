"""Markdown: the file is the text; the title stands in its front matter or first heading."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import takewhile

from index.loaders import text
from index.loaders.parts import first_line, shorten
from index.types import Document

FRONT_MATTER = 100
"""Front matter has no more lines."""

_title = re.compile(r"""title[ \t]*[:=][ \t]*(["']?)(?![>|][-+]?[ \t]*$)(\S.*?)\1[ \t]*$""", re.IGNORECASE)
_heading = re.compile(r"#{1,6}[ \t]+(\S.*)$")


def load(file: str, data: bytes) -> Document:
    """Return the file decoded, with the title its front matter gives, else its first heading, else its first line."""
    document = text.load(file, data)
    lines = document.text.splitlines()
    front = _front_matter(lines)
    body = lines[len(front) :]
    given = next((match[2] for match in map(_title.match, front) if match), "")
    title = shorten(given) or shorten(_first_heading(body)) or (front and first_line("\n".join(body)))
    return replace(document, title=title) if title else document


def _front_matter(lines: list[str]) -> list[str]:
    fence = lines[0].rstrip() if lines else ""
    if fence not in ("---", "+++"):
        return []
    inside = list(takewhile(lambda line: line.rstrip() != fence, lines[1 : FRONT_MATTER + 1]))
    closed = len(inside) + 1 < len(lines) and lines[len(inside) + 1].rstrip() == fence
    return [fence, *inside, fence] if closed else []


def _first_heading(lines: list[str]) -> str:
    """The first heading that is not in a block of code."""
    fence = ""
    for line in lines:
        start = line.lstrip()[:3]
        if start in ("```", "~~~") and fence in ("", start):
            fence = "" if fence else start
        elif not fence and (match := _heading.match(line)):
            return _unclosed(match[1])
    return ""


def _unclosed(heading: str) -> str:
    """A heading without the `#` signs that may close it, which stand after a space."""
    heading = heading.rstrip()
    bare = heading.rstrip("#")
    return bare if bare.endswith((" ", "\t")) else heading
