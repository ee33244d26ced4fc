"""How time and memory of a query grow with the number of chunks, against comparing every vector.

Retrieval is by meaning and by words, fused, without the reader; its time includes embedding the query. Up to
10,000 chunks are embedded by the real model, more by the mean of a random vector per word, with a part that the words
of a topic share (`--real` embeds all); queries go through both. The texts are made up: 200 topics with words of their own among common ones. *Exact* is the
same retrieval with every vector compared; *recall* is the share of its first ten that are found.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

import numpy as np
import psutil

from index import Embedder, Index, MiniLM
from tests.bench import library
from tests.bench.embedders import WordVectors
from tests.bench.processes import alone, memory, seconds

PARAGRAPHS = 10
QUERIES = 200
WARM_UP = 20
TOP = 10
REAL_UP_TO = 10_000


def measure(sizes: list[int], real: bool = False, queries: int = QUERIES) -> list[dict[str, Any]]:
    """Return one row for each number of chunks."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            kind: type[Embedder] = MiniLM if real or size <= REAL_UP_TO else WordVectors
            library.write(Path(folder, "corpus"), max(1, size // PARAGRAPHS), PARAGRAPHS)
            built, peak = alone(build, Path(folder), kind)
            asked, _ = alone(ask, Path(folder), kind, queries)
            what = f"{built['chunks']:,}, {kind.id}"
            rows.append({"what": what} | built | {"indexing: MB": peak} | asked)
    return rows


def build(folder: Path, kind: type[Embedder]) -> dict[str, Any]:
    """Index the corpus in a folder."""
    index = Index(folder / "corpus", folder / "index", kind())
    taken = seconds(index.sync)
    chunks = index.counts()["chunks"]
    index.close()
    return {"chunks": chunks, "indexing: chunks/s": chunks / taken}


def ask(folder: Path, kind: type[Embedder], queries: int) -> dict[str, Any]:
    """Ask the index in a folder, first as it is, then with every vector compared."""
    index = Index(folder / "corpus", folder / "index", kind())
    files = index.counts()["documents"]
    numbers = np.random.default_rng(1).integers(files, size=WARM_UP + queries).tolist()
    asked = [library.question(n)[0] if n % 2 else library.keywords(n) for n in numbers]
    found, times = _retrieve(index, asked)
    held = memory(psutil.Process())
    index._vectors = _Exact(index)  # type: ignore[assignment]
    expected, exact_times = _retrieve(index, asked)
    index.close()
    return {
        "querying: MB": held,
        "p50 ms": median(times),
        "p95 ms": quantiles(times, n=20)[-1],
        "exact p50 ms": median(exact_times),
        "faster than exact": median(exact_times) / median(times),
        "recall@10": mean(len(a & b) / len(b) for a, b in zip(found, expected, strict=True)),
    }


def _retrieve(index: Index, queries: list[str]) -> tuple[list[set[int]], list[float]]:
    """The first ten chunks of each query, and its milliseconds; the first queries only warm up."""
    from rag.retriever import DEPTH, search

    found, times = [], []
    for query in queries:
        times.append(1000 * seconds(lambda q=query: found.append(search(index, q, TOP, DEPTH))))
    return [{one.chunk.id for one in chunks} for chunks in found[WARM_UP:]], times[WARM_UP:]


class _Exact:
    """Search by meaning that compares every vector; stands in for the index's own."""

    def __init__(self, index: Index) -> None:
        pages = list(index.store.vectors_after(0))
        self._ids = np.concatenate([ids for ids, _ in pages])
        self._vectors = np.concatenate([vectors for _, vectors in pages])

    def search(self, query: np.ndarray, k: int) -> dict[int, float]:
        cosines = self._vectors @ query
        best = np.argpartition(-cosines, min(k, len(cosines) - 1))[:k]
        return {int(self._ids[row]): float(cosines[row]) for row in best}

    def close(self) -> None:
        self._vectors = np.empty((0, 0))
