"""The only tests, but those of the whole product, in which Chroma runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import chroma
from index import generations as module
from index.embedding import Vectors
from index.generations import Generations
from index.store import Store
from index.vectors import VectorIndex
from tests.index.stores import open_store, put, remove

DIMENSIONS = 8
COUNT = 60


def random_vectors(count: int, seed: int) -> Vectors:
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def fill(store: Store, count: int, seed: int) -> list[str]:
    texts = {f"{seed}-{number}.txt": f"Text {number} of {seed}." for number in range(count)}
    put(store, texts, random_vectors(count, seed))
    return list(texts)


QUERIES = random_vectors(20, seed=99)


def nearest(store: Store, query: Vectors, k: int) -> dict[int, float]:
    """All vectors compared one by one."""
    cosines = {
        vector_id: float(vector @ query)
        for ids, vectors in store.vectors_after(0)
        for vector_id, vector in zip(ids, vectors, strict=True)
    }
    return dict(sorted(cosines.items(), key=lambda item: -item[1])[:k])


def assert_exact(index: VectorIndex, store: Store) -> None:
    for query in QUERIES:
        for k in (1, 7, 1000):
            found = index.search(query, k)
            assert list(found) == list(nearest(store, query, k))
            assert found == pytest.approx(nearest(store, query, k), abs=1e-5)


def generations(folder: Path) -> set[str]:
    return {path.name for path in (folder / "vectors").iterdir() if path.is_dir()}


def current(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "vectors" / "current.json").read_text()))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store and a sound generation of it; copied, never changed."""
    folder = tmp_path_factory.mktemp("published")
    store = open_store(folder)
    fill(store, COUNT, seed=0)
    index = VectorIndex(folder / "vectors", store)
    index.refresh()
    assert index.sound
    index.close()
    store.close()
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "index"))


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    opened = open_store(folder)
    yield opened
    opened.close()


@pytest.fixture
def index(folder: Path, store: Store) -> Iterator[VectorIndex]:
    opened = VectorIndex(folder / "vectors", store)
    yield opened
    opened.close()


def test_a_store_without_vectors_gives_none(tmp_path: Path) -> None:
    index = VectorIndex(tmp_path / "vectors", open_store(tmp_path))
    index.refresh()
    assert index.search(QUERIES[0], 5) == {}
    assert not (tmp_path / "vectors").exists()


def test_chroma_finds_what_comparing_all_finds(index: VectorIndex, store: Store) -> None:
    assert index.sound
    assert_exact(index, store)


def test_newer_and_removed_vectors_need_no_new_generation(
    index: VectorIndex, store: Store, folder: Path
) -> None:
    before = generations(folder)
    fill(store, 15, seed=1)
    remove(store, [f"0-{number}.txt" for number in range(0, COUNT, 2)])
    index.refresh()
    assert generations(folder) == before
    assert index.sound
    assert_exact(index, store)


def test_another_embedders_vectors_do_not_disturb(store: Store, tmp_path: Path) -> None:
    """They wait beside those in force until they are whole."""
    with store.change():
        store.add_vectors([f"Another {n}." for n in range(50)], np.ones((50, 5), np.float32), "another")
    fill(store, 15, seed=1)
    index = VectorIndex(tmp_path / "vectors", store)
    index.refresh()
    assert index.problem == ""
    assert index.sound
    assert_exact(index, store)
    index.close()


def test_a_query_of_other_dimensions_finds_nothing(index: VectorIndex, store: Store, tmp_path: Path) -> None:
    """It was embedded just before another embedder came into force."""
    fill(store, 15, seed=1)
    query = np.ones(DIMENSIONS + 1, np.float32)
    assert index.search(query, 5) == {}
    assert VectorIndex(tmp_path / "nowhere", store).search(query, 5) == {}
    assert_exact(index, store)


def test_all_vectors_removed_gives_none(index: VectorIndex, store: Store) -> None:
    remove(store, [f"0-{number}.txt" for number in range(COUNT)])
    index.refresh()
    assert index.search(QUERIES[0], 5) == {}


def test_without_chroma_all_are_compared(store: Store, tmp_path: Path) -> None:
    index = VectorIndex(tmp_path / "nowhere", store)
    assert not index.sound
    assert_exact(index, store)


@pytest.mark.parametrize("apart", [True, False], ids=["in a process of its own", "in this one"])
@pytest.mark.parametrize("many", ["newer", "removed"])
def test_a_generation_that_has_grown_old_is_replaced(
    index: VectorIndex, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, many: str, apart: bool
) -> None:
    monkeypatch.setattr(module, "NEWEST", 5)
    monkeypatch.setattr(module, "SMALL", 0 if apart else 1000)
    before = generations(folder)
    if many == "newer":
        fill(store, 15, seed=1)
    else:
        remove(store, [f"0-{number}.txt" for number in range(15)])
    index.refresh()
    assert before < generations(folder)
    assert current(folder)["generation"] in generations(folder) - before
    assert current(folder)["count"] == store.counts()["vectors"]
    assert index.sound
    assert_exact(index, store)


def test_only_the_newest_generation_and_the_one_before_are_kept(
    index: VectorIndex, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEWEST", 5)
    (folder / "vectors" / "left by a crash").mkdir()
    published = [current(folder)["generation"]]
    for seed in (1, 2):
        fill(store, 20, seed)
        index.refresh()
        published.append(current(folder)["generation"])
        assert generations(folder) == set(published[-2:])


def test_a_second_reader_follows_the_writer(
    index: VectorIndex, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEWEST", 5)
    others = open_store(folder)
    reader = VectorIndex(folder / "vectors", others)
    assert_exact(reader, others)
    fill(store, 20, seed=1)
    index.refresh()
    assert set(reader.search(QUERIES[0], 1000)) <= set(index.search(QUERIES[0], 1000))
    reader.reload()
    assert reader.sound
    assert_exact(reader, others)
    reader.close()
    others.close()
    assert_exact(index, store)


@pytest.mark.parametrize("apart", [0.0, 1e-3], ids=["identical", "nearly identical"])
@pytest.mark.parametrize("copies", [1000, 3000])
def test_texts_that_repeat_do_not_hide_the_others(tmp_path: Path, copies: int, apart: float) -> None:
    """Footers under other titles, or texts that a model does not tell apart: one vector, many times."""
    rng = np.random.default_rng(1)
    dimensions, unique = 48, 6000
    centres = rng.standard_normal((60, dimensions))
    drawn = centres[rng.integers(0, 60, unique + 200)] + 0.5 * rng.standard_normal((unique + 200, dimensions))
    repeated = centres[0] + apart * rng.standard_normal((copies, dimensions))
    all_of_them = np.concatenate([repeated, drawn]).astype(np.float32)
    all_of_them /= np.linalg.norm(all_of_them, axis=1, keepdims=True)
    vectors, queries = all_of_them[:-200], all_of_them[-200:]
    store = open_store(tmp_path)
    put(store, {f"{number}.txt": f"Text {number}." for number in range(len(vectors))}, vectors)
    index = VectorIndex(tmp_path / "vectors", store)
    index.refresh()
    assert index.sound

    found = expected = 0
    for query in queries:
        nearest_100 = np.argsort(-(vectors @ query))[:100]
        best = {int(row) + 1 for row in nearest_100[nearest_100 >= copies][:10]}
        expected += len(best)
        found += len(best & index.search(query, 100).keys())
    assert expected > 1500
    assert found >= 0.98 * expected
    sample = store.vectors(range(copies + 1, len(vectors), 20))
    lost = [vector_id for vector_id, vector in sample.items() if vector_id not in index.search(vector, 100)]
    assert len(lost) <= 1, (
        f"of {len(sample)}"
    )  # Measured: up to 3 of 6,000; of one in twenty without `apart`.
    index.close()
    store.close()


def test_a_refresh_with_nothing_to_do_does_not_load_chroma(folder: Path) -> None:
    code = """
import sys
from pathlib import Path
from index.vectors import VectorIndex
from tests.index.stores import open_store
folder = Path(sys.argv[1])
VectorIndex(folder / "vectors", open_store(folder)).refresh()
print("chromadb" in sys.modules)
"""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", code, str(folder)]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


# Damage


def generation(folder: Path) -> Path:
    return folder / "vectors" / str(current(folder)["generation"])


def without_generation(folder: Path) -> None:
    shutil.rmtree(generation(folder))


def without_folder(folder: Path) -> None:
    shutil.rmtree(folder / "vectors")


def without_database(folder: Path) -> None:
    (generation(folder) / "chroma.sqlite3").unlink()


def empty_database(folder: Path) -> None:
    (generation(folder) / "chroma.sqlite3").write_bytes(b"")


def garbage_database(folder: Path) -> None:
    (generation(folder) / "chroma.sqlite3").write_bytes(b"garbage " * 1000)


def cut_database(folder: Path) -> None:
    database = generation(folder) / "chroma.sqlite3"
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])


def marked(change: dict[str, Any] | str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        text = change if isinstance(change, str) else json.dumps(current(folder) | change)
        (folder / "vectors" / "current.json").write_text(text)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        without_generation,
        without_folder,
        without_database,
        empty_database,
        garbage_database,
        cut_database,
        pytest.param(marked(""), id="marker empty"),
        pytest.param(marked("[1]"), id="marker a list"),
        pytest.param(marked("garbage"), id="marker garbage"),
        pytest.param(marked({"format": 0}), id="marker of another format"),
        pytest.param(marked({"space": "another"}), id="marker of another store"),
        pytest.param(marked({"generation": "none"}), id="marker of no folder"),
        pytest.param(marked({"generation": None}), id="marker without a folder"),
    ],
)
@pytest.mark.parametrize("asked", [True, False], ids=["asked before", "not asked before"])
def test_a_damaged_cache_is_not_used_and_made_again(
    folder: Path, damage: Callable[[Path], None], asked: bool
) -> None:
    damage(folder)
    store = open_store(folder)
    index = VectorIndex(folder / "vectors", store)
    if asked:
        assert_exact(index, store)
        assert not index.sound
    index.refresh()
    assert index.sound
    assert_exact(index, store)
    index.close()
    store.close()


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generation so large that Chroma writes its graph to files."""
    folder = tmp_path_factory.mktemp("graphs")
    store = open_store(folder)
    fill(store, 1100, seed=0)
    index = VectorIndex(folder / "vectors", store)
    index.refresh()
    index.close()
    store.close()
    return folder


@pytest.mark.parametrize(
    "file", ["data_level0.bin", "header.bin", "length.bin", "link_lists.bin", "*.pickle"]
)
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: None, id="gone"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut"),
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="one bit flipped"),
    ],
)
def test_a_damaged_graph_never_reaches_chroma(
    graphs: Path, tmp_path: Path, file: str, damage: Callable[[bytes], bytes | None]
) -> None:
    """It would crash the process, or answer with a part of the vectors."""
    folder = Path(shutil.copytree(graphs, tmp_path / "index"))
    path = next(generation(folder).rglob(file))
    data = damage(path.read_bytes())
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    store = open_store(folder)
    index = VectorIndex(folder / "vectors", store)
    assert not index.sound
    assert list(index.search(QUERIES[0], 5)) == list(nearest(store, QUERIES[0], 5))
    store.close()


@pytest.mark.parametrize("size", ["published", "graphs"])
def test_a_sound_generation_is_used_again_and_again(
    request: pytest.FixtureRequest, tmp_path: Path, size: str
) -> None:
    folder = Path(shutil.copytree(request.getfixturevalue(size), tmp_path / "index"))
    store = open_store(folder)
    for _ in range(2):
        index = VectorIndex(folder / "vectors", store)
        assert index.sound
        assert list(index.search(QUERIES[0], 5)) == list(nearest(store, QUERIES[0], 5))
        index.close()
    store.close()


class PanicError(BaseException):
    """What Chroma's Rust core raises is no `Exception`."""


def test_a_panic_in_a_search_leaves_the_exact_answer(
    index: VectorIndex, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def panic(**_: Any) -> None:
        raise PanicError

    assert index.sound
    cache = index._cache
    assert isinstance(cache, Generations)
    monkeypatch.setattr(cache._collection, "query", panic)
    assert_exact(index, store)
    assert not index.sound


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PanicError(), ValueError("no")])
def test_a_generation_that_cannot_be_made_leaves_the_exact_answer(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(module, "write", fail)
    index = VectorIndex(tmp_path / "vectors", store)
    index.refresh()
    assert not index.sound
    assert list((tmp_path / "vectors").iterdir()) == []
    assert_exact(index, store)


CHILD = """
import os, signal
import index.chroma
def crash(*_):
    {}
index.chroma._probe = crash
index.chroma._main()
"""


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "status -11"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "status -9"),
        ("raise RuntimeError('Chroma finds 3 of 5 vectors.')", "finds 3 of 5"),
        ("signal.pause()", "status -9"),
    ],
    ids=["crashes", "is killed", "finds too little", "hangs"],
)
def test_a_writing_process_that_fails_leaves_the_old_generation_and_says_so(
    index: VectorIndex,
    store: Store,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    said: str,
) -> None:
    def broken(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return popen([command[0], "-c", CHILD.format(fault), command[3]], **options)

    popen = subprocess.Popen
    before = generations(folder)
    monkeypatch.setattr(module, "NEWEST", 5)
    monkeypatch.setattr(module, "SMALL", 0)
    if "pause" in fault:
        monkeypatch.setattr(chroma, "STALLED_SECONDS", 4.0)
    monkeypatch.setattr(chroma.subprocess, "Popen", broken)
    fill(store, 15, seed=1)
    index.refresh()
    assert generations(folder) == before
    assert index.sound
    assert said in index.problem
    assert_exact(index, store)
    monkeypatch.undo()
    monkeypatch.setattr(module, "NEWEST", 5)
    index.refresh()
    assert index.problem == ""
    assert len(generations(folder)) == 2


def test_an_interruption_is_not_taken_for_damage(index: VectorIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "local_client", interrupt)
    with pytest.raises(KeyboardInterrupt):
        index.search(QUERIES[0], 1)
