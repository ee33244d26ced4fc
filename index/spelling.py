"""Typing mistakes in a query, mended with the documents' own words."""

from __future__ import annotations

import re

from rapidfuzz.distance import OSA

from index.minilm import vocabulary
from index.words import WordIndex

SHORTEST = 4
"""Shorter words have too many neighbours to guess."""
LONG = 8
"""Words of this length may have two mistakes, shorter ones one."""

_word = re.compile(r"[^\W\d_]+")


def respell(query: str, words: WordIndex) -> str:
    """Return a query with its misspelt words replaced by the closest words of the documents.

    A word counts as misspelt when it is in no document and not in the model's vocabulary of common
    words and names, so that a real name that the documents lack is never turned into another.
    Distance is optimal string alignment: insertions, deletions, substitutions and swaps, with the
    first letter taken as right. A query without mistakes comes back unchanged.
    """
    return _word.sub(lambda match: _closest(match.group(), words), query)


def _closest(word: str, words: WordIndex) -> str:
    lower = word.lower()
    if len(word) < SHORTEST or lower in vocabulary() or words.occurs(lower):
        return word
    allowed = 2 if len(word) >= LONG else 1
    near = (
        (OSA.distance(lower, other, score_cutoff=allowed), -count, other)
        for other, count in words.starting_with(lower[0])
        if len(other) >= SHORTEST
    )
    distance, _, best = min(near, default=(allowed + 1, 0, word))
    return best if distance <= allowed else word
