"""Two searches fused into one order, for LlamaIndex and for ourselves."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.base.base_retriever import BaseRetriever

from index import Candidate, Index
from rag import Assistant
from rag.retriever import HybridRetriever, fuse, search
from tests.corpora import TOWN, assistant


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant(tmp_path_factory.mktemp("town"), TOWN)


def candidate(number: int, similarity: float, bm25: float, boilerplate: bool = False) -> Candidate:
    return Candidate(number, boilerplate, similarity, bm25)


def order(*candidates: Candidate) -> list[int]:
    return [candidate.id for candidate, _ in fuse(candidates)]


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(1, 0.5, 2.0)], [1], id="one"),
        pytest.param([(1, 0.1, 1.0), (2, 0.9, 9.0)], [2, 1], id="both agree"),
        pytest.param([(1, 0.2, 0.0), (2, 0.8, 0.0)], [2, 1], id="no word occurs: meaning decides"),
        pytest.param([(1, 0.5, 1.0), (2, 0.5, 3.0)], [2, 1], id="equal meaning: words decide"),
        pytest.param([(3, 0.5, 1.0), (1, 0.5, 1.0), (2, 0.5, 1.0)], [1, 2, 3], id="ties in order of id"),
        pytest.param(
            [(1, 0.9, 0.0), (2, 0.0, 90.0), (3, 0.8, 80.0)], [3, 1, 2], id="good in both beats best in one"
        ),
    ],
)
def test_the_order(candidates: list[tuple[int, float, float]], expected: list[int]) -> None:
    assert order(*(candidate(*values) for values in candidates)) == expected


def test_boilerplate_comes_behind_what_is_as_good_but_is_still_found() -> None:
    assert order(candidate(1, 0.5, 3.0, True), candidate(2, 0.5, 2.5), candidate(3, 0.1, 0.0)) == [2, 1, 3]
    assert order(candidate(1, 0.5, 3.0, True)) == [1]


scores = st.floats(-1, 1, width=16), st.floats(0, 60, width=16)


@given(st.lists(st.tuples(*scores), max_size=8), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_the_candidates(
    pairs: list[tuple[float, float]], random: object
) -> None:
    candidates = [candidate(number, *pair) for number, pair in enumerate(pairs)]
    shuffled = sorted(candidates, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert fuse(shuffled) == fuse(candidates)


@given(st.lists(st.tuples(*scores), max_size=8))
def test_being_better_in_both_searches_is_never_ranked_behind(pairs: list[tuple[float, float]]) -> None:
    found = fuse([candidate(number, *pair) for number, pair in enumerate(pairs)])
    assert len(found) == len(pairs)
    for (before, score), (after, next_score) in pairwise(found):
        assert score >= next_score
        assert not (after.similarity > before.similarity + 1e-6 and after.bm25 > before.bm25 + 1e-6)


def test_both_scores_are_kept(bot: Assistant) -> None:
    index = bot.ready()
    scores = {one.id: (one.similarity, one.bm25) for one in index.candidates("ferry", 100)}
    found = bot.retrieve("ferry", k=5)
    assert found
    assert all((one.similarity, one.bm25) == scores[one.chunk.id] for one in found)


def test_what_is_removed_between_search_and_reading_is_searched_again(bot: Assistant) -> None:
    index = bot.ready()
    expected = search(index, "ferry", k=3, depth=10)
    gone = Candidate(id=10**9, boilerplate=False, similarity=1.0, bm25=99.0)

    class Overtaken:
        asked = 0

        def candidates(self, query: str, k: int) -> list[Candidate]:
            self.asked += 1
            found = index.candidates(query, k)
            return found if self.asked > 1 else [gone, *found]

        chunks = staticmethod(index.chunks)

    overtaken = Overtaken()
    assert search(cast("Index", overtaken), "ferry", k=3, depth=10) == expected
    assert overtaken.asked == 2


def test_it_is_a_llama_index_retriever_whose_nodes_say_where_they_stand(bot: Assistant) -> None:
    retriever = bot.as_retriever(k=3)
    assert isinstance(retriever, HybridRetriever)
    assert isinstance(retriever, BaseRetriever)
    nodes = retriever.retrieve("Who built the lighthouse?")
    assert nodes[0].metadata["file"] == "news/harbour.md"
    for found in nodes:
        text = bot.document(found.metadata["file"]).text
        assert text[found.node.start_char_idx : found.node.end_char_idx] == found.node.text
    assert [node.score for node in nodes] == sorted((node.score for node in nodes), reverse=True)


def test_nodes_are_the_chunks_that_the_assistant_retrieves(bot: Assistant) -> None:
    query = "rye bread"
    nodes = bot.as_retriever(k=5).retrieve(query)
    assert [(n.node.text, n.score) for n in nodes] == [
        (s.chunk.text, s.score) for s in bot.retrieve(query, k=5)
    ]


def test_async_finds_the_same(bot: Assistant) -> None:
    retriever = bot.as_retriever(k=3)
    assert asyncio.run(retriever.aretrieve("ferry")) == retriever.retrieve("ferry")


@pytest.mark.parametrize("k", [1, 2, 500])
def test_at_most_k_and_never_more_than_there_are(bot: Assistant, k: int) -> None:
    total = bot.ready().counts()["chunks"]
    assert len(bot.retrieve("bakery", k=k)) <= min(k, total)
    assert len(bot.as_retriever(k=k).retrieve("bakery")) <= min(k, total)


def test_a_k_above_the_corpus_gives_all_of_it(bot: Assistant) -> None:
    assert len(bot.retrieve("bakery", k=500)) == bot.ready().counts()["chunks"]


@pytest.mark.parametrize("k", [0, -1])
def test_a_k_below_one_is_refused(bot: Assistant, k: int) -> None:
    with pytest.raises(ValueError, match=str(k)):
        bot.retrieve("bakery", k=k)
    with pytest.raises(ValueError, match=str(k)):
        bot.as_retriever(k=k)


def test_search_is_the_same_every_time(bot: Assistant) -> None:
    assert bot.retrieve("ferry", k=4) == bot.retrieve("ferry", k=4)


def test_the_best_come_first_whatever_k_is(bot: Assistant) -> None:
    many = bot.retrieve("cinnamon buns", k=10)
    assert bot.retrieve("cinnamon buns", k=1) == many[:1]


def test_it_works_over_an_empty_folder(tmp_path: Path) -> None:
    bot = assistant(tmp_path, {})
    assert bot.retrieve("anything") == []
    assert bot.as_retriever().retrieve("anything") == []
