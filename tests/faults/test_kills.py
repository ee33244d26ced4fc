"""Kill the process that writes the index, at any moment: nothing is lost, mixed or embedded again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from index import Index
from tests.conftest import SEEDS
from tests.faults.children import Child, in_child
from tests.faults.library import (
    Library,
    WitnessEmbedder,
    answers,
    assert_right,
    embedded,
    fingerprint,
    look,
    stamps,
    sync,
)

BATCH = 256
"""So many texts at most may have been embedded and not yet been stored when the process dies."""
ASKED = 20


class Workshop:
    """A library, its index, and processes that sync it and are killed."""

    def __init__(self, folder: Path, size: int, seed: int) -> None:
        self.random = Random(seed)
        self.library = Library(folder / "corpus", size, seed)
        self.corpus, self.index, self.log = folder / "corpus", folder / "index", folder / "embedded"
        self.index.mkdir()
        self.seconds = 1.0
        """How long a sync takes."""
        self.kills: Counter[str] = Counter()
        """By the caches that were being written."""
        self.caches: set[str] = set()
        self.since = 0
        """Kills since the index was last whole."""
        self.calm = True
        self.repeated = 0
        self.most_repeated = 0

    def begin(self) -> None:
        """Change the folder; every few times lose the caches or the whole index too."""
        if self.random.random() < 0.1:
            shutil.rmtree(self.index)
            self.index.mkdir()
            self.log.unlink(missing_ok=True)
            self.library.lost()
            self.since = self.repeated = 0
        elif self.random.random() < 0.4:
            for cache in self.index.iterdir():
                if cache.is_dir():
                    shutil.rmtree(cache)
        self.library.change(self.random.randint(1, len(self.library.shelf)))

    def strike(self, name: str) -> bool:
        """Start a sync and kill it, every other time while it embeds or writes a cache; say whether it was in time."""
        before, started = fingerprint(self.index), time.monotonic()
        child = Child(sync, self.corpus, self.index, self.log)
        if self.random.random() < 0.3:
            self.calm = False
            self.library.change(5)
        if self.random.random() < 0.5:
            self.caches |= {file.split("/")[0] for file in before}
            aim = self.random.choice([*sorted(self.caches), "embedding"])
            written = self._written()
            while child.alive and not (
                self._written() > written if aim == "embedding" else self._changed(before, aim)
            ):
                pass
            child.process.join(self.random.expovariate(20))
        else:
            child.process.join(self.random.uniform(0, self.seconds))
        code = child.kill(name)
        if code == -signal.Signals[name]:
            self.kills[" and ".join(sorted(self._changed(before))) or "the store only"] += 1
            self.since += 1
            return True
        assert code == 0
        self.seconds = time.monotonic() - started
        return False

    def _written(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def _changed(self, before: dict[str, tuple[int, int]], within: str = "") -> set[str]:
        """The caches of which files have changed since."""
        after = fingerprint(self.index)
        files = {file for file in after.keys() | before if after.get(file) != before.get(file)}
        return {file.split("/")[0] for file in files if file.startswith(within)}

    def check(self) -> None:
        """What the next process finds before it syncs."""
        asked = self.library.questions(ASKED)
        self.library.check(in_child(look, self.corpus, self.index, asked), calm=self.calm)

    def recover(self) -> None:
        """Sync without being killed: the index is the folder, and at most a batch a kill was embedded again."""
        assert in_child(sync, self.corpus, self.index, self.log) == []
        texts = [text for batch in embedded(self.log) for text in batch]
        repeated = len(texts) - len(set(texts))
        assert repeated - self.repeated <= BATCH * self.since
        self.most_repeated = max(self.most_repeated, repeated - self.repeated)
        self.repeated, self.since, self.calm = repeated, 0, True
        self.library.indexed()
        asked = self.library.questions(ASKED)
        seen = in_child(look, self.corpus, self.index, asked)
        assert_right(seen, self.library.texts, asked)
        assert all(seen.sound.values())


HEAVY = [("SIGKILL", 50, 250, seed) for seed in range(4)] + [("SIGTERM", 30, 250, 4)]


@pytest.mark.parametrize(
    ("name", "kills", "size", "seed"),
    [
        ("SIGKILL", 6, 60, 5),
        ("SIGTERM", 1, 60, 6),
        *(pytest.param(*each, marks=pytest.mark.heavy) for each in HEAVY),
    ],
)
def test_a_writer_may_die_at_any_moment(
    tmp_path: Path, name: str, kills: int, size: int, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop = Workshop(tmp_path, size, seed)
    while workshop.kills.total() < kills:
        workshop.begin()
        if workshop.strike(name):
            workshop.check()
        if workshop.random.random() < 0.75:
            workshop.recover()
    workshop.recover()
    with capsys.disabled():
        print(
            f"\n{kills} × {name} while syncing {len(workshop.library.shelf)} files, of which had been written: "
            f"{dict(workshop.kills)}; embedded again: at most {workshop.most_repeated} texts"
        )


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.heavy)])
def test_an_edited_document_is_the_old_one_until_it_is_the_new_one(tmp_path: Path, rounds: int) -> None:
    """Whole either way, for who asks all the while, also when the process that writes is killed."""
    library, random = Library(tmp_path / "corpus", 12), Random(0)
    corpus, folder = library.folder, tmp_path / "index"
    assert in_child(sync, corpus, folder) == []
    reader = Index(corpus, folder, WitnessEmbedder())
    for number in range(rounds):
        shelf = dict(library.shelf)
        old = {subject: stamps(library.texts[file]) for file, subject in shelf.items()}
        for file, subject in shelf.items():
            library.write(file, subject)
        new = {subject: stamps(library.texts[file]) for file, subject in shelf.items()}
        child, asked, last = Child(sync, corpus, folder), 0, random.randrange(60)
        while child.alive and (asked < last or number % 3 == 0):
            subject = asked % len(shelf)
            told = {stamp for _, content in answers(reader, subject) for stamp in stamps(content)}
            assert told in (old[subject], new[subject])
            if told == new[subject]:
                old[subject] = told
            asked += 1
        child.kill()
        library.check(in_child(look, corpus, folder, library.questions(12)), calm=True)
        assert in_child(sync, corpus, folder) == []
        library.indexed()
        for subject, expected in new.items():
            assert {stamp for _, content in answers(reader, subject) for stamp in stamps(content)} == expected
    reader.close()


@pytest.mark.heavy
def test_the_command_may_be_killed_and_doctor_finds_all_well(tmp_path: Path) -> None:
    """With the real embedder, on the shipped documents."""
    corpus, random = Path(shutil.copytree(SEEDS, tmp_path / "corpus")), Random(0)
    place = [str(corpus), "--index-dir", str(tmp_path / "index")]
    killed = 0
    for number in range(12):
        for file in sorted(corpus.glob("*.txt"))[:3]:
            file.write_text(f"Edition {number}\n\n{file.read_text()}")
        footnote = str(Path(sys.executable).with_name("footnote"))
        process = subprocess.Popen([footnote, "index", *place], stdout=subprocess.DEVNULL)
        try:
            process.wait(random.uniform(0.5, 4))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += process.wait() == -signal.SIGKILL
        subprocess.run([footnote, "index", *place], stdout=subprocess.DEVNULL, check=True)
        checked = subprocess.run(
            [footnote, "doctor", "--corpus", *place], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout
        assert "equal to the folder" in checked.stdout
    assert killed
