"""One of FastEmbed's models, run here; it brings its own ways to treat questions and documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from index.embedding import Kind, Vectors, unit_length
from index.errors import EmbedderError

if TYPE_CHECKING:
    from fastembed import TextEmbedding

BATCH = 32


class FastEmbedder:
    """A model from FastEmbed's list, which is downloaded on first use unless it is in its cache.

    Args:
        model: Its name in FastEmbed's list, such as `BAAI/bge-small-en-v1.5`.
    """

    def __init__(self, model: str) -> None:
        self._name = model
        self.id = f"fastembed:{model}"

    @property
    def dimensions(self) -> int:
        """See `Embedder.dimensions`."""
        return int(self._model.embedding_size)

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """See `Embedder.embed`."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        given = [text or " " for text in texts]
        rows: Iterable[object] = (
            self._model.query_embed(given)
            if kind == "query"
            else self._model.passage_embed(given, batch_size=BATCH)
        )
        left = iter(rows)
        for start in range(0, len(texts), BATCH):
            batch = list(islice(left, BATCH))
            vectors[start : start + BATCH] = unit_length(batch, len(vectors[start : start + BATCH]), self.id)
        return vectors

    @cached_property
    def _model(self) -> TextEmbedding:
        try:
            from fastembed import TextEmbedding
        except ImportError as error:
            raise EmbedderError(
                f"The embedder {self.id} needs FastEmbed: run `pip install 'footnote[fastembed]'`."
            ) from error
        try:
            return TextEmbedding(self._name)
        except Exception as error:  # What a download can raise has no common class.
            raise EmbedderError(f"FastEmbed cannot load the model {self._name}: {error}") from error
