"""Stand-ins for a model, so that a large index can be measured without an hour of embedding."""

from __future__ import annotations

import os
import re
import signal
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from index import Embedder, MiniLM
from index.embedding import Kind, Vectors
from tests.bench import library


class WordVectors:
    """The mean of a random vector per word of four letters or more: texts that share words are neighbours.

    The words and places of a topic of the library have half a vector in common, so that its texts are a cluster
    and a question lies in that of what it asks for, as with a real model. Queries also go through MiniLM, whose vectors are thrown away, so that they take the time they really take.
    """

    id = "word-vectors-384-by-topic"
    dimensions = 384

    def __init__(self) -> None:
        self._model = MiniLM()

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """See `Embedder.embed`."""
        if kind == "query":
            self._model.embed(texts, kind=kind)
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = np.sum([_vector(word) for word in re.findall(r"\w{4,}", text.lower()) or [""]], 0)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


@cache
def _vector(word: str) -> Vectors:
    topic = library.topic(word)
    return _random(word) if topic is None else _random(word) + _random(f"topic {topic}") / 2


def _random(name: str) -> Vectors:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return rng.standard_normal(WordVectors.dimensions, np.float32)


class Dying:
    """An embedder that kills its process, as no exception handler can see, once it has seen so many texts."""

    def __init__(self, embedder: Embedder, after: int, tally: Path) -> None:
        self._embedder, self._after, self._tally = embedder, after, tally
        self.id, self.dimensions = embedder.id, embedder.dimensions
        self._seen = 0

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """See `Embedder.embed`; the number of texts embedded so far stands in the tally."""
        if self._seen >= self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        vectors = self._embedder.embed(texts, kind=kind)
        self._seen += len(texts)
        self._tally.write_text(str(self._seen))
        return vectors
