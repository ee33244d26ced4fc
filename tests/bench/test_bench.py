"""The measures measure what they say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from index import Document
from index.chunking import split
from tests.bench import growth, incremental, library, report, results, server, start, starter
from tests.bench.processes import alone
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
    assert [
        (row["ranking"].removeprefix(f"{collection.name}: "), row["nDCG@10"], row["MRR@10"], row["queries"])
        for row in rows_found
    ] == [
        ("dense alone", 1.0, 1.0, 2),
        ("BM25 alone", 1.0, 1.0, 2),
        ("fused", 1.0, 1.0, 2),
    ]
    (tmp_path / "qrels" / "train.tsv").write_text(judgments)
    with pytest.raises(SystemExit, match=r"qrels/test\.tsv.*qrels/train\.tsv"):
        Collection.parse(str(tmp_path))
    assert len(Collection.parse(f"{tmp_path}:qrels/train.tsv").judgments) == 2


def test_a_text_of_the_library_is_its_fact_and_one_chunk_a_paragraph() -> None:
    for number in (0, 7, 123_456):
        text = library.text(number, 5)
        _, person = library.question(number)
        assert text == library.text(number, 5)
        assert person in text
        assert len(split(Document(file="a", title="a", text=text))) == 5
    assert len({library.question(number) for number in range(5_000)}) == 5_000


def test_the_library_is_written_a_thousand_files_to_a_folder(tmp_path: Path) -> None:
    library.write(tmp_path, 1_001, 0)
    assert [len(list(folder.iterdir())) for folder in sorted(tmp_path.iterdir())] == [1_000, 1]
    assert library.question(1_000)[1] in (tmp_path / library.file(1_000)).read_text()


def test_a_process_is_measured_with_all_its_memory() -> None:
    ones, most = alone(np.ones, 25_000_000)
    assert len(ones) == 25_000_000
    assert 200 < most < 1_000


def test_growth_of_a_small_index() -> None:
    (row,) = growth.measure([40], queries=10)
    assert row["chunks"] == 40
    assert row["recall@10"] == 1
    assert row["p95 ms"] >= row["p50 ms"] > 0
    assert row["querying: MB"] > 50


def test_a_small_index_follows_a_change_and_survives_a_kill() -> None:
    rows = {row["what"]: row["figure"] for row in incremental.measure(600)}
    assert all(figure > 0 for what, figure in rows.items() if "twice" not in what)
    assert 0 <= rows["texts that were embedded twice because of it"] <= 600 // 2


def test_a_server_and_a_replica_of_it_find_what_is_found_here() -> None:
    rows = {row["what"]: row["figure"] for row in server.measure(400)}
    assert rows["recall, Chroma server, 400 chunks"] == pytest.approx(1.0, abs=0.01)
    assert rows["recall, Chroma in the process, 400 chunks"] == pytest.approx(1.0, abs=0.01)
    assert all(figure > 0 for figure in rows.values())


def test_the_first_answer_from_a_fresh_folder(tmp_path: Path) -> None:
    (row,) = start.fresh(tmp_path, 5)
    assert 0 < row["figure"] < 120


def test_facts_are_asked_of_footnote_as_of_the_starter(tmp_path: Path) -> None:
    library.write(tmp_path / "corpus", 10, 2)
    _, _, found, chunks = starter.footnote(tmp_path / "corpus", tmp_path / "index")
    assert (found, chunks) == (1, 20)


def test_a_later_figure_replaces_an_earlier_one_in_the_page(tmp_path: Path) -> None:
    kept, page = tmp_path / "bench.json", tmp_path / "benchmarks.md"
    results.append(
        kept, "start", [results.row("waiting", 3.0, "s"), results.row("asking", 5, "ms", 2, "≤ 9")]
    )
    results.append(kept, "start", [results.row("waiting", 1234.5, "s")])
    report.write(page, kept, {"start": "How long it takes.", "growth": "Not measured yet."})
    assert len(results.read(kept)) == 2
    text = page.read_text()
    assert "## Start\n\nHow long it takes." in text
    assert "| waiting | 1,234 | s |  |  |" in text
    assert "| asking | 5 | ms | 2.50 × | ≤ 9 |" in text
    assert "growth" not in text.partition("## Start")[2]
