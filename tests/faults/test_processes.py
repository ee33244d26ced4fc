"""Several processes on one index: one writes, all others read, and nobody sees half of anything."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from index import Index, LockedError
from index.embedding import Kind, Vectors
from tests.faults.children import Child, DeadError, in_child
from tests.faults.library import (
    PARAGRAPHS,
    Library,
    WitnessEmbedder,
    answers,
    assert_right,
    by_meaning,
    by_words,
    look,
    question,
    stamps,
    sync,
    versions,
)

REFUSED_WITHIN = 2.5
"""Seconds a second writer waits at most, with half a second for a busy machine."""
SUBJECTS = 12


class PausingEmbedder(WitnessEmbedder):
    """Says on a file that it has begun, and does not go on."""

    def __init__(self, begun: Path) -> None:
        super().__init__()
        self.begun = begun

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        self.begun.touch()
        signal.pause()
        raise AssertionError


def sync_and_hang(corpus: Path, folder: Path, begun: Path) -> None:
    Index(corpus, folder, PausingEmbedder(begun)).sync()


def refused(corpus: Path, folder: Path) -> tuple[str, float]:
    """What a second writer is told, and after how many seconds."""
    index = Index(corpus, folder, WitnessEmbedder())
    started = time.monotonic()
    try:
        index.sync()
    except LockedError as error:
        return str(error), time.monotonic() - started
    raise AssertionError("two processes wrote at once")


def test_a_second_writer_is_refused_at_once_and_the_lock_of_a_dead_one_is_free(tmp_path: Path) -> None:
    library = Library(tmp_path / "corpus", 3)
    corpus, folder, begun = library.folder, tmp_path / "index", tmp_path / "begun"
    holder = Child(sync_and_hang, corpus, folder, begun)
    while not begun.exists():
        assert holder.alive
    said, seconds = in_child(refused, corpus, folder)
    assert re.search(rf"\b{holder.pid}\b", said)
    assert str(folder) in said
    assert seconds < REFUSED_WITHIN
    assert holder.kill() == -signal.SIGKILL
    assert in_child(sync, corpus, folder) == []
    asked = library.questions(20)
    assert_right(in_child(look, corpus, folder, asked), library.texts, asked)


# Two that sync, five that ask


def keep_syncing(corpus: Path, folder: Path, end: Path) -> tuple[int, int]:
    """Sync again and again until a file appears; return how often it was done and how often refused."""
    index = Index(corpus, folder, WitnessEmbedder())
    done = busy = 0
    while not end.exists():
        try:
            index.sync()
            done += 1
        except LockedError:
            busy += 1
    index.close()
    return done, busy


def keep_asking(corpus: Path, folder: Path, end: Path) -> int:
    """Ask about every subject again and again until a file appears; return how often.

    Whatever is found is whole, and never older than what was found before.
    """
    index = Index(corpus, folder, WitnessEmbedder())
    newest = dict.fromkeys(range(SUBJECTS), -1)
    asked = 0
    while not end.exists():
        for subject in range(SUBJECTS):
            found = answers(index, subject)
            told = {stamp for _, content in found for stamp in stamps(content)}
            assert {place for *_, place in told} == set(range(PARAGRAPHS)), (
                f"a part of subject {subject}: {told}"
            )
            ((_, version),) = versions(content for _, content in found)
            (file,) = {file for file, _ in found}
            document = index.document(file)
            assert document, f"{file} was found and is not there"
            ((_, held),) = versions([document.text])
            ((_, listed),) = versions(chunk.text for chunk in index.chunks_of(file))
            assert newest[subject] <= version <= held <= listed
            newest[subject] = listed
            asked += 1
        assert len(index.titles()) >= SUBJECTS
        assert index.respell(question(0)) == question(0)
    index.close()
    return asked


@pytest.mark.parametrize("changes", [30, pytest.param(600, marks=pytest.mark.heavy)])
def test_two_sync_and_five_ask(tmp_path: Path, changes: int, capsys: pytest.CaptureFixture[str]) -> None:
    library = Library(tmp_path / "corpus", SUBJECTS)
    corpus, folder, end = library.folder, tmp_path / "index", tmp_path / "end"
    assert in_child(sync, corpus, folder) == []
    writers = [Child(keep_syncing, corpus, folder, end) for _ in range(2)]
    readers = [Child(keep_asking, corpus, folder, end) for _ in range(5)]
    for _ in range(changes):
        for file in library.random.sample(sorted(library.shelf)[:SUBJECTS], 3):
            library.write(file, library.shelf[file])
        library.add()
        writers[0].process.join(0.1)
    end.touch()
    written, times = [child.result() for child in writers], [child.result() for child in readers]
    assert sum(done for done, _ in written) > 0
    assert min(times) > 0
    assert in_child(sync, corpus, folder) == []
    asked = library.questions(20)
    assert_right(in_child(look, corpus, folder, asked), library.texts, asked)
    with capsys.disabled():
        print(f"\n{changes * 3} files changed; synced {written} (done, refused), asked {times} times")


class MeddlingEmbedder(WitnessEmbedder):
    """While a question is embedded, every document is edited and indexed."""

    def __init__(self, library: Library, folder: Path) -> None:
        super().__init__()
        self.library, self.folder = library, folder

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        for file, subject in self.library.shelf.items():
            self.library.write(file, subject)
        assert sync(self.library.folder, self.folder) == []
        return super().embed(texts, kind=kind)


def test_what_is_edited_while_it_is_asked_about_is_found(tmp_path: Path) -> None:
    library = Library(tmp_path / "corpus", SUBJECTS)
    folder = tmp_path / "index"
    assert sync(library.folder, folder) == []
    reader = Index(library.folder, folder, MeddlingEmbedder(library, folder))
    for subject in range(SUBJECTS):
        for ask in (by_words, by_meaning):
            told = {stamp for _, content in ask(reader, subject) for stamp in stamps(content)}
            assert {place for *_, place in told} == set(range(PARAGRAPHS))
            assert len({version for _, version, _ in told}) == 1
    reader.close()


def test_what_another_process_indexes_is_found_at_the_next_question(tmp_path: Path) -> None:
    library = Library(tmp_path / "corpus", 5)
    corpus, folder = library.folder, tmp_path / "index"
    assert in_child(sync, corpus, folder) == []
    reader = Index(corpus, folder, WitnessEmbedder())
    for _ in range(3):
        library.change(5)
        assert in_child(sync, corpus, folder) == []
        for file, subject in library.shelf.items():
            assert {where for where, _ in answers(reader, subject)} == {file}
            assert stamps(library.texts[file]) == {
                stamp for _, content in answers(reader, subject) for stamp in stamps(content)
            }
    reader.close()


def crash() -> None:
    signal.raise_signal(signal.SIGSEGV)


def test_a_crash_of_a_child_is_noticed() -> None:
    """Otherwise none of these tests could fail by it."""
    with pytest.raises(DeadError, match="exit code -11"):
        in_child(crash)
