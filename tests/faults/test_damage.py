"""Damage every file of an index: it is noticed, nothing false is answered, and nothing crashes."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random

import pytest

from index import FootnoteError, Index
from tests.faults.children import Child, DeadError, in_child
from tests.faults.library import Library, Seen, WitnessEmbedder, assert_right, copy, look, sync

SIZE = 300
"""Documents; their chunks are enough for Chroma to write its graph to files."""
ASKED = 20
NOISE = Random(0).randbytes(1 << 16)


def flipped(data: bytes) -> bytes:
    """With 20 bytes changed in the middle."""
    middle = max(0, len(data) // 2 - 10)
    return data[:middle] + bytes(byte ^ 0x5A for byte in data[middle : middle + 20]) + data[middle + 20 :]


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda data: None,
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "flipped": flipped,
    "noise": lambda data: (NOISE * (len(data) // len(NOISE) + 1))[: len(data)],
    "no beginning": lambda data: bytes(min(100, len(data))) + data[100:],
    "too long": lambda data: data + NOISE[:1000],
}


def damage(path: Path, kind: str) -> None:
    data = DAMAGES[kind](path.read_bytes())
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)


class Shelf:
    """An index that lies ready to be copied and damaged."""

    def __init__(self, folder: Path) -> None:
        self.library = Library(folder / "corpus", SIZE)
        self.corpus, self.sound, self.damaged = folder / "corpus", folder / "sound", folder / "damaged"
        self.asked = self.library.questions(ASKED)

    def files(self) -> Iterator[Path]:
        """The files of the caches, of each sort the first; names that are drawn by lot count as one sort."""
        sorts = set()
        for path in sorted(self.sound.rglob("*")):
            cache = path.relative_to(self.sound).parts[0]
            sort = cache, path.suffix or path.name if path.suffix != ".bin" else path.name
            if path.is_file() and path.parent != self.sound and sort not in sorts:
                sorts.add(sort)
                yield path.relative_to(self.sound)

    def check_found(self, seen: Seen, subjects: Iterable[int]) -> None:
        """Everything is found, by whichever search is sound, and nothing else."""
        texts = self.library.texts
        assert seen.documents == texts
        for subject in subjects:
            file = self.asked[subject]
            assert {where for where, _ in seen.answers(subject)} == {file}
            assert all(content in texts[file] for _, content in seen.answers(subject))
            for found in (seen.by_words[subject], seen.by_meaning[subject]):
                assert found in (set(), seen.answers(subject)), "a part was found"

    def look(self) -> Seen:
        return Seen(*in_child(look, self.corpus, self.damaged, self.asked))

    def mend(self) -> None:
        """After a sync all is as it was."""
        assert in_child(sync, self.corpus, self.damaged) == []
        seen = self.look()
        assert_right(seen, self.library.texts, self.asked)
        assert all(seen.sound.values())


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    assert in_child(sync, shelf.corpus, shelf.sound) == []
    return shelf


@pytest.mark.parametrize("every", [29, pytest.param(1, marks=pytest.mark.heavy)])
def test_damage_to_a_cache_is_noticed_and_mended(
    shelf: Shelf, every: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """All is answered before the next sync, if need be by one search alone, and by both after it."""
    cases = [(file, kind) for file in shelf.files() for kind in DAMAGES]
    assert len(cases) > 24
    failures = {}
    for file, kind in cases[::every]:
        copy(shelf.sound, shelf.damaged)
        damage(shelf.damaged / file, kind)
        try:
            shelf.check_found(shelf.look(), shelf.asked)
            shelf.mend()
        except (AssertionError, FootnoteError, DeadError) as error:
            failures[f"{file}: {kind}"] = str(error)[-500:]
    assert not failures
    with capsys.disabled():
        print(
            f"\n{len(cases[::every])} damages to {len(cases) // len(DAMAGES)} sorts of cache files: all mended"
        )


@pytest.mark.parametrize("depth", [pytest.param(1, marks=pytest.mark.heavy), 2])
def test_a_cache_that_is_gone_is_made_again(shelf: Shelf, depth: int) -> None:
    """Either whole, or only what it holds."""
    for folder in sorted(shelf.sound.glob("/".join("*" * depth))):
        if folder.is_dir():
            copy(shelf.sound, shelf.damaged)
            shutil.rmtree(shelf.damaged / folder.relative_to(shelf.sound))
            shelf.check_found(shelf.look(), shelf.asked)
            shelf.mend()


# The store


def sync_and_die(corpus: Path, folder: Path) -> None:
    sync(corpus, folder)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def unsettled(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """An index whose last changes stand in SQLite's log only, as a kill leaves it."""
    shelf = Shelf(tmp_path_factory.mktemp("unsettled"))
    assert in_child(sync, shelf.corpus, shelf.sound) == []
    shelf.library.indexed()
    shelf.library.change(20)
    shelf.asked = shelf.library.questions(ASKED)
    reader = Index(shelf.corpus, shelf.sound, WitnessEmbedder())  # Who closes last clears the log.
    child = Child(sync_and_die, shelf.corpus, shelf.sound)
    with pytest.raises(DeadError):
        child.result()
    shutil.copytree(shelf.sound, shelf.sound.with_name("copy"))
    reader.close()
    shelf.sound = shelf.sound.with_name("copy")
    assert (shelf.sound / "store.sqlite-wal").stat().st_size > 10_000
    return shelf


NOTHING_LEFT = [("store.sqlite", "gone"), ("store.sqlite", "empty")]
"""An index without documents is no wrong one."""


@pytest.mark.parametrize("file", ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"])
@pytest.mark.parametrize(
    "kind",
    [kind if kind == "half" else pytest.param(kind, marks=pytest.mark.heavy) for kind in DAMAGES],
)
def test_a_damaged_store_is_named_or_right(unsettled: Shelf, file: str, kind: str) -> None:
    """A log that is cut off is older, but true; the next sync makes up for it."""
    copy(unsettled.sound, unsettled.damaged)
    damage(unsettled.damaged / file, kind)
    told = ""
    try:
        seen = unsettled.look()
        if (file, kind) not in NOTHING_LEFT:
            unsettled.library.check(seen, calm=False)
        unsettled.mend()
    except FootnoteError as error:
        told = str(error)
    if told:
        assert "store.sqlite" in told
        assert f"delete the folder {unsettled.damaged}" in told
        shutil.rmtree(unsettled.damaged)
        unsettled.mend()


def test_a_flipped_letter_in_the_store_is_not_quoted(shelf: Shelf) -> None:
    """SQLite does not notice it: it keeps no checksums."""
    data = (shelf.sound / "store.sqlite").read_bytes()
    subject, file = next(iter(shelf.asked.items()))
    letters = re.search(r"place2 (\w+)", shelf.library.texts[file])
    assert letters
    places = [match.start() for match in re.finditer(letters[1].encode(), data)]
    assert places
    for place in places:
        copy(shelf.sound, shelf.damaged)
        (shelf.damaged / "store.sqlite").write_bytes(data[:place] + b"X" + data[place + 1 :])
        told = ""
        try:
            shelf.check_found(Seen(*in_child(look, shelf.corpus, shelf.damaged, [subject])), [subject])
        except FootnoteError as error:
            told = str(error)
        assert not told or f"delete the folder {shelf.damaged}" in told


@pytest.mark.parametrize("lost", ["nothing", "caches"])
def test_a_store_that_was_set_back_does_not_deceive_the_caches(tmp_path: Path, lost: str) -> None:
    """The same numbers are given again to other chunks: by a backup put in place, or a log that was lost."""
    library = Library(tmp_path / "corpus", 40)
    corpus, folder, backup = library.folder, tmp_path / "index", tmp_path / "backup"
    assert in_child(sync, corpus, folder) == []
    shutil.copy(folder / "store.sqlite", backup)
    files = sorted(library.shelf)
    for file in files[:5]:
        library.write(file, library.shelf[file])
    if lost == "caches":
        for cache in folder.iterdir():
            if cache.is_dir():
                shutil.rmtree(cache)
    assert in_child(sync, corpus, folder) == []
    for log in folder.glob("store.sqlite-*"):
        log.unlink()
    shutil.copy(backup, folder / "store.sqlite")
    library.lost()
    for file in files[20:25]:
        library.write(file, library.shelf[file])
    asked = library.questions(40)
    assert in_child(sync, corpus, folder) == []
    assert_right(in_child(look, corpus, folder, asked), library.texts, asked)
