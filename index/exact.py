"""Vectors compared one by one: always right, and fast enough for the newest ones."""

from __future__ import annotations

import numpy as np

from index.embedding import Vectors
from index.store import Store

BLOCK = 4096
"""Rows in one matrix, so that what comes later never moves much of what is there."""


class ExactSearch:
    """The store's vectors above an id, held in memory: 150 MB for 100,000 of 384 dimensions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._followed = ("", 0)
        self._clear(after=0)

    def _clear(self, after: int) -> None:
        self._after = self._last = after
        self._blocks: list[tuple[list[int], Vectors]] = []
        self._space = self._store.space

    def follow(self, after: int) -> None:
        """Hold the vectors with an id above `after`; only those not read yet are read.

        Vectors that the store has dropped since stay until `after` passes them.
        """
        revision = self._store.revision
        if (revision, after) == self._followed:
            return
        if after < self._after or self._space != self._store.space:
            self._clear(after)
        elif after > self._after:
            self._drop(after)
        for ids, vectors in self._store.vectors_after(self._last):
            self._append(ids, vectors)
        self._followed = revision, after

    def _drop(self, after: int) -> None:
        self._after, self._last = after, max(after, self._last)
        blocks, self._blocks = self._blocks, []
        for ids, vectors in blocks:
            kept = int(np.searchsorted(ids, after, side="right"))
            if kept < len(ids):
                self._blocks.append((ids[kept:], vectors[kept:].copy()))

    def _append(self, ids: list[int], vectors: Vectors) -> None:
        if self._blocks and len(self._blocks[-1][0]) < BLOCK:
            earlier_ids, earlier = self._blocks.pop()
            ids, vectors = earlier_ids + ids, np.concatenate([earlier, vectors])
        self._blocks.append((ids, vectors))
        self._last = ids[-1]

    def nearest(self, query: Vectors, k: int) -> list[int]:
        """Return the ids of the k nearest vectors, in no order; all when there are fewer, none of other dimensions.

        Args:
            query: One vector of length 1, shape `(dimensions,)`.
            k: How many, at least 1.
        """
        ids = [vector_id for block, _ in self._blocks for vector_id in block]
        if len(ids) <= k:
            return ids
        if self._blocks[0][1].shape[1] != len(query):
            return []
        cosines = np.concatenate([vectors @ query for _, vectors in self._blocks])
        return [ids[row] for row in np.argpartition(-cosines, k)[:k]]
