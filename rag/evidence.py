"""How likely each sentence that was read answers the question.

The reader's opinion, the place of the chunk among those retrieved, the form of the sentence and the kind of
words that the question asks for are weighed by a logistic model, fitted on articles that the reader was not
trained on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index import Index, ScoredChunk, Span
from index.text import content_terms
from rag.answer_type import lacks_type
from rag.question import Question
from rag.reader import Reading

WEIGHTS = np.array([0.18, 0.12, 0.08, 1.8, -0.68, -1.0])
BIAS = -2.11
"""Fitted with a ridge of 30 on held-out questions of SQuAD 1.1, the same with their answer sentences taken
out, SQuAD 2.0 and CLAPnq, each set counting the same; but the last one is set, from the counts that
`rag.answer_type` names: in those sets nearly every sentence that the reader likes has the right kind of words,
so they teach -0.15. Word coverage and similarity were tried too: they order no better and carry over worse to
other kinds of documents."""
ELSEWHERE = 0.4
"""What is left of a score, for a part that refers to another, in a chunk that says nothing on that other."""
PLAUSIBLE = 0.05
"""A sentence may answer when its score reaches this."""
LEAST = -8.0
"""Logits below this say no more than this."""

_statement = re.compile(r"[.!…。！]['\"”’»)\]]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A sentence that may answer."""

    source: ScoredChunk
    """The chunk it stands in."""
    span: Span
    """Where it stands in the document."""
    answer: Span | None
    """Which words of it answer, in the document; None when no words stand out."""
    score: float
    """0 to 1; the chance that the sentence answers the question."""
    coverage: float
    """Share of the question's words, weighted by rarity, that it has."""

    @property
    def text(self) -> str:
        """The sentence."""
        return self.source.chunk.sentence(self.span)

    @property
    def words(self) -> str:
        """The words that answer; empty when none stand out."""
        return self.source.chunk.sentence(self.answer) if self.answer else ""


def weigh(index: Index, question: Question, readings: Sequence[Reading]) -> list[Evidence]:
    """Return what was read as evidence, the best first, equal scores in order of file and position."""
    words = index.rarity(sorted(set(question.wanted) or set(content_terms(question.query))))
    return _ranked(
        Evidence(
            source=reading.source,
            span=reading.span,
            answer=reading.answer,
            score=logistic(features(question, reading) @ WEIGHTS + BIAS),
            coverage=coverage(words, reading.text),
        )
        for reading in readings
    )


def nearby(evidence: Sequence[Evidence], other: Sequence[Evidence]) -> list[Evidence]:
    """Return evidence for a part of a question that refers to another part, best first.

    What stands in a chunk that may answer the other part keeps its own score; what stands elsewhere speaks
    more likely of something else.
    """
    chunks = {item.source.chunk.id for item in other if item.score >= PLAUSIBLE}
    return _ranked(
        item if item.source.chunk.id in chunks else replace(item, score=item.score * ELSEWHERE)
        for item in evidence
    )


def _ranked(evidence: Iterable[Evidence]) -> list[Evidence]:
    return sorted(evidence, key=lambda item: (-item.score, item.source.chunk.file, item.span))


def features(question: Question, reading: Reading) -> NDArray[np.float64]:
    """Return what the logistic model looks at, in the order of `WEIGHTS`."""
    return np.array(
        [
            max(reading.chunk_answers, LEAST),
            max(reading.margin, 2 * LEAST),
            max(reading.behind, LEAST),
            1 / (1 + reading.rank),
            not is_statement(reading.text),
            lacks_type(question.text, reading.text),
        ],
        np.float64,
    )


def logistic(log_odds: float) -> float:
    """Return the chance that log-odds stand for."""
    return float(1 / (1 + np.exp(-log_odds)))


def coverage(words: dict[str, float], text: str) -> float:
    """Return the share of some words, by weight, that a text has; 0 when there are no words."""
    present = set(content_terms(text))
    total = sum(words.values())
    return sum(weight for word, weight in words.items() if word in present) / total if total else 0.0


def is_statement(text: str) -> bool:
    """Whether a sentence says something, rather than being a heading, a label or a question."""
    spaced = bool(_statement.search(text)) and text.count(" ") >= 3
    return spaced or (len(text) > 10 and text[-1] in "。！")
