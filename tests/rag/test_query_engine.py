"""An assistant inside a LlamaIndex application."""

from __future__ import annotations

import asyncio

import pytest
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response

from rag import Assistant
from tests.corpora import TOWN, assistant

QUESTION = "Who was born in Oslo in 1950?"


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant(tmp_path_factory.mktemp("town"), TOWN)


def test_the_response_is_the_answer_and_its_nodes_are_the_citations(bot: Assistant) -> None:
    engine = bot.as_query_engine()
    assert isinstance(engine, BaseQueryEngine)
    response = engine.query(QUESTION)
    answer = bot.ask(QUESTION)
    assert isinstance(response, Response)
    assert str(response) == answer.text
    assert answer.citations
    assert [node.node.text for node in response.source_nodes] == [c.quote for c in answer.citations]
    for number, found in enumerate(response.source_nodes, start=1):
        assert found.metadata["number"] == number
        text = bot.document(found.metadata["file"]).text
        assert text[found.node.start_char_idx : found.node.end_char_idx] == found.node.text
        assert found.score == answer.confidence
    assert response.metadata.keys() == answer.to_dict().keys()


def test_async_answers_the_same(bot: Assistant) -> None:
    engine = bot.as_query_engine()
    assert str(asyncio.run(engine.aquery(QUESTION))) == str(engine.query(QUESTION))


def test_an_abstention_has_words_but_no_nodes(bot: Assistant) -> None:
    response = bot.as_query_engine().query("What is the boiling point of tungsten?")
    assert response.source_nodes == []
    assert response.metadata["status"] == "abstained"
    assert str(response)
