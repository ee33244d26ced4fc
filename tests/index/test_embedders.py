"""Embedders by name, and FastEmbed's, which stands in here as it is not a dependency."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from index import EmbedderError, MiniLM, make_embedder
from index.embedders import fastembed


class TextEmbedding:
    """FastEmbed's class: rows of a generator, not of length 1, another prefix for questions."""

    embedding_size = 2

    def __init__(self, model_name: str) -> None:
        if model_name != "known/model":
            raise ValueError(f"Model {model_name} is not supported")

    def query_embed(self, texts: list[str]) -> Iterator[NDArray[np.float32]]:
        return (np.array([0, len(text)], np.float32) for text in texts)

    def passage_embed(self, texts: Iterable[str], batch_size: int) -> Iterator[NDArray[np.float32]]:
        return (np.array([3, 4 * len(text)], np.float32) for text in texts)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("fastembed")
    module.TextEmbedding = TextEmbedding  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fastembed", module)


def test_minilm_is_the_default() -> None:
    assert isinstance(make_embedder(), MiniLM)
    assert make_embedder("minilm").id == MiniLM.id


@pytest.mark.parametrize("name", ["", "MiniLM", "openai", "openai:", "fastembed:", "word2vec:x", "minilm:"])
def test_a_name_that_is_none_says_which_there_are(name: str) -> None:
    with pytest.raises(EmbedderError, match="`minilm`, `openai:MODEL` or `fastembed:MODEL`"):
        make_embedder(name)


def test_fastembed_embeds_questions_and_documents_in_its_own_ways(installed: None) -> None:
    embedder = make_embedder("fastembed:known/model")
    assert embedder.id == "fastembed:known/model"
    texts = ["a", "", *["b"] * fastembed.BATCH]
    documents = embedder.embed(texts, kind="document")
    assert documents.shape == (len(texts), embedder.dimensions)
    assert documents.dtype == np.float32
    assert documents == pytest.approx(np.tile([0.6, 0.8], (len(texts), 1)))
    assert embedder.embed(["a"], kind="query") == pytest.approx(np.array([[0, 1]]))
    assert embedder.embed([], kind="query").shape == (0, 2)


def test_a_model_that_fastembed_does_not_know_is_named(installed: None) -> None:
    with pytest.raises(
        EmbedderError, match="FastEmbed cannot load the model no/model: Model no/model is not"
    ):
        make_embedder("fastembed:no/model").embed(["a"], kind="query")


def test_fastembed_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastembed", None)
    with pytest.raises(EmbedderError, match=r"pip install 'footnote\[fastembed\]'"):
        make_embedder("fastembed:known/model").embed(["a"], kind="query")
