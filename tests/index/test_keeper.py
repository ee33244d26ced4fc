"""An index that is kept equal to its folder while it is asked: waiting, following, failing, ending."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue

import pytest
from filelock import FileLock

from index import CorpusError, EmbedderError, FootnoteError, Index, Keeper, LockedError, SyncReport
from index.embedding import Kind, Vectors
from tests.corpora import TOWN, write
from tests.fakes import HashEmbedder, HeldEmbedder
from tests.finding import candidates
from tests.waiting import SECONDS, threads, until

pytestmark = pytest.mark.usefixtures("without_chroma")
Keep = Callable[..., Keeper]
ROOT = Path(__file__).parents[2]


class FailingEmbedder(HashEmbedder):
    """Refuses documents while it is told to."""

    refuses = True

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        if self.refuses and kind == "document" and threading.current_thread().name == "footnote-keeper":
            raise EmbedderError("The server for vectors does not answer.")
        return super().embed(texts, kind=kind)


@pytest.fixture
def keep(corpus: Path, tmp_path: Path) -> Iterator[Keep]:
    """Keep an index of `corpus` until the end of the test; then no thread may be left."""
    kept: list[Keeper] = []
    held: list[HeldEmbedder] = []

    def keeper(embedder: HashEmbedder | None = None) -> Keeper:
        if isinstance(embedder, HeldEmbedder):
            held.append(embedder)
        kept.append(Keeper(Index(corpus, tmp_path / "index", embedder or HashEmbedder())))
        return kept[-1]

    yield keeper
    for embedder in held:
        embedder.let()
    for each in kept:
        each.close()
    assert not threads("footnote-keeper", "footnote-watch")


def files(keeper: Keeper) -> set[str]:
    return {file for file, _ in keeper.index.titles()}


def found(keeper: Keeper, query: str) -> set[str]:
    return {candidate.chunk.file for candidate in candidates(keeper.index, query, 5)}


# Waiting


def test_a_small_folder_is_whole_before_anyone_asks_and_leaves_no_thread(keep: Keep, corpus: Path) -> None:
    write(corpus, TOWN)
    keeper = keep()
    keeper.settle(patience=SECONDS)
    assert files(keeper) == TOWN.keys()
    assert keeper.index.pending() == 0
    until(lambda: not threads("footnote-keeper", "footnote-watch"))
    assert keeper.state.checked
    assert keeper.state.progress is None


def test_the_folder_is_checked_once(keep: Keep, corpus: Path) -> None:
    write(corpus, TOWN)
    keeper = keep()
    keeper.settle(patience=SECONDS)
    write(corpus, {"late.txt": "Late."})
    keeper.settle(patience=SECONDS)
    assert "late.txt" not in files(keeper)
    assert keeper.sync().added == 1


def test_patience_ends_and_words_find_what_has_been_read(keep: Keep, corpus: Path) -> None:
    write(corpus, TOWN)
    embedder = HeldEmbedder()
    keeper = keep(embedder)
    keeper.settle(patience=0.1)
    until(lambda: keeper.index.pending() > 0)
    assert embedder.held.wait(SECONDS)
    assert "bakery.txt" in found(keeper, "Who was born in Oslo?")
    step = keeper.state.progress
    assert step
    assert (step.stage, step.done) == ("embedding", 0)
    embedder.let()
    until(lambda: keeper.index.pending() == 0 and keeper.state.progress is None)


def test_a_few_vectors_are_waited_for_longer(keep: Keep, corpus: Path) -> None:
    write(corpus, TOWN)
    started = time.monotonic()
    keep(HeldEmbedder()).settle(patience=0.3)
    assert time.monotonic() - started > 1.1


def test_progress_is_told_to_who_waits_in_its_own_thread(keep: Keep, corpus: Path) -> None:
    write(corpus, {f"{number}.txt": f"Text {number}." for number in range(30)})
    embedder = HeldEmbedder()
    seen: list[tuple[str, int, str]] = []
    keeper = keep(embedder)

    def progress(step) -> None:  # type: ignore[no-untyped-def]
        seen.append((step.stage, step.total, threading.current_thread().name))
        embedder.let(1)

    keeper.settle(SECONDS, progress)
    assert ("embedding", 30, threading.main_thread().name) in seen


def test_waiting_ends_when_the_asker_stops(keep: Keep, corpus: Path) -> None:
    write(corpus, TOWN)
    embedder, stop = HeldEmbedder(), threading.Event()
    keeper = keep(embedder)
    threading.Thread(target=lambda: embedder.held.wait(SECONDS) and stop.set()).start()
    keeper.settle(patience=1_000, stop=stop)
    assert keeper.index.pending()


def test_many_who_ask_first_start_one_check(keep: Keep, corpus: Path) -> None:
    write(corpus, TOWN)
    embedder = HashEmbedder()
    keeper = keep(embedder)
    asking = [threading.Thread(target=keeper.settle, args=(SECONDS,)) for _ in range(8)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert files(keeper) == TOWN.keys()
    assert embedder.texts == keeper.index.counts()["chunks"]


# Failing


def test_a_failure_is_raised_when_there_is_nothing_to_answer_from(keep: Keep, corpus: Path) -> None:
    keeper = keep()
    corpus.rmdir()
    for _ in range(2):
        with pytest.raises(CorpusError, match="corpus"):
            keeper.settle(patience=SECONDS)


def test_a_failure_is_told_when_there_is_something_to_answer_from(keep: Keep, corpus: Path) -> None:
    write(corpus, TOWN)
    embedder = FailingEmbedder()
    keeper = keep(embedder)
    keeper.settle(patience=SECONDS)
    assert "does not answer" in str(keeper.state.error)
    assert "bakery.txt" in found(keeper, "Who was born in Oslo?")
    embedder.refuses = False
    keeper.sync()
    assert keeper.state.error is None
    assert keeper.index.pending() == 0


def test_a_failure_is_tried_again_by_a_later_question(
    keep: Keep, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.keeper.RETRY_SECONDS", 0.0)
    keeper = keep()
    corpus.rmdir()
    with pytest.raises(CorpusError):
        keeper.settle(patience=SECONDS)
    write(corpus, TOWN)
    keeper.settle(patience=SECONDS)
    assert files(keeper) == TOWN.keys()


def test_what_nobody_foresaw_is_told_too(keep: Keep, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(corpus, TOWN)
    keeper = keep()
    monkeypatch.setattr(keeper.index, "sync", lambda *_: 1 / 0)
    with pytest.raises(FootnoteError, match="division by zero"):
        keeper.settle(patience=SECONDS)


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileLock:
    """The writer's lock, as another process holds it."""
    monkeypatch.setattr("index.core.LOCK_SECONDS", 0.05)
    monkeypatch.setattr("index.keeper.RETRY_SECONDS", 0.05)
    (tmp_path / "index").mkdir()
    return FileLock(tmp_path / "index/writer.lock", thread_local=False)


def test_while_another_process_writes_what_is_there_is_asked_and_then_it_is_our_turn(
    keep: Keep, corpus: Path, locked: FileLock
) -> None:
    write(corpus, TOWN)
    keep().sync()
    write(corpus, {"late.txt": "Late."})
    keeper = keep()
    with locked:
        keeper.settle(patience=SECONDS)
        assert isinstance(keeper.state.error, LockedError)
        assert files(keeper) == TOWN.keys()
    until(lambda: "late.txt" in files(keeper))
    until(lambda: keeper.state.error is None)


def test_while_another_process_makes_the_index_its_first_documents_are_waited_for(
    keep: Keep, corpus: Path, locked: FileLock
) -> None:
    write(corpus, TOWN)
    keeper = keep()
    with locked:
        with pytest.raises(LockedError):
            keeper.settle(patience=0.2)
        threading.Timer(0.2, locked.release).start()
        keeper.settle(patience=SECONDS)
        assert files(keeper) == TOWN.keys()


# Following


def test_what_changes_in_a_followed_folder_is_taken_in(keep: Keep, corpus: Path) -> None:
    write(corpus, TOWN)
    keeper, told = keep(), SimpleQueue[SyncReport | FootnoteError]()
    keeper.follow(told.put)
    keeper.settle(patience=SECONDS)
    first = told.get(timeout=SECONDS)
    assert isinstance(first, SyncReport)
    assert first.added == 2
    started = time.monotonic()
    write(corpus, {"new.txt": "The mayor of Odda is Liv Dahl."})
    until(lambda: "new.txt" in found(keeper, "Liv Dahl"))
    assert time.monotonic() - started < 5
    (corpus / "bakery.txt").unlink()
    until(lambda: "bakery.txt" not in files(keeper))
    changes = [told.get(timeout=SECONDS) for _ in range(2)]
    assert [(c.added, c.removed) for c in changes if isinstance(c, SyncReport)] == [(1, 0), (0, 1)]


def test_a_followed_folder_that_goes_is_told_and_taken_in_again_when_it_comes_back(
    keep: Keep, corpus: Path
) -> None:
    write(corpus, TOWN)
    keeper, told = keep(), SimpleQueue[SyncReport | FootnoteError]()
    keeper.follow(told.put)
    keeper.settle(patience=SECONDS)
    told.get(timeout=SECONDS)
    away = corpus.rename(corpus.with_name("away"))
    assert "There is no folder" in str(told.get(timeout=SECONDS))
    assert files(keeper) == TOWN.keys(), "what was indexed can still be asked"
    write(away, {"new.txt": "New."}).rename(corpus)
    until(lambda: "new.txt" in files(keeper))
    until(lambda: keeper.state.error is None)


def while_embedding(keep: Keep, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Keeper, HeldEmbedder]:
    """Follow a folder of 40 files, and stop at the first of ten batches."""
    monkeypatch.setattr("index.sync.BATCH", 4)
    write(corpus, {f"{number}.txt": f"Text {number}." for number in range(40)})
    embedder = HeldEmbedder()
    keeper = keep(embedder)
    keeper.follow()
    assert embedder.held.wait(SECONDS)
    return keeper, embedder


def test_a_new_file_does_not_wait_until_all_vectors_are_there(
    keep: Keep, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, embedder = while_embedding(keep, corpus, monkeypatch)
    write(corpus, {"new.txt": "The mayor of Odda is Liv Dahl."})

    def one_batch_more() -> bool:
        embedder.let(1)
        return "new.txt" in files(keeper)

    until(one_batch_more)
    embedder.let()
    until(lambda: keeper.index.pending() == 0)
    assert embedder.texts == 41, "nothing was embedded twice"


def test_where_the_system_tells_nothing_the_folder_is_looked_at_from_time_to_time(
    keep: Keep, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "OS file watch limit reached")

    monkeypatch.setattr("watchfiles.watch", refuse)
    monkeypatch.setattr("index.keeper.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("index.keeper.LOOK_SHARE", 0)
    keeper = keep()
    keeper.follow()
    write(corpus, TOWN)
    until(lambda: files(keeper) == TOWN.keys())


# Ending


def test_closing_ends_a_long_embedding_and_the_next_keeper_goes_on(
    keep: Keep, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, embedder = while_embedding(keep, corpus, monkeypatch)
    embedder.let(3)
    closing = threading.Thread(target=keeper.close)
    closing.start()
    until(lambda: keeper._stop.is_set())
    embedder.let(1)
    closing.join(SECONDS)
    assert not threads("footnote-keeper", "footnote-watch")
    done = embedder.texts
    assert done < 40
    again = HashEmbedder()
    keep(again).settle(patience=SECONDS)
    assert again.texts == 40 - done


LEAVING = """
import sys, time
from index import Index, Keeper
from tests.fakes import HashEmbedder, HeldEmbedder

class Slow(HashEmbedder):
    def embed(self, texts, *, kind):
        time.sleep(0.2)  # as a model does
        return super().embed(texts, kind=kind)

from pathlib import Path
import index.sync
index.sync.BATCH = 1
keeper = Keeper(Index(Path(sys.argv[1]), Path(sys.argv[2]), Slow()))
keeper.settle(patience=0.3)
print(keeper.index.pending() > 0)
"""


def test_a_process_that_ends_does_not_wait_for_the_rest(corpus: Path, tmp_path: Path) -> None:
    write(corpus, {f"{number}.txt": f"Text {number}." for number in range(300)})
    ran = subprocess.run(
        [sys.executable, "-c", LEAVING, corpus, tmp_path / "index"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True\n", "")
