"""How likely sentences support a claim whose numbers, names and polarity agree with theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from threading import Thread

import numpy as np
from numpy.typing import NDArray

from index import EmbedderError
from index.minilm import vocabulary, word_vectors
from rag.checks.lexicon import opposites
from rag.checks.sources import Source
from rag.checks.statement import Statement, Token

WEIGHTS = np.array([-3.42, 1.75])
BIAS = -1.0
WINDOW = 4
"""Two neighbouring words of a claim belong together in a sentence when they stand at most so far apart."""
LONG = 6
"""A run of so many words that are not in the sources counts in full."""
LIKE, UNLIKE = 0.5, 0.2
"""Cosines of word vectors from which on two words mean the same, and below which nothing of the kind."""
ROOT = 5
"""Words that begin with so many equal letters are taken to be made of one stem (`explore`, `exploration`)."""


@dataclass(frozen=True, slots=True)
class _Match:
    """What stands for a word of the claim among some words."""

    stem: str
    """The word's own stem, or that of the word that stands for it; empty when there is none."""
    credit: float
    """0 to 1; how sure it is that they mean the same."""


_NOTHING = _Match("", 0.0)


def prepare() -> None:
    """Load what the first claim needs, in a thread of its own, so that nobody who waits for a claim waits for it."""

    def load() -> None:
        with suppress(EmbedderError):  # whoever needs the vectors is told
            word_vectors()

    Thread(target=load, name="footnote-words", daemon=True).start()


def copied(claim: Statement, source: Source) -> bool:
    """Whether all words of a claim stand in one cited sentence side by side."""
    words = " ".join(token.stem for token in claim.tokens)
    return any(f" {words} " in f" {' '.join(token.stem for token in s.tokens)} " for s in source.cited)


def chance(values: NDArray[np.float64]) -> float:
    """Return how likely the claim is supported, 0 to 1."""
    return float(1 / (1 + np.exp(-(values @ WEIGHTS + BIAS))))


def features(claim: Statement, source: Source) -> NDArray[np.float64]:
    """Return what the logistic model looks at, in the order of `WEIGHTS`; only plain words count.

    How much of the claim is missing, as a share and as the longest run of words side by side, and how much of
    it stands together in one sentence.
    """
    words = [token for token in claim.content if not token.counts]
    matches = _matches(words, [token for s in source.cited for token in s.content])
    known = [_known(token, match, source) for token, match in zip(words, matches, strict=True)]
    lacks = [(1 - match.credit) * share for match, share in zip(matches, known, strict=True)]
    stems = [match.stem for match, share in zip(matches, known, strict=True) if match.stem or share == 1]
    missing = sum(lacks) / max(1, len(words)) + min(_longest(lacks), LONG) / LONG
    return np.array([missing, _together(stems, source)])


def _known(token: Token, match: _Match, source: Source) -> float:
    """What is left of a lack: nothing for a name, which was found to be known; half of what a pronoun may stand for."""
    if token.name:
        return 0.0
    around = any(token.stem in statement.stems for statement in (*source.nearby, *source.known))
    return 0.5 if around and source.refers and not match.stem else 1.0


def _matches(words: Sequence[Token], others: Iterable[Token]) -> list[_Match]:
    """For each word, what stands for it among the others: itself, a word of the same root, or one like it."""
    there = {token.stem: token for token in others}
    roots = {stem[:ROOT]: stem for stem in there if len(stem) >= ROOT and stem.isalpha()}
    rows = {stem: row for stem, token in there.items() if (row := _row(token.lower)) is not None}
    return [_match(token, there, roots, rows) for token in words]


def _match(token: Token, there: dict[str, Token], roots: dict[str, str], rows: dict[str, int]) -> _Match:
    if token.stem in there:
        return _Match(token.stem, 1.0)
    if token.stem[:ROOT] in roots and len(token.stem) >= ROOT:
        return _Match(roots[token.stem[:ROOT]], 1.0)
    row = _row(token.lower)
    if row is None or not rows or token.name or token.counts:
        return _NOTHING
    vectors = word_vectors()
    cosines = vectors[list(rows.values())] @ vectors[row]
    best = int(np.argmax(cosines))
    stem = list(rows)[best]
    if cosines[best] <= UNLIKE or stem in opposites().get(token.stem, ()):
        return _NOTHING
    return _Match(stem, float(min(1.0, (cosines[best] - UNLIKE) / (LIKE - UNLIKE))))


@lru_cache(maxsize=50_000)
def _row(word: str) -> int | None:
    return vocabulary().get(word)


def _longest(lacks: Iterable[float]) -> float:
    longest = run = 0.0
    for lack in lacks:
        run = run + lack if lack > 0.5 else 0.0
        longest = max(longest, run)
    return longest


def _together(stems: Sequence[str], source: Source) -> float:
    """Share of neighbouring words of the claim that are near each other in one of the sentences."""
    places = [_places(statement) for statement in source.cited]
    pairs = list(pairwise(stems))
    near = sum(
        any(
            abs(a - b) <= WINDOW for where in places for a in where.get(one, ()) for b in where.get(other, ())
        )
        for one, other in pairs
    )
    return near / len(pairs) if pairs else 1.0


def _places(statement: Statement) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, token in enumerate(token for token in statement.content if not token.counts):
        found.setdefault(token.stem, []).append(place)
    return found
