"""The chunks that matter for a query: search by meaning and by words, fused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from index import Candidate, Index, ScoredChunk

DEPTH = 100
"""How many chunks each of the two searches contributes at least."""
TRIES = 3
"""A search of which something has been removed before it was read is made anew."""
BOILERPLATE = 2.0
"""So many standard deviations lower stands a cookie notice or a line of buttons: it answers when nothing else does."""


class HybridRetriever(BaseRetriever):
    """A LlamaIndex retriever over an index: dense vectors and BM25, fused on their scores.

    Args:
        index: What to search.
        k: How many chunks `retrieve` returns at most, at least 1.

    Raises:
        ValueError: If k is below 1.
    """

    def __init__(self, index: Index, k: int = 8) -> None:
        if k < 1:
            raise ValueError(f"At least 1 chunk has to be asked for, not {k}.")
        self._footnote_index = index
        self._k = k
        super().__init__()

    def search(self, query: str) -> list[ScoredChunk]:
        """Return at most k chunks, best first, equal scores in order of chunk id; empty when nothing matches."""
        return search(self._footnote_index, query, self._k, max(DEPTH, self._k))

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(scored) for scored in self.search(query_bundle.query_str)]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def search(index: Index, query: str, k: int, depth: int) -> list[ScoredChunk]:
    """Return at most k chunks, best first, equal scores in order of chunk id; empty when nothing matches.

    Args:
        index: What to search.
        query: What to search for.
        k: How many chunks, at least 1.
        depth: How many each of the two searches contributes, at least k.
    """
    found: list[ScoredChunk] = []
    for _ in range(TRIES):
        best = fuse(index.candidates(query, depth))[:k]
        chunks = index.chunks(candidate.id for candidate, _ in best)
        found = [
            ScoredChunk(
                chunk=chunks[candidate.id],
                score=score,
                similarity=candidate.similarity,
                bm25=candidate.bm25,
            )
            for candidate, score in best
            if candidate.id in chunks
        ]
        if len(found) == len(best):
            break
    return found


def fuse(candidates: Sequence[Candidate]) -> list[tuple[Candidate, float]]:
    """Return candidates, each with the sum of its standardised scores, best first.

    Each score is counted in standard deviations from its mean over the candidates, so neither
    search's scale decides; every candidate has both scores, so neither is guessed. Boilerplate counts
    `BOILERPLATE` less.
    """
    if not candidates:
        return []
    both = _standardised([c.similarity for c in candidates]) + _standardised([c.bm25 for c in candidates])
    # Rounded, for equal sums differ in their last digit with the order of what was summed.
    scores = (both - BOILERPLATE * np.array([c.boilerplate for c in candidates])).round(9).tolist()
    return sorted(zip(candidates, scores, strict=True), key=lambda one: (-one[1], one[0].id))


def _standardised(scores: Sequence[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    values = np.asarray(scores, np.float64)
    spread = values.std()
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)


def _node(scored: ScoredChunk) -> NodeWithScore:
    chunk = scored.chunk
    node = TextNode(
        id_=str(chunk.id),
        text=chunk.text,
        start_char_idx=chunk.start,
        end_char_idx=chunk.end,
        metadata={
            "file": chunk.file,
            "title": chunk.title,
            "date": chunk.date and chunk.date.isoformat(),
            "page": chunk.page,
        },
    )
    return NodeWithScore(node=node, score=scored.score)
