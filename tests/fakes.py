"""Stand-ins whose results can be worked out by hand."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence

import numpy as np

from index.embedding import Kind, Vectors
from index.text import terms


class HashEmbedder:
    """A bag of words: each term adds 1 in the place its checksum gives it; then length 1.

    `texts` counts how many texts went through, which is how tests see what was embedded again.
    """

    id = "hash-64"
    dimensions = 64

    def __init__(self) -> None:
        self.texts = 0

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        self.texts += len(texts)
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            for term in terms(text) or ["nothing"]:
                vectors[row, zlib.crc32(term.encode()) % self.dimensions] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class HeldEmbedder(HashEmbedder):
    """Embeds for the thread that keeps an index only as often as it is let; for others at once.

    `held` is set when that thread has had to wait.
    """

    def __init__(self) -> None:
        super().__init__()
        self.held, self._steps = threading.Event(), threading.Semaphore(0)

    def let(self, steps: int = 10_000) -> None:
        """Let it embed so many times more."""
        for _ in range(steps):
            self._steps.release()

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        if threading.current_thread().name == "footnote-keeper" and not self._steps.acquire(blocking=False):
            self.held.set()
            assert self._steps.acquire(timeout=60)
        return super().embed(texts, kind=kind)
