"""Files that are written, replaced and deleted while they are indexed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from index import Index
from tests.faults.library import WitnessEmbedder, text, versions

COPIES = 10
"""So often a text stands in one file: reading it takes long enough to be interrupted."""
LINES = 100
"""The growing file begins anew after so many."""
PARAGRAPH = "Line {0} of {0}. " * 3 + "\n\n"


class Writer(threading.Thread):
    """Changes files in every way there is until it is told to end."""

    def __init__(self, corpus: Path) -> None:
        super().__init__(daemon=True)
        self.corpus, self.end = corpus, threading.Event()
        self.rounds = 0

    def run(self) -> None:
        while not self.end.is_set():
            self.replace("replaced.txt", 1)
            self.replace("deleted.txt", 2)
            (self.corpus / "written.txt").write_text(text(3, self.rounds) * COPIES)
            line = self.rounds % LINES
            with (self.corpus / "longer.txt").open("a" if line else "w") as file:
                file.write(PARAGRAPH.format(line))
            (self.corpus / "deleted.txt").unlink()
            self.replace(f"{self.rounds % 3}.txt", 4)
            self.rounds += 1

    def replace(self, file: str, subject: int) -> None:
        partial = self.corpus / ".partial"
        partial.write_text(text(subject, self.rounds) * COPIES)
        partial.replace(self.corpus / file)


@pytest.mark.parametrize("rounds", [6, pytest.param(200, marks=pytest.mark.heavy)])
def test_a_file_changed_while_it_is_read_is_never_a_mix(tmp_path: Path, corpus: Path, rounds: int) -> None:
    index = Index(corpus, tmp_path / "index", WitnessEmbedder())
    writer = Writer(corpus)
    writer.start()
    try:
        for _ in range(rounds):
            index.sync()
            for document in index.documents():
                assert len(versions([document.text])) <= 1, document.file
                whole = document.file not in ("longer.txt", "written.txt")
                assert not whole or document.text == text(*next(iter(versions([document.text])))) * COPIES
                if document.file == "longer.txt":
                    lines = "".join(map(PARAGRAPH.format, range(document.text.count("\n\n") + 1)))
                    assert lines.startswith(document.text)
                for chunk in index.chunks_of(document.file):
                    assert chunk.text == document.text[chunk.start : chunk.end]
    finally:
        writer.end.set()
        writer.join()
    assert writer.rounds > 0
    index.sync()
    assert index.differences() == []
    held = {document.file: document.text for document in index.documents()}
    assert held == {path.name: path.read_text() for path in corpus.iterdir()}
    index.close()
