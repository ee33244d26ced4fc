"""What bringing a large index up to date costs: nothing changed, one file changed, after a kill.

Many short files, one chunk each, embedded by the real model (`--all`, `--real`) or the mean of a random vector per
word. The baseline is a bare walk of the folder that looks at each file's size and time,
without which no change can be noticed. The killed process gets SIGKILL when half of the texts are embedded.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from index import Embedder, Index, MiniLM, SyncReport
from tests.bench import library
from tests.bench.embedders import Dying, WordVectors
from tests.bench.processes import alone, seconds
from tests.bench.results import Row, row
from tests.finding import candidates

KILLED_FILES = 10_000
"""The kill is tried on at most so many."""


def measure(files: int, real: bool = False) -> list[Row]:
    """Return the figures of a folder of so many files, and of a killed indexing."""
    kind: type[Embedder] = MiniLM if real else WordVectors
    with tempfile.TemporaryDirectory() as folder:
        return [
            *_following(Path(folder), files, kind),
            *_killed(Path(folder), min(files, KILLED_FILES), kind),
        ]


def _following(folder: Path, files: int, kind: type[Embedder]) -> list[Row]:
    library.write(folder / "corpus", files, 0)
    (_, whole), peak = alone(sync, folder, kind)
    walk = seconds(lambda: look(folder / "corpus"))
    unchanged, _ = alone(sync, folder, kind)
    (again, changed), _ = alone(change_one, folder, kind, files)
    of = f"{files:,} files ({kind.id})"
    return [
        row(f"indexing {of}", whole, "s"),
        row(f"indexing {of}: most memory", peak, "MB", goal="≤ 1500"),
        row(f"baseline: walk of {of}", walk, "s"),
        row(f"nothing changed among {of}, fresh process", unchanged[1], "s", walk, goal="≤ 15"),
        row(f"nothing changed among {of}", again, "s", walk, goal="≤ 10"),
        row(f"one changed among {of}", changed, "s", walk, goal="≤ 2"),
    ]


def sync(folder: Path, kind: type[Embedder]) -> tuple[SyncReport, float]:
    """Bring the index of a folder up to date, and close it; return also the seconds."""
    index = Index(folder / "corpus", folder / "index", kind())
    reports: list[SyncReport] = []
    taken = seconds(lambda: reports.append(index.sync()))
    index.close()
    return reports[0], taken


def look(corpus: Path) -> int:
    """Walk a folder and look at size and time of each file; return how many there are."""
    return sum(
        Path(folder, name).stat().st_size > 0 for folder, _, names in os.walk(corpus) for name in names
    )


def change_one(folder: Path, kind: type[Embedder], files: int) -> tuple[float, float]:
    """In a process that has just synced: sync again, then change the middle one of the files and sync.

    Returns:
        The seconds of the two syncs.

    Raises:
        AssertionError: If the new fact is not found afterwards, or the old one still is.
    """
    index = Index(folder / "corpus", folder / "index", kind())
    index.sync()
    unchanged = seconds(index.sync)
    old, new = files // 2, files
    (folder / "corpus" / library.file(old)).write_text(library.text(new, 0), encoding="utf-8")
    changed = seconds(index.sync)
    for number, expected in ((new, True), (old, False)):
        query, person = library.question(number)
        found = any(person in candidate.chunk.text for candidate in candidates(index, query, 10))
        if found is not expected:
            raise AssertionError(f"{query} {'is not' if expected else 'is still'} found after the change.")
    index.close()
    return unchanged, changed


def _killed(folder: Path, files: int, kind: type[Embedder]) -> list[Row]:
    undisturbed, killed = folder / "undisturbed", folder / "killed"
    for one in (undisturbed, killed):
        library.write(one / "corpus", files, 0)
    (_, whole), _ = alone(sync, undisturbed, kind)
    tally = folder / "tally"
    first = seconds(lambda: _until_killed(killed, kind, files // 2, tally))
    (resumed, second), _ = alone(sync, killed, kind)
    again = int(tally.read_text()) + resumed.embedded - files
    return [
        row(f"indexing {files:,} files ({kind.id}), killed half-way and resumed", first + second, "s", whole),
        row("texts that were embedded twice because of it", again, ""),
    ]


def _until_killed(folder: Path, kind: type[Embedder], after: int, tally: Path) -> None:
    try:
        alone(sync_and_die, folder, kind, after, tally)
    except BrokenProcessPool:
        return
    raise AssertionError("The process was to be killed.")


def sync_and_die(folder: Path, kind: type[Embedder], after: int, tally: Path) -> None:
    """Bring the index up to date in a process that is killed when so many texts are embedded."""
    Index(folder / "corpus", folder / "index", Dying(kind(), after, tally)).sync()
