"""What an index finds, before the two searches are fused."""

from __future__ import annotations

from index import Index, ScoredChunk


def candidates(index: Index, query: str, k: int) -> list[ScoredChunk]:
    """The index's candidates with their chunks, in order of chunk id; none has a fused score."""
    while True:
        found = index.candidates(query, k)
        chunks = index.chunks(candidate.id for candidate in found)
        if len(chunks) == len(found):  # Else one has been removed meanwhile.
            return [
                ScoredChunk(chunk=chunks[one.id], score=0.0, similarity=one.similarity, bm25=one.bm25)
                for one in found
            ]
