"""The benchmark of embedding, without what it is measured against."""

from __future__ import annotations

import pytest

from index.embedding import MAX_TOKENS
from tests.bench import embedding


def test_the_ways_are_compared_on_the_same_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "ROUNDS", 1)
    monkeypatch.setattr(embedding, "find_spec", lambda name: None)
    rows = {row["what"]: row["figure"] for row in embedding.measure(4)}
    assert list(rows) == [
        f"{kind}: {what}"
        for kind in ("chunks", "abstracts")
        for what in (embedding.FLOATS, embedding.OURS, "lowest cosine of ours")
    ]
    assert 0.98 < rows["chunks: lowest cosine of ours"] < 0.99999
    assert min(rows.values()) > 0


def test_the_texts_are_of_the_lengths_they_stand_for() -> None:
    chunks, abstracts = embedding.chunks(50), embedding.abstracts(10)
    assert chunks == embedding.chunks(50)
    assert max(len(text.partition("\n")[2]) for text in chunks) <= embedding.CHUNK
    assert {len(text) for text in abstracts} == {embedding.ABSTRACT}
    tokens = [len(e) for e in embedding.MiniLM()._tokenizer.encode_batch(chunks + abstracts)]
    assert 50 < sum(tokens[:50]) / 50 < 150
    assert 180 < sum(tokens[50:]) / 10 <= MAX_TOKENS
