"""Names in a text, found by their capitals."""

from __future__ import annotations

import re
from typing import NamedTuple

from index.text import content_terms

_word = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_][\w'’-]*")
_possessive = re.compile(r"['’]s?$")
_joins = re.compile(r"\s(?:(?:of|de|van|von|der|al|bin)\s)?")
_sentence_start = re.compile(r"(?:[.!?:]\s|[\"“(])\W*$")
_no_names = re.compile(
    r"(?:I(?:['’]\w+)?|Yes|No|Tell|List|Show|Explain|Describe|Sum|Give|Compare|Find|Name)$"
)
_question_words = frozenset(
    content_terms("who whom whose what which when where why how did does do much many")
)


class Name(NamedTuple):
    """A name where it stands in a text, without its possessive."""

    text: str
    start: int
    end: int
    sure: bool
    """Whether it is one; a single capital that opens a sentence may belong to an ordinary word."""


def names(text: str) -> list[Name]:
    """Return the names in a text, in order: runs of words with capitals, empty when there are none.

    Function words that open a sentence are left out. Scripts without capitals have no names here.
    """
    found: list[Name] = []
    for match in _word.finditer(text):
        word, (start, end) = match.group(), match.span()
        if not word[0].isupper() or _no_names.match(word) or not set(content_terms(word)) - _question_words:
            continue
        bare = _possessive.sub("", word)
        opens = bool(_sentence_start.search(f". {text[:start]}"[-5:]))
        if found and not opens and _joins.fullmatch(text[found[-1].end : start]):
            first = found.pop().start
            found.append(Name(text[first:start] + bare, first, start + len(bare), True))
        else:
            alone = re.match(r"\s+[a-z]", text[end : end + 5])
            found.append(Name(bare, start, start + len(bare), not (opens and alone)))
    return found
