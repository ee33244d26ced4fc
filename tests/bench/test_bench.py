"""The measures measure what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.retrieval import Collection, measure, ndcg, reciprocal_rank
from tests.fakes import HashEmbedder


@pytest.mark.parametrize(
    ("gains", "grades", "expected"),
    [
        pytest.param([1, 1], {"a": 1, "b": 1}, 1.0, id="perfect, though fewer than ten are relevant"),
        pytest.param([0, 0], {"a": 1}, 0.0, id="nothing found"),
        pytest.param([0, 1], {"a": 1, "b": 0}, 0.6309, id="second place"),
        pytest.param([1, 2], {"a": 2, "b": 1}, 0.8597, id="the better one second"),
        pytest.param([], {"a": 1}, 0.0, id="empty"),
    ],
)
def test_ndcg(gains: list[int], grades: dict[str, int], expected: float) -> None:
    assert ndcg(gains, grades) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("gains", "expected"), [([0, 0, 2], 1 / 3), ([1], 1.0), ([0] * 10 + [1], 0.0), ([], 0.0)]
)
def test_reciprocal_rank(gains: list[int], expected: float) -> None:
    assert reciprocal_rank(gains) == expected


def test_a_collection_is_read_indexed_and_ranked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.core.MiniLM", HashEmbedder)
    documents = ["Rye bread and buns.", "The ferry to Stavanger.", "A lighthouse from 2004."]
    rows = [
        json.dumps({"_id": f"d{n}", "title": f"Title {n}", "text": text}) for n, text in enumerate(documents)
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(rows))
    queries = [
        {"_id": "q1", "text": "ferry"},
        {"_id": "q2", "text": "rye bread"},
        {"_id": "q3", "text": "nothing"},
    ]
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (tmp_path / "qrels").mkdir()
    judgments = "query\tdocument\tgrade\nq1\td1\t1\nq2\td0\t2\nq3\td2\t0\n"
    (tmp_path / "qrels" / "test.tsv").write_text(judgments)
    collection = Collection.parse(str(tmp_path))
    rows_found = measure(collection)
    assert [(row["ranking"].removeprefix(f"{collection.name}: "), row["nDCG@10"], row["MRR@10"], row["queries"]) for row in rows_found] == [
        ("dense alone", 1.0, 1.0, 2),
        ("BM25 alone", 1.0, 1.0, 2),
        ("fused", 1.0, 1.0, 2),
    ]
    (tmp_path / "qrels" / "train.tsv").write_text(judgments)
    with pytest.raises(SystemExit, match=r"qrels/test\.tsv.*qrels/train\.tsv"):
        Collection.parse(str(tmp_path))
    assert len(Collection.parse(f"{tmp_path}:qrels/train.tsv").judgments) == 2
