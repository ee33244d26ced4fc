"""Search by meaning: the nearest vectors, from Chroma and, for the newest, exactly.

Chroma is a cache of the store: files on this machine or a server. What it does not answer for, the
newest vectors or, when it fails, all of them, is compared one by one, and nothing that the store has
dropped is ever found.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from index.chroma_server import ChromaServer
from index.embedding import Vectors, cosines
from index.exact import ExactSearch
from index.generations import Generations
from index.store import Store

EXACT = 300_000
"""So many vectors can be compared one by one without Chroma: 450 MB, and 60 ms a question."""

SPARE = 10
"""Chroma is asked for so many more: the order in which it has them is not quite the exact one."""


class VectorCache(Protocol):
    """What answers for all vectors up to an id, and never fails: it then answers for none."""

    @property
    def problem(self) -> str:
        """Why there is no answer, for people; empty when there is one."""
        ...

    @property
    def through(self) -> int:
        """That id; 0 when there is no answer."""
        ...

    def nearest(self, query: Vectors, k: int) -> list[int]:
        """Return the ids of about the k nearest; fewer than k only when that is all of them."""
        ...

    def reload(self) -> None:
        """See what has been published since."""
        ...

    def refresh(self) -> None:
        """Bring it up to date."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...


class VectorIndex:
    """The vectors of all chunks; safe to share between threads.

    Args:
        folder: Where the cache lives; it may be missing.
        store: What it is made from.
        chroma_url: Address of a Chroma server to use instead of the folder.
    """

    def __init__(self, folder: Path, store: Store, chroma_url: str | None = None) -> None:
        self._store = store
        self._cache: VectorCache = (
            ChromaServer(chroma_url, folder, store) if chroma_url else Generations(folder, store)
        )
        self._exact = ExactSearch(store)
        self._lock = threading.Lock()

    def reload(self) -> None:
        """See what another writer has published or stored since; costs next to nothing when it is nothing."""
        self._cache.reload()

    @property
    def sound(self) -> bool:
        """Whether Chroma answers for the vectors it was given."""
        return self._cache.through > 0

    @property
    def problem(self) -> str:
        """Why search by meaning is slower or poorer than it should be, for people; empty when it is not."""
        problem = self._cache.problem
        words_only = problem and not self.sound and self._too_many()
        return f"{problem} Until then only words are searched." if words_only else problem

    def search(self, query: Vectors, k: int) -> dict[int, float]:
        """Return at most k vector ids with their cosine to the query, the nearest ones, best first.

        Args:
            query: One vector of length 1, shape `(dimensions,)`, of the embedder in force. When that has
                just been replaced by one of other dimensions, nothing is found.
            k: Largest number of results, at least 1.
        """
        through = self._cache.through
        near = self._present(self._cache.nearest, query, k, through)
        through = min(through, self._cache.through)  # 0 when it has just failed.
        with self._lock:
            if through or not self._too_many():
                self._exact.follow(through)
                near |= self._present(self._exact.nearest, query, k)
        best = sorted(near.items(), key=lambda item: (-item[1], item[0]))[:k]
        return dict(best)

    def _too_many(self) -> bool:
        return self._store.counts()["vectors"] > EXACT

    def _present(
        self,
        nearest: Callable[[Vectors, int], list[int]],
        query: Vectors,
        k: int,
        through: float = math.inf,
    ) -> dict[int, float]:
        """The nearest vectors, with ids up to one, that the store still has, with exact cosines."""
        wanted = k + SPARE
        while True:
            ids = nearest(query, wanted)
            stored = self._store.vectors(vector_id for vector_id in ids if vector_id <= through)
            if len(stored) >= k or len(ids) < wanted:
                same = {i: vector for i, vector in stored.items() if vector.shape == query.shape}
                return dict(zip(same, cosines(same.values(), query), strict=True))
            wanted *= 4

    def refresh(self) -> None:
        """Bring Chroma up to date with the store if it lags far behind; only the writer calls this.

        Cheap while there is nothing to do, so it may be called often: while many texts are embedded,
        after every 25,000 of them. Searching goes on meanwhile. What fails is said by `problem`.
        """
        self._cache.refresh()

    def close(self) -> None:
        """Release Chroma's files or connections."""
        self._cache.close()
