"""What a document, or a whole folder, is about: its own leading and most central sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index import Index, ScoredChunk
from index.text import content_terms
from rag.evidence import Evidence, coverage, is_statement
from rag.question import Question
from rag.retriever import search

MAX_DOCUMENTS = 6
"""A summary of a folder speaks of so many documents, each by its opening."""
MAX_CHUNKS = 12
"""A summary of one document looks at so many chunks from its beginning."""
POINTS = 4
"""Sentences in a summary of one document."""
LEAD = 0.15
"""What opening a document is worth to a sentence, in cosine; it fades along the text."""
UNTOLD = 0.5
"""How central a sentence counts while the embedder fails: then those at the beginning are taken."""
NAMED = 0.5
"""Share of the question's words, weighted by rarity, that a document must have to be the one meant."""

_about_summaries = re.compile(
    r"\b(?:summar\w+|sum|up|tl;?dr|gist|overview|short|brief|outline|main|points?|ideas?|themes?|topics?|about|overall"
    r"|general|files?|documents?|articles?|texts?|stor(?:y|ies)|pieces?|corpus|folder|here|what|give|me|please|all"
    r"|one|two|three|four|five|six|seven|eight|nine|ten|\d+)\b",
    re.IGNORECASE,
)


def chunks(index: Index, question: Question) -> list[ScoredChunk]:
    """Return the chunks that a summary is made of, in the order it should follow.

    A question that says which document it means gets that document's first chunks; one that names
    none gets the first chunk of each document, at most `MAX_DOCUMENTS`; empty when the document
    that it speaks of is not there.
    """
    named = content_terms(_about_summaries.sub(" ", question.query))
    if not named:
        files = [file for file, _ in index.titles()[:MAX_DOCUMENTS]]
        return [_unscored(index, file)[0] for file in files]
    found = search(index, " ".join(named), k=1, depth=20)
    if not found or _share(index, named, found[0]) < NAMED:
        return []
    return _unscored(index, found[0].chunk.file)[:MAX_CHUNKS]


def read(index: Index, found: Sequence[ScoredChunk]) -> list[Evidence]:
    """Return the sentences that sum up some chunks, in the order of the chunks."""
    files = list(dict.fromkeys(scored.chunk.file for scored in found))
    points = POINTS if len(files) == 1 else 1
    return [
        sentence
        for file in files
        for sentence in _central(index, [s for s in found if s.chunk.file == file], points)
    ]


def _central(index: Index, found: list[ScoredChunk], points: int) -> list[Evidence]:
    """The sentences closest to the middle of what these chunks say, the opening ones preferred."""
    spans = [(scored, span) for scored in found for span in scored.chunk.sentences]
    spans = [(scored, span) for scored, span in spans if is_statement(scored.chunk.sentence(span))] or spans
    scores = _centrality(index, [scored.chunk.sentence(span) for scored, span in spans])
    ranks = scores + [LEAD / (1 + place) for place in range(len(spans))]
    best = sorted(sorted(range(len(spans)), key=lambda place: -ranks[place])[:points])
    return [
        Evidence(
            source=spans[place][0],
            span=spans[place][1],
            score=min(1.0, max(0.0, float(scores[place]))),
            coverage=1.0,
            answer=None,
        )
        for place in best
    ]


def _centrality(index: Index, sentences: list[str]) -> NDArray[np.float32]:
    """How close each sentence is to the middle of them all; one value for all when that cannot be told."""
    vectors = index.embed(sentences, "document")
    if vectors is None:
        return np.full(len(sentences), UNTOLD, np.float32)
    middle = vectors.mean(axis=0)
    scores: NDArray[np.float32] = vectors @ (middle / max(float((middle @ middle) ** 0.5), 1e-9))
    return scores


def _share(index: Index, named: list[str], best: ScoredChunk) -> float:
    """How much of what a question names stands in the document of the best chunk."""
    text = " ".join(chunk.text for chunk in index.chunks_of(best.chunk.file)[:MAX_CHUNKS])
    return coverage(index.rarity(named), f"{best.chunk.title} {text}")


def _unscored(index: Index, file: str) -> list[ScoredChunk]:
    return [ScoredChunk(chunk=chunk, score=0.0, similarity=0.0, bm25=0.0) for chunk in index.chunks_of(file)]
