"""Which sentences of the retrieved chunks answer the question.

Each sentence is described by a few features of it and the question together, and a logistic model
turns them into a score. Its weights were fitted on SQuAD articles, never on the shipped documents.
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

CLOSE = 24
"""So many sentences, the best by their words, are also compared by meaning."""
CONTEXT_WEIGHT = 0.3
"""What a word that only an earlier turn brought counts, against one of the question's own."""
WEIGHTS = np.array([3.0, 1.0, 4.0, 1.0, 1.0, -1.5])
BIAS = -5.0

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


def is_statement(text: str) -> bool:
    """Whether a sentence says something, rather than being a heading, a label or a question."""
    return (bool(_statement.search(text)) and text.count(" ") >= 3) or (len(text) > 40 and text[-1] in "。！")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSentence:
    """A sentence of a retrieved chunk, and how well it answers."""

    source: ScoredChunk
    """The chunk it stands in."""
    span: Span
    """Where it stands in the document."""
    text: str
    score: float
    """0 to 1; how likely it is that the sentence answers."""
    coverage: float
    """Share of the question's words, weighted by rarity, that the sentence has."""
    vector: NDArray[np.float32]
    """What it means, as a vector of length 1."""


class Reader:
    """Reads retrieved chunks with a question in mind."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def read(self, question: Question, chunks: Sequence[ScoredChunk]) -> list[ReadSentence]:
        """Return the sentences of some chunks that come closest to an answer, the best first.

        Equal scores are in order of file and position; no chunks give no sentences.
        """
        words = self._weigh(question)
        found = [
            _Reading(words, scored, rank, span)
            for rank, scored in enumerate(chunks)
            for span in scored.chunk.sentences
        ]
        found = sorted(found, key=lambda reading: -reading.rough)[:CLOSE]
        if not found:
            return []
        vectors = self._index.embedder.embed(
            [question.query, *(reading.text for reading in found)], kind="query"
        )
        read = [
            reading.finish(question, vectors[0], vector)
            for reading, vector in zip(found, vectors[1:], strict=True)
        ]
        return sorted(read, key=lambda sentence: (-sentence.score, sentence.source.chunk.file, sentence.span))

    def _weigh(self, question: Question) -> dict[str, float]:
        """The words to look for; the rarer in the documents, the heavier."""
        own = set(question.wanted)
        rarity = self._index.rarity(sorted({*own, *content_terms(question.query)}))
        return {word: weight * (1 if word in own else CONTEXT_WEIGHT) for word, weight in rarity.items()}


class _Reading:
    """One sentence while it is being read."""

    def __init__(self, words: dict[str, float], source: ScoredChunk, rank: int, span: Span) -> None:
        self.source, self.span, self.rank = source, span, rank
        self.text = source.chunk.sentence(span)
        self.coverage = _coverage(words, self.text)
        self.around = _coverage(words, f"{source.chunk.title} {source.chunk.text}")
        self.rough = self.coverage + 0.5 * self.around + 0.5 / (1 + rank)

    def finish(
        self, question: Question, asked: NDArray[np.float32], vector: NDArray[np.float32]
    ) -> ReadSentence:
        features = np.array(
            [
                self.coverage,
                self.around,
                float(asked @ vector),
                1 / (1 + self.rank),
                _has_expected(question, self.text),
                not is_statement(self.text),
            ]
        )
        score = 1 / (1 + np.exp(-(features @ WEIGHTS + BIAS)))
        return ReadSentence(
            source=self.source,
            span=self.span,
            text=self.text,
            score=float(score),
            coverage=self.coverage,
            vector=vector,
        )


def _coverage(words: dict[str, float], text: str) -> float:
    present = set(content_terms(text))
    total = sum(words.values())
    return sum(weight for word, weight in words.items() if word in present) / total if total else 0.0


def _has_expected(question: Question, text: str) -> float:
    """1 if the sentence has the kind of words asked for, 0 if not, 0.5 where any words will do."""
    if question.expects is Expects.ANY:
        return 0.5
    if question.expects is Expects.NAME:
        asked = question.text.lower()
        return float(any(name.lower() not in asked for name in _name.findall(text[1:])))
    return float(bool(_patterns[question.expects].search(text)))
