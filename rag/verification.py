"""Whether the sentences that a claim cites support it, decided here, without another model.

A claim is one sentence that a language model wrote. Its numbers, dates, names, negation and quantifiers
must agree with what it cites; how well its words and meaning are covered decides the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from index import ScoredChunk
from index.embedding import Embedder
from rag.citations import Passage
from rag.types import Verdict


class Reason(StrEnum):
    """What a verdict rests on, the first that applies."""

    COVERED = "covered"
    """Supported: what the claim says stands in the passages."""
    LOOSE = "loose"
    """Weak: the passages say something close, in other words or less surely."""
    OTHER_LANGUAGE = "other_language"
    """Weak: claim and passages are in different scripts; only numbers and Latin names could be compared."""
    NUMBER = "number"
    """Unsupported: a number, date or unit of the claim is not in the passages."""
    NAME = "name"
    """Unsupported: a name of the claim is not in the passages."""
    OPPOSITE = "opposite"
    """Unsupported: the claim denies what the passages say, or the reverse."""
    STRONGER = "stronger"
    """Weak or unsupported: the claim says it of more, or more surely, than the passages do."""
    NOT_COVERED = "not_covered"
    """Unsupported: the passages do not say it."""
    NOTHING_CITED = "nothing_cited"
    """Unsupported: there is no passage to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What became of one claim."""

    verdict: Verdict
    reason: Reason
    sentence: str
    """The reason for people: one sentence that names the number, name or word that differs."""
    passages: tuple[Passage, ...]
    """What the claim should cite: the cited passages as given when they support it at least as well as any
    other; else the retrieved sentences that do. Empty only when nothing was cited and nothing fits."""
    contradicts: bool
    """Whether the passages say otherwise (another number, name, or the opposite), rather than nothing."""


class Verifier:
    """Checks the claims of one answer against what was retrieved for it.

    Args:
        retrieved: The chunks that the model was given; each of their sentences may be cited.
        embedder: Compares meanings.
        question: What was asked; its words may explain a claim (`It was built in 1901.`).
    """

    def __init__(self, retrieved: Sequence[ScoredChunk], embedder: Embedder, question: str = "") -> None:
        self._retrieved = retrieved
        self._embedder = embedder
        self._question = question

    def verify(self, claim: str, cited: Sequence[Passage]) -> Verification:
        """Return whether a claim is supported, and by which passages.

        Args:
            claim: One sentence as plain text, its markers removed.
            cited: The sentences (chunk and span) that its markers point to, in their order; together they
                may support it. Empty when it has no valid marker: then the retrieved sentences are searched.

        Returns:
            Always a verdict, for any text; a claim without letters or digits is `unsupported`.

        Raises:
            EmbedderError: If the embedding model is missing or damaged.
        """
        raise NotImplementedError
