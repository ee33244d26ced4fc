"""Texts to vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from index.errors import EmbedderError

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
Kind = Literal["query", "document"]

MAX_TOKENS = 256
"""What the model was published with; longer texts are cut."""
BATCH = 32


class Embedder(Protocol):
    """Anything that turns texts into vectors; a new one is one new class."""

    @property
    def id(self) -> str:
        """Name and version of the model: vectors of different ids never mix."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        ...

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """Return one vector per text.

        Args:
            texts: The texts, in any number; may be empty.
            kind: What they are, for models that treat questions and documents differently.

        Returns:
            Shape `(len(texts), dimensions)`, float32, each row of length 1, in the order given.

        Raises:
            EmbedderError: If the model is missing or damaged.
        """
        ...


def unit_length(rows: Sequence[object], count: int, embedder: str) -> Vectors:
    """Return vectors that came from elsewhere, each scaled to length 1.

    Raises:
        EmbedderError: If there are not `count` of them, of one length, all finite and none zero.
    """
    try:
        vectors = np.asarray(rows, np.float64)
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    except (ValueError, TypeError, OverflowError) as error:
        raise EmbedderError(f"What the embedder {embedder} gave are not vectors of one length.") from error
    if vectors.ndim != 2 or len(vectors) != count:
        raise EmbedderError(f"The embedder {embedder} gave {len(vectors)} vectors for {count} texts.")
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise EmbedderError(f"The embedder {embedder} gave a vector that is zero or not of finite numbers.")
    return np.asarray(vectors / lengths, np.float32)


class MiniLM:
    """all-MiniLM-L6-v2 in ONNX Runtime: 384 dimensions, the same vectors for queries and documents.

    The model is loaded on first use; no download is ever made.
    """

    id = "all-minilm-l6-v2"
    dimensions = 384

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """See `Embedder.embed`."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for rows, ids, mask in self._batches(texts):
            (vectors[rows],) = self._session.run(["vectors"], {"input_ids": ids, "attention_mask": mask})
        return vectors

    def _batches(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[list[int], NDArray[np.int32], NDArray[np.int32]]]:
        """Texts of like length together, so that little is spent on padding."""
        encodings = self._tokenizer.encode_batch([text or " " for text in texts])
        order = sorted(range(len(texts)), key=lambda row: len(encodings[row].ids))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            width = len(encodings[rows[-1]].ids)
            ids = np.zeros((len(rows), width), np.int32)
            mask = np.zeros((len(rows), width), np.int32)
            for line, row in enumerate(rows):
                length = len(encodings[row].ids)
                ids[line, :length] = encodings[row].ids
                mask[line, :length] = 1
            yield rows, ids, mask

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        import onnxruntime

        from index.minilm import graph_file

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Waiting threads sleep: spinning ones take the processor from everybody else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        graph = graph_file()
        try:
            return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # Its exceptions have no common class of their own.
            raise EmbedderError(f"The model's cache {graph} is damaged: delete it.") from error

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        from index.minilm import model_folder

        tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer
