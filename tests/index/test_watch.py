"""A folder that is watched: what is told, what is not, and what happens when the folder or the system fails."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from index import Watcher
from tests.waiting import SECONDS, threads

Change = Callable[[Path], object]
Watching = Callable[..., "Calls"]


class Calls:
    """Counts the calls of a watcher."""

    def __init__(self) -> None:
        self._calls = threading.Semaphore(0)

    def __call__(self) -> None:
        self._calls.release()

    def come(self) -> bool:
        """Take one call, waiting for it."""
        return self._calls.acquire(timeout=SECONDS)

    def forget(self) -> None:
        """Take all calls there are."""
        while self._calls.acquire(blocking=False):
            pass

    def end(self) -> None:
        """Take all calls until none has come for a while."""
        while self._calls.acquire(timeout=1.5):
            pass

    def any(self) -> bool:
        return self._calls.acquire(blocking=False)


@pytest.fixture
def watching() -> Iterator[Watching]:
    """Watch folders until the end of the test; the first call has come."""
    watchers: list[Watcher] = []

    def watch(folder: Path, apart: Path | None = None) -> Calls:
        calls = Calls()
        watchers.append(Watcher(folder, calls, apart))
        watchers[-1].start()
        assert calls.come()
        return calls

    yield watch
    for watcher in watchers:
        watcher.close()
    assert not threads("footnote-watch")


def deep(folder: Path) -> None:
    (folder / "a/b/c").mkdir(parents=True)
    (folder / "a/b/c/deep.txt").write_text("deep")


CHANGES: dict[str, Change] = {
    "new": lambda folder: (folder / "new.txt").write_text("new"),
    "changed": lambda folder: (folder / "old.txt").write_text("changed"),
    "renamed": lambda folder: (folder / "old.txt").rename(folder / "renamed.txt"),
    "deleted": lambda folder: (folder / "old.txt").unlink(),
    "in new folders": deep,
    "rules": lambda folder: (folder / ".gitignore").write_text("*.txt"),
    "moved in": lambda folder: shutil.copytree(folder, folder / "copy"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_told(corpus: Path, watching: Watching, change: Change) -> None:
    (corpus / "old.txt").write_text("old")
    calls = watching(corpus)
    calls.forget()
    change(corpus)
    assert calls.come()


def test_what_changes_in_a_folder_made_while_watching_is_told(corpus: Path, watching: Watching) -> None:
    calls = watching(corpus)
    deep(corpus)
    assert calls.come()
    calls.forget()
    (corpus / "a/b/c/deeper.txt").write_text("deeper")
    assert calls.come()


def test_many_changes_are_told_together(corpus: Path, watching: Watching) -> None:
    calls = watching(corpus)
    for number in range(300):
        (corpus / f"{number}.txt").write_text("x")
    assert calls.come()
    told = 1 + sum(iter(calls.any, False))
    assert told < 20


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("a.txt", True),
        ("folder/a.txt", True),
        (".gitignore", True),
        ("folder/.footnoteignore", True),
        (".hidden.txt", False),
        (".git/index", False),
        ("folder/.cache/a.txt", False),
        ("node_modules/x/readme.md", False),
        ("~$report.docx", False),
        ("index/store.sqlite-wal", False),
    ],
)
def test_what_the_walk_passes_over_does_not_count(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, path: str, counts: bool
) -> None:
    seen: list[bool] = []

    def watch(
        folder: Path, *, watch_filter: Any, stop_event: threading.Event, **_: object
    ) -> Iterator[set[Any]]:
        seen.append(watch_filter(None, str(folder / path)))
        yield set()
        stop_event.wait()

    monkeypatch.setattr("watchfiles.watch", watch)
    calls = Calls()
    watcher = Watcher(corpus, calls, apart=corpus / "index")
    watcher.start()
    assert calls.come()
    watcher.close()
    assert seen == [counts]


def test_a_folder_that_goes_and_comes_back_is_told_and_watched_again(
    corpus: Path, watching: Watching
) -> None:
    calls = watching(corpus)
    shutil.rmtree(corpus)
    assert calls.come()
    calls.forget()
    corpus.mkdir()
    assert calls.come()
    calls.forget()
    (corpus / "new.txt").write_text("new")
    assert calls.come()


def test_a_folder_that_is_made_again_at_once_is_watched_again(corpus: Path, watching: Watching) -> None:
    (corpus / "old.txt").write_text("old")
    calls = watching(corpus)
    shutil.rmtree(corpus)
    corpus.mkdir()
    assert calls.come()
    calls.end()
    (corpus / "new.txt").write_text("new")
    assert calls.come()


def test_another_folder_in_its_place_is_watched_instead(corpus: Path, watching: Watching) -> None:
    calls = watching(corpus)
    other = corpus.with_name("other")
    other.mkdir()
    corpus.rename(corpus.with_name("moved"))
    other.rename(corpus)
    assert calls.come()
    while calls.any():
        pass
    (corpus / "new.txt").write_text("new")
    assert calls.come()


def test_a_folder_that_is_a_link_is_watched_where_it_lies(
    tmp_path: Path, corpus: Path, watching: Watching
) -> None:
    (tmp_path / "link").symlink_to(corpus)
    calls = watching(tmp_path / "link")
    (corpus / "new.txt").write_text("new")
    assert calls.come()


@pytest.mark.parametrize(
    "error", [OSError(28, "OS file watch limit reached"), RuntimeError("inotify is gone")]
)
def test_a_system_that_does_not_tell_is_said_once(
    corpus: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    watching: Watching,
    error: Exception,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("watchfiles.watch", refuse)
    watching(corpus)
    assert "looked at from time to time" in caplog.text


def test_closing_before_anything_has_happened_is_safe(corpus: Path) -> None:
    watcher = Watcher(corpus, Calls())
    watcher.close()
    watcher = Watcher(corpus, Calls())
    watcher.start()
    watcher.close()
    watcher.close()
    assert not threads("footnote-watch")
