"""How likely each sentence that was read answers the question.

The reader's opinion is weighed together with plain features of question and sentence by a logistic
model, fitted on articles that the reader was not trained on (`rag/training/`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index import Index, ScoredChunk, Span
from index.text import content_terms
from rag.question import Expects, Question
from rag.reader import Reading

WEIGHTS = np.array([0.4, 0.15, 0.2, 0.3, 2.0, 0.0, 2.0, 1.5, 0.2, -1.0])
BIAS = -2.0
LEAST = -8.0
"""Logits below this say no more than this."""

_month = r"(?:Jan|Febr)uary|March|April|May|June|July|August|(?:Septem|Octo|Novem|Decem)ber"
_patterns = {
    Expects.TIME: re.compile(
        rf"\b(?:{_month}|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|1\d{{3}}|20\d\d|centur(?:y|ies)|\d+(?:st|nd|rd|th))\b"
    ),
    Expects.NUMBER: re.compile(
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?"
        r"|millions?|billions?|half|third|quarter|twice|first|second|percent)\b",
        re.IGNORECASE,
    ),
    Expects.QUOTE: re.compile(r"[\"“”«»]"),
}
_name = re.compile(r"\b[A-Z][\w’'-]+")
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


def weigh(index: Index, question: Question, readings: Sequence[Reading]) -> list[Evidence]:
    """Return what was read as evidence, the best first, equal scores in order of file and position."""
    words = index.rarity(sorted(set(question.wanted) or set(content_terms(question.query))))
    evidence = [
        Evidence(
            source=reading.source,
            span=reading.span,
            answer=reading.answer,
            score=_logistic(features(question, words, reading)),
            coverage=coverage(words, reading.text),
        )
        for reading in readings
    ]
    return sorted(evidence, key=lambda e: (-e.score, e.source.chunk.file, e.span))


def features(question: Question, words: dict[str, float], reading: Reading) -> NDArray[np.float64]:
    """Return what the logistic model looks at, in the order of `WEIGHTS`."""
    chunk = reading.source.chunk
    return np.array(
        [
            max(reading.chunk_answers, LEAST),
            max(reading.margin, 2 * LEAST),
            max(reading.backing, LEAST),
            max(reading.behind, LEAST),
            coverage(words, reading.text),
            coverage(words, f"{chunk.title} {chunk.text}"),
            reading.source.similarity,
            1 / (1 + reading.rank),
            has_expected(question, reading.text),
            not is_statement(reading.text),
        ],
        np.float64,
    )


def _logistic(values: NDArray[np.float64]) -> float:
    return float(1 / (1 + np.exp(-(values @ WEIGHTS + BIAS))))


def coverage(words: dict[str, float], text: str) -> float:
    """Return the share of some words, by weight, that a text has; 0 when there are no words."""
    present = set(content_terms(text))
    total = sum(words.values())
    return sum(weight for word, weight in words.items() if word in present) / total if total else 0.0


def has_expected(question: Question, text: str) -> float:
    """Return 1 if a sentence has the kind of words asked for, 0 if not, 0.5 where any words will do."""
    if question.expects is Expects.ANY:
        return 0.5
    if question.expects is Expects.NAME:
        asked = question.text.lower()
        return float(any(name.lower() not in asked for name in _name.findall(text[1:])))
    return float(bool(_patterns[question.expects].search(text)))


def is_statement(text: str) -> bool:
    """Whether a sentence says something, rather than being a heading, a label or a question."""
    spaced = bool(_statement.search(text)) and text.count(" ") >= 3
    return spaced or (len(text) > 10 and text[-1] in "。！")
