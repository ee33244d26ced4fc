"""The approximate search against comparing all vectors, through the index's own door."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from index import Index, MiniLM
from index.embedding import Kind, Vectors
from tests.conftest import SEEDS
from tests.faults.children import in_child
from tests.faults.library import word
from tests.finding import candidates

K = 10
QUERIES = 100
RECALL = 0.98
FOOTER = "Footer: " + " ".join(word(f"footer {n}") for n in range(35)) + "."


class PlannedEmbedder:
    """Gives texts the vectors that were planned for them.

    A query is a number too, in a form that no document has, so that it finds nothing by words.
    """

    id = "planned"

    def __init__(self, plan: Path) -> None:
        arrays = np.load(plan)
        self.own, self.footers, self.queries = arrays["own"], arrays["footers"], arrays["queries"]
        self.dimensions = self.own.shape[1]

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Vectors:
        if asked := re.fullmatch(r"query(\d+)", text):
            return np.asarray(self.queries[int(asked[1])])
        number = re.match(r"number(\d+)", text)
        assert number
        return np.asarray((self.footers if FOOTER in text else self.own)[int(number[1])])


def unit(vectors: Vectors) -> Vectors:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def search(corpus: Path, folder: Path, plan: Path) -> tuple[list[set[tuple[int, bool]]], bool]:
    """The nearest of each query, as number and whether it is a footer, once Chroma holds the vectors."""
    index = Index(corpus, folder, PlannedEmbedder(plan))
    index.sync()
    found = []
    for query in range(len(index.embedder.queries)):
        nearest = sorted(candidates(index, f"query{query}", K), key=lambda each: -each.similarity)[:K]
        found.append({(int(each.chunk.file[:-4]), FOOTER in each.chunk.text) for each in nearest})
    sound = index.caches()["Chroma"]
    index.close()
    return found, sound


def recall(folder: Path, own: Vectors, footers: Vectors, queries: Vectors) -> tuple[float, int]:
    """Index documents with these vectors, some with a footer too; return the mean recall, and the misses.

    The second figure counts documents, out of some, that their own vector does not find.
    """
    own, footers = unit(own), unit(footers) if len(footers) else footers
    themselves = np.random.default_rng(1).choice(len(own), QUERIES, replace=False)
    queries = np.concatenate([unit(queries), own[themselves]])
    np.savez(folder / "plan.npz", own=own, footers=footers, queries=queries)
    (folder / "corpus").mkdir()
    for number in range(len(own)):
        paragraphs = [f"number{number} " + " ".join(word(f"{number}/{n}") for n in range(25))]
        paragraphs += [FOOTER] * (number < len(footers))
        (folder / "corpus" / f"{number}.txt").write_text("\n\n".join(paragraphs))
    found, sound = in_child(search, folder / "corpus", folder / "index", folder / "plan.npz")
    assert sound
    everything = np.concatenate([own, footers])
    exact = np.argsort(-(queries @ everything.T), axis=1)[:, :K]
    hits = [
        len(got & {(int(row % len(own)), bool(row >= len(own))) for row in rows}) / K
        for got, rows in zip(found, exact, strict=True)
    ]
    missed = sum(
        (int(number), False) not in got for number, got in zip(themselves, found[-QUERIES:], strict=True)
    )
    return float(np.mean(hits)), missed


def clustered(count: int, seed: int, dimensions: int = 64) -> Vectors:
    draw = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((40, dimensions))
    return (centres[draw.integers(40, size=count)] + 0.6 * draw.standard_normal((count, dimensions))).astype(
        np.float32
    )


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("count", "footers"),
    [
        (10_000, 1000),
        (10_000, 3000),
    ],
)
def test_repeated_footers_hide_nothing(
    tmp_path: Path, count: int, footers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same text under different titles: vectors that are all but equal."""
    same = clustered(1, seed=2) + 0.01 * np.random.default_rng(3).standard_normal((footers, 64)).astype(
        np.float32
    )
    found, missed = recall(tmp_path, clustered(count, seed=1), same, clustered(QUERIES, seed=4))
    assert found >= RECALL
    assert missed == 0
    with capsys.disabled():
        print(
            f"\n{count:,} unique and {footers:,} like chunks: recall@{K} {found:.3f}, {missed} not found by themselves"
        )


@pytest.mark.parametrize("count", [1100, pytest.param(10_000, marks=pytest.mark.heavy)])
def test_our_own_embeddings(tmp_path: Path, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Stretches of real text of different lengths, from some words to several sentences."""
    words = " ".join(path.read_text() for path in sorted(SEEDS.glob("*.txt"))).split()
    draw = np.random.default_rng(0)
    starts, lengths = draw.integers(len(words), size=(2, count + QUERIES))
    texts = [
        " ".join(words[start : start + 4 + length % 12])
        for start, length in zip(starts, lengths, strict=True)
    ]
    vectors = MiniLM().embed(texts, kind="document")
    found, missed = recall(tmp_path, vectors[:count], vectors[:0], vectors[count:])
    assert found >= RECALL
    assert missed <= QUERIES * (1 - RECALL)
    with capsys.disabled():
        print(f"\n{count:,} of our own embeddings: recall@{K} {found:.3f}, {missed} not found by themselves")
