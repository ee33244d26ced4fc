"""Texts to vectors."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

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
BATCH_TOKENS = 1024
"""What one run of the model takes in, so that its memory is bounded and its numbers stay in the cache."""
WINDOW = 512
"""Texts that are looked at together to find those of one length."""
THREADS = min(8, os.cpu_count() or 1)


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


def cosines(vectors: Iterable[Vectors], query: Vectors) -> list[float]:
    """Return the cosine of each vector with a query, all of length 1; equal vectors have equal ones.

    Summed in 64 bits and rounded, for the sum in 32 bits depends on where in the matrix a row stands.
    """
    rows = list(vectors)
    return (np.stack(rows).astype(np.float64) @ query).round(9).tolist() if rows else []


class Batch(NamedTuple):
    """Texts of one length."""

    rows: list[int]
    """Which texts these are."""
    ids: NDArray[np.int32]
    """Their tokens, one row a text."""


class MiniLM:
    """all-MiniLM-L6-v2 in ONNX Runtime: 384 dimensions, the same vectors for queries and documents.

    The model is loaded on first use; no download is ever made. It computes in 8-bit integers, or in floats
    where the processor does not multiply these exactly. A text's vector does not depend on the texts
    beside it; its cosine with that of the published model is about .997, above .98 for a text of
    any words. Safe to share between threads: none waits for another's texts.
    """

    id = "all-minilm-l6-v2-int8"
    dimensions = 384

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        """See `Embedder.embed`."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        if len(texts) == 1:
            self._run(self._batches(texts)[0], vectors)
        elif texts:
            self._run_all(texts, vectors)
        return vectors

    def _run_all(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Embed window by window, each made into tokens while the one before is in the model."""
        _ = self._session  # made once, before several threads ask for it
        with ThreadPoolExecutor(THREADS) as pool:
            running: list[Future[None]] = []
            for start in range(0, len(texts), WINDOW):
                window = slice(start, start + WINDOW)
                batches = self._batches(texts[window])
                following = [pool.submit(self._run, batch, vectors[window]) for batch in batches]
                _finish(running)
                running = following
            _finish(running)

    def _run(self, batch: Batch, vectors: Vectors) -> None:
        (vectors[batch.rows],) = self._session.run(["vectors"], {"input_ids": batch.ids})

    def _batches(self, texts: Sequence[str]) -> list[Batch]:
        """Texts of one length together, so that nothing is padded; the largest batches first."""
        of_length: dict[int, list[int]] = defaultdict(list)
        encodings = self._tokenizer.encode_batch_fast(list(texts))
        for row, encoding in enumerate(encodings):
            of_length[len(encoding)].append(row)
        batches = []
        for length, alike in of_length.items():
            most = BATCH_TOKENS // length
            for start in range(0, len(alike), most):
                rows = alike[start : start + most]
                batches.append(Batch(rows, np.array([encodings[row].ids for row in rows], np.int32)))
        return sorted(batches, key=lambda batch: -batch.ids.size)

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        from index.minilm import graph_file

        session = _load(graph_file(int8=True))
        (exact,) = session.run(["exact"], {"input_ids": np.zeros((1, 1), np.int32)})
        return session if exact else _load(graph_file(int8=False))

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        from index.minilm import model_folder

        tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer


def _finish(running: list[Future[None]]) -> None:
    for batch in running:
        batch.result()


def _load(graph: Path) -> onnxruntime.InferenceSession:
    """A session that computes in the thread that calls it, so that texts of several callers go side by side."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    # Batches come in many shapes: a plan of the memory for each would only take some itself.
    options.enable_mem_pattern = False
    # The graph is as it should be; further fusions make some of its steps slower.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # Its exceptions have no common class of their own.
        raise EmbedderError(f"The model's cache {graph} is damaged: delete it.") from error
