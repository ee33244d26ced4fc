"""Large folders and large documents, with vectors that cost nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from index import Index, SyncReport
from tests.faults.children import Child, in_child, peak_memory
from tests.faults.library import WitnessEmbedder, embedded, word
from tests.finding import candidates

BATCH = 256
"""So many texts at most are embedded again after a kill."""
LONGEST = 900.0
"""Seconds that the largest folders may take."""
LONG = 5_500
"""More chunks than Chroma takes at once."""


def work(corpus: Path, folder: Path, log: Path) -> tuple[SyncReport, float, float]:
    """Sync; return also the seconds until it was done, from opening on, and the most memory held, in MB."""
    started = time.monotonic()
    index = Index(corpus, folder, WitnessEmbedder(log))
    report = index.sync()
    index.close()
    return report, time.monotonic() - started, peak_memory()


def change_one(corpus: Path, folder: Path, log: Path, file: str) -> tuple[SyncReport, float]:
    """Change one file while the index is open, and sync."""
    index = Index(corpus, folder, WitnessEmbedder(log))
    index.sync()
    (corpus / file).write_text("This note is another one now.")
    started = time.monotonic()
    report = index.sync()
    seconds = time.monotonic() - started
    assert [each.chunk.file for each in candidates(index, "another one", 1) if each.bm25] == [file]
    index.close()
    return report, seconds


def texts_in(batches: Sequence[Sequence[str]]) -> list[str]:
    return [text for batch in batches for text in batch]


@pytest.mark.parametrize(
    ("count", "again", "one", "memory"),
    [
        pytest.param(1_000, 15, 10, 1500, id="1000"),
        pytest.param(100_000, 15, 2, 1500, id="100000", marks=pytest.mark.heavy),
    ],
)
def test_many_files(
    tmp_path: Path, count: int, again: float, one: float, memory: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed half way, resumed, synced again unchanged, and with one file changed."""
    corpus, folder, log = tmp_path / "corpus", tmp_path / "index", tmp_path / "log"
    for number in range(count):
        if number % 1000 == 0:
            (corpus / str(number)).mkdir(parents=True)
        note = f"Note {number} is about {word(str(number))} and {word(f'{number} too')}."
        (corpus / str(number - number % 1000) / f"{number}.txt").write_text(note)

    started = time.monotonic()
    child = Child(work, corpus, folder, log)
    size = 0
    while size < count * 40 and child.alive:  # A text takes more than twice as much in the log.
        size = log.stat().st_size if log.exists() else 0
        child.process.join(0.01)
    child.kill()
    first = time.monotonic() - started
    before = texts_in(embedded(log))

    report, resumed, peak = in_child(work, corpus, folder, log, timeout=LONGEST)
    after = texts_in(embedded(log))
    assert report.added + report.changed + report.unchanged == count
    assert len(set(after)) == count
    repeated = len(after) - len(set(after))
    assert repeated <= BATCH

    report, unchanged, _ = in_child(work, corpus, folder, log, timeout=LONGEST)
    assert (report.unchanged, report.embedded, texts_in(embedded(log))) == (count, 0, after)
    assert unchanged <= again
    report, changed = in_child(change_one, corpus, folder, log, f"0/{count % 1000 + 7}.txt")
    assert (report.changed, report.embedded, report.unchanged) == (1, 1, count - 1)
    assert changed <= one
    assert peak <= memory
    with capsys.disabled():
        print(
            f"\n{count:,} files: killed after {first:.1f} s and {len(before):,} texts, resumed in {resumed:.1f} s "
            f"with {repeated} embedded again, unchanged {unchanged:.1f} s, one changed {changed:.2f} s, "
            f"{peak:,.0f} MB at most"
        )


class NarrowEmbedder(WitnessEmbedder):
    """So that Chroma has less to do."""

    id = "narrow"
    dimensions = 32


def paragraph(name: str, place: int) -> str:
    """Too long for two to make one chunk."""
    return f"{name} place{place} " + " ".join(word(f"{name}/{place}/{n}") for n in range(25))


def list_filter_delete(corpus: Path, folder: Path) -> None:
    files = sorted(path.name for path in corpus.iterdir())
    index = Index(corpus, folder, NarrowEmbedder())
    index.sync()
    assert index.counts()["chunks"] == LONG * len(files)
    everything = candidates(index, " ".join(file.removesuffix(".txt") for file in files), LONG * len(files))
    assert len(everything) == LONG * len(files)
    for file in files:
        assert len(index.chunks_of(file)) == LONG
        assert len([each for each in everything if each.chunk.file == file]) == LONG
    for file in files[1:]:
        (corpus / file).unlink()
    (corpus / files[0]).rename(corpus / "kept.txt")
    assert index.sync().embedded == 0
    assert index.counts() == {"documents": 1, "chunks": LONG, "vectors": LONG}
    name = files[0].removesuffix(".txt")
    for place in (0, LONG // 2, LONG - 1):
        best = max(candidates(index, paragraph(name, place), 5), key=lambda each: each.similarity)
        assert best.chunk.text.startswith(paragraph(name, place))
    index.close()


@pytest.mark.heavy
@pytest.mark.parametrize("files", [1, 8])
def test_long_documents(tmp_path: Path, files: int) -> None:
    """More chunks than Chroma or SQLite take at once, embedded, listed, filtered and deleted."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number in range(files):
        paragraphs = (paragraph(f"name{number}", place) for place in range(LONG))
        (corpus / f"name{number}.txt").write_text(".\n\n".join(paragraphs))
    in_child(list_filter_delete, corpus, tmp_path / "index", timeout=LONGEST)
