"""How well judged collections are ranked: by meaning alone, by words alone, and by both, as Footnote ranks."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from statistics import mean
from typing import Any

from rich.progress import track

from index import Candidate, Index
from rag.retriever import DEPTH, fuse

TOP = 10
Grades = dict[str, int]
"""Grade of each judged document of a query; above 0 is relevant."""
Ranking = Callable[[Sequence[Candidate]], list[Candidate]]
"""Candidates to the files they stand in, best first."""


@dataclass(frozen=True)
class Collection:
    """Documents and queries, and which documents are relevant to which query."""

    name: str
    documents: dict[str, str]
    queries: dict[str, str]
    judgments: dict[str, Grades]

    @classmethod
    def parse(cls, given: str) -> Collection:
        """Read a collection from `FOLDER` or `FOLDER:QRELS`."""
        folder, _, qrels = given.partition(":")
        root = Path(folder)
        found = [root / qrels] if qrels else sorted(root.glob("qrels/*.tsv"))
        if len(found) != 1 or not found[0].is_file():
            names = ", ".join(f"{folder}:qrels/{path.name}" for path in sorted(root.glob("qrels/*.tsv")))
            raise SystemExit(f"{given}: say which judgments to use: {names or 'there are none in qrels/'}")
        judgments: dict[str, Grades] = {}
        for line in found[0].read_text().splitlines()[1:]:
            query, document, grade = line.split("\t")[:3]
            judgments.setdefault(query, {})[document] = int(float(grade))
        return cls(
            name=f"{root.resolve().name} ({found[0].name})",
            documents={
                row["_id"]: f"{row.get('title') or ''}\n\n{row['text']}\n"
                for row in _rows(root / "corpus.jsonl")
            },
            queries={row["_id"]: row["text"] for row in _rows(root / "queries.jsonl")},
            judgments={query: grades for query, grades in judgments.items() if max(grades.values()) > 0},
        )


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def by_meaning(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda c: (-c.similarity, c.id))


def by_words(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted((c for c in candidates if c.bm25 > 0), key=lambda c: (-c.bm25, c.id))


def by_both(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [candidate for candidate, _ in fuse(candidates)]


RANKINGS: dict[str, Ranking] = {"dense alone": by_meaning, "BM25 alone": by_words, "fused": by_both}


def measure(collection: Collection) -> list[dict[str, Any]]:
    """Return nDCG@10 and MRR@10 of each ranking, from one index of the collection."""
    grades_of: dict[str, list[tuple[list[int], Grades]]] = {name: [] for name in RANKINGS}
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        ids = {f"{number:07}.txt": document for number, document in enumerate(collection.documents)}
        for file, document in ids.items():
            (corpus / file).write_text(collection.documents[document], encoding="utf-8")
        index = Index(corpus, Path(folder, "index"))
        index.sync()
        for query, grades in track(collection.judgments.items(), f"Asking {collection.name}", transient=True):
            candidates = index.candidates(collection.queries[query], DEPTH)
            chunks = index.chunks(candidate.id for candidate in candidates)
            for name, ranking in RANKINGS.items():
                # A document ranks where its best chunk does.
                files = dict.fromkeys(chunks[one.id].file for one in ranking(candidates))
                gains = [max(0, grades.get(ids[file], 0)) for file in list(files)[:TOP]]
                grades_of[name].append((gains, grades))
        index.close()
    return [
        {
            "ranking": f"{collection.name}: {name}",
            "nDCG@10": mean(ndcg(gains, grades) for gains, grades in found),
            "MRR@10": mean(reciprocal_rank(gains) for gains, _ in found),
            "queries": len(found),
        }
        for name, found in grades_of.items()
    ]


def ndcg(gains: Sequence[int], grades: Grades) -> float:
    """Discounted gain of the first ten against that of the best ten there could be."""
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:TOP]
    return _discounted(gains[:TOP]) / _discounted(ideal)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(place + 2) for place, gain in enumerate(gains))


def reciprocal_rank(gains: Sequence[int]) -> float:
    """One over the place of the first relevant document; 0 when none is among the first ten."""
    return next((1 / place for place, gain in enumerate(gains[:TOP], start=1) if gain), 0.0)
