"""A real Chroma server that hangs, dies, forgets and comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index import chroma_server, vectors
from index.store import Store
from index.vectors import VectorIndex
from tests.index.chroma_process import ChromaProcess
from tests.index.stores import open_store, remove
from tests.index.test_vectors import QUERIES, assert_exact, fill, nearest

COUNT = 300


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaProcess]:
    process = ChromaProcess(tmp_path_factory.mktemp("chroma"))
    yield process
    process.kill()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    fill(opened, COUNT, seed=0)
    yield opened
    opened.close()


@pytest.fixture
def writer(tmp_path: Path, store: Store, server: ChromaProcess) -> Iterator[VectorIndex]:
    index = VectorIndex(tmp_path / "writer", store, server.url)
    index.refresh()
    yield index
    index.close()


@pytest.fixture
def reader(tmp_path: Path, writer: VectorIndex, server: ChromaProcess) -> Iterator[VectorIndex]:
    """Another process's view: a store of its own, on the same file."""
    opened = open_store(tmp_path)
    index = VectorIndex(tmp_path / "reader", opened, server.url)
    yield index
    index.close()
    opened.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure the server is asked again at the next question."""
    monkeypatch.setattr(chroma_server, "RETRY_SECONDS", 0.0)


def held(index: VectorIndex) -> int:
    cache: Any = index._cache
    return int(cache._open().count())


def timed_search(index: VectorIndex) -> tuple[float, dict[int, float]]:
    started = time.perf_counter()
    found = index.search(QUERIES[0], 5)
    return time.perf_counter() - started, found


def test_a_reader_finds_what_the_writer_has_sent(reader: VectorIndex, store: Store) -> None:
    assert reader.sound
    assert reader.problem == ""
    assert held(reader) == COUNT
    assert_exact(reader, store)


def test_what_came_and_went_since_counts_at_once(reader: VectorIndex, store: Store) -> None:
    fill(store, 15, seed=1)
    remove(store, [f"0-{number}.txt" for number in range(0, COUNT, 2)])
    assert reader.sound
    assert_exact(reader, store)


def test_a_collection_is_followed_and_what_is_gone_deleted_a_refresh_later(
    writer: VectorIndex, reader: VectorIndex, store: Store
) -> None:
    """So that a reader of the state before still finds all that this state holds."""
    fill(store, 15, seed=1)
    remove(store, [f"0-{number}.txt" for number in range(0, COUNT, 2)])
    writer.refresh()
    reader.reload()
    assert held(reader) == COUNT + 15
    writer.refresh()
    reader.reload()
    assert held(reader) == COUNT // 2 + 15
    assert reader.sound
    assert_exact(reader, store)


def test_stores_do_not_mix(writer: VectorIndex, server: ChromaProcess, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other")
    index = VectorIndex(tmp_path / "other", other, server.url)
    index.refresh()
    assert index.search(QUERIES[0], 5) == {}
    fill(other, 20, seed=2)
    assert "does not answer for this index" in index.problem or not index.problem
    assert_exact(index, other)
    index.refresh()
    assert index.sound
    assert held(index) == 20
    assert_exact(index, other)
    index.close()
    other.close()


def test_a_server_that_hangs_costs_one_question_a_little_and_is_used_again(
    reader: VectorIndex, store: Store, server: ChromaProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = list(nearest(store, QUERIES[0], 5))
    assert list(reader.search(QUERIES[0], 5)) == expected
    server.stop()
    try:
        first, found = timed_search(reader)
        assert first < 5
        assert list(found) == expected
        assert not reader.sound
        assert server.url in reader.problem
        second, found = timed_search(reader)
        assert second < 0.5
        assert list(found) == expected
    finally:
        server.go_on()
    monkeypatch.setattr(chroma_server.time, "monotonic", lambda: time.perf_counter() + 1e9)
    assert list(reader.search(QUERIES[0], 5)) == expected
    assert reader.sound
    assert reader.problem == ""


@pytest.mark.usefixtures("impatient")
def test_a_server_that_was_killed_and_started_again_is_used_again(
    writer: VectorIndex, reader: VectorIndex, store: Store, server: ChromaProcess
) -> None:
    server.kill()
    try:
        seconds, found = timed_search(reader)
        assert seconds < 5
        assert list(found) == list(nearest(store, QUERIES[0], 5))
        fill(store, 15, seed=1)
        writer.refresh()
        assert server.url in writer.problem
        assert_exact(reader, store)
    finally:
        server.start()
    writer.refresh()
    assert writer.problem == ""
    assert reader.sound
    assert held(reader) == COUNT + 15
    assert_exact(reader, store)


@pytest.mark.usefixtures("impatient")
def test_a_server_killed_while_it_is_filled_has_all_after_the_next_time(
    tmp_path: Path, store: Store, server: ChromaProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chromadb.api.models.Collection import Collection

    upsert, sent = Collection.upsert, []

    def interrupted(self: Collection, **what: Any) -> None:
        sent.append(len(what["ids"]))
        if len(sent) == 3:
            server.kill()
        upsert(self, **what)

    monkeypatch.setattr(Collection, "upsert", interrupted)
    monkeypatch.setattr(chroma_server, "ROWS", 50)
    index = VectorIndex(tmp_path / "index", store, server.url)
    try:
        index.refresh()
        assert server.url in index.problem
        assert_exact(index, store)
    finally:
        server.start()
    index.refresh()
    assert index.problem == ""
    assert held(index) == COUNT
    assert_exact(index, store)
    index.close()


def test_a_server_that_has_lost_vectors_gets_them_again(
    writer: VectorIndex, reader: VectorIndex, store: Store
) -> None:
    cache: Any = writer._cache
    cache._open().delete(ids=[str(vector_id) for vector_id in range(1, 100)])
    writer.refresh()
    reader.reload()
    assert held(reader) == COUNT
    for query in QUERIES:
        assert list(reader.search(query, 5)) == list(nearest(store, query, 5))


def test_without_a_server_too_many_vectors_are_not_compared(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "EXACT", COUNT - 1)
    index = VectorIndex(tmp_path / "index", store, "http://127.0.0.1:9")
    assert index.search(QUERIES[0], 5) == {}
    assert index.problem.endswith("only words are searched.")


def test_the_environment_does_not_say_where_vectors_go(
    writer: VectorIndex, server: ChromaProcess, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("CHROMA_SERVER_HOST=192.0.2.1\nCHROMA_SERVER_HTTP_PORT=1\n")
    for name in ("HTTP_PROXY", "ALL_PROXY", "CHROMA_SERVER_HOST"):
        monkeypatch.setenv(name, "http://192.0.2.1:1")
    index = VectorIndex(tmp_path / "index", store, server.url)
    assert index.sound
    assert_exact(index, store)
    index.close()


def test_a_reader_of_an_earlier_state_and_a_store_set_back_find_their_own(
    writer: VectorIndex, store: Store, server: ChromaProcess, tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    store.db.rows("VACUUM INTO ?", (str(earlier / "store.sqlite"),))
    fill(store, 15, seed=1)
    remove(store, ["0-1.txt"])
    writer.refresh()
    lagging = open_store(earlier)
    index = VectorIndex(earlier, lagging, server.url)
    assert index.sound
    assert_exact(index, lagging)

    fill(lagging, 20, seed=2)  # From here on the same ids are other vectors.
    assert_exact(index, lagging)
    index.refresh()
    assert index.problem == ""
    assert_exact(index, lagging)
    index.close()
    lagging.close()
