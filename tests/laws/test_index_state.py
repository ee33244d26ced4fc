"""Law: the index equals the folder, whatever happened to the folder in whatever order."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from index import Index
from index.vectors import VectorIndex
from tests.fakes import HashEmbedder
from tests.finding import candidates

NAMES = ["a.txt", "b.md", "c/d.txt", "c/e.txt", "f.pdf", "g.txt"]
WORDS = ["zebra", "lion", "okapi", "sleeps", "hunts", "the", "石破首相"]
QUERIES = ["zebra sleeps", "the lion", "okapi", "石破"]

sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(lambda words: " ".join(words) + ". ")
paragraphs = st.lists(sentences, min_size=1, max_size=40).map("".join)
contents = st.lists(paragraphs, max_size=3).map(lambda parts: "\n\n".join(parts).encode()) | st.sampled_from(
    [b"", b"\xff not UTF-8", b"\0", b"\xef\xbb\xbfzebra", b"okapi\r\nhunts\r\n", b"2024-05-03\nzebra"]
)


def facts(index: Index) -> object:
    """Everything a reader can learn, but the numbers that chunks have."""
    chunks = [
        (chunk.file, chunk.title, chunk.date, chunk.start, chunk.end, chunk.text, chunk.sentences)
        for file, _ in index.titles()
        for chunk in index.chunks_of(file)
    ]
    hits = {
        query: sorted(
            (found.chunk.file, found.chunk.start, round(found.similarity, 5), round(found.bm25, 4))
            for found in candidates(index, query, 1000)
        )
        for query in QUERIES
    }
    words = {word: index.respell(word + "x") for word in WORDS}
    return index.documents(), index.counts(), chunks, hits, index.rarity(WORDS), words


class Folder(RuleBasedStateMachine):
    """Chroma is left out: a generation takes too long for hundreds of them; its own tests hold its law."""

    files = Bundle("files")

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(VectorIndex, "refresh", VectorIndex.reload)
        self.root = Path(tempfile.mkdtemp(prefix="footnote-law-"))
        self.corpus = self.root / "corpus"
        self.corpus.mkdir()
        self.index = Index(self.corpus, self.root / "index", HashEmbedder())
        self.reader = Index(self.corpus, self.root / "index", HashEmbedder())

    @initialize(content=contents)
    def something_is_there(self, content: bytes) -> None:
        (self.corpus / "first.txt").write_bytes(content)

    @rule(target=files, name=st.sampled_from(NAMES), content=contents)
    def write(self, name: str, content: bytes) -> str:
        path = self.corpus / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return name

    @rule(name=files)
    def edit_in_place(self, name: str) -> None:
        """A change that keeps the size and the time."""
        path = self.corpus / name
        if path.exists():
            stat = path.stat()
            path.write_bytes(path.read_bytes().replace(b"zebra", b"okapi"))
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    @rule(name=files, new=st.sampled_from(NAMES))
    def rename(self, name: str, new: str) -> None:
        if (self.corpus / name).exists():
            (self.corpus / new).parent.mkdir(exist_ok=True)
            (self.corpus / name).rename(self.corpus / new)

    @rule(name=consumes(files))
    def delete(self, name: str) -> None:
        (self.corpus / name).unlink(missing_ok=True)

    @rule()
    def delete_a_folder(self) -> None:
        shutil.rmtree(self.corpus / "c", ignore_errors=True)

    @rule()
    def open_again(self) -> None:
        self.index.close()
        self.index = Index(self.corpus, self.root / "index", HashEmbedder())

    @rule()
    def lose_the_words(self) -> None:
        self.index.close()
        shutil.rmtree(self.root / "index" / "words", ignore_errors=True)
        self.index = Index(self.corpus, self.root / "index", HashEmbedder())

    @rule()
    def sync(self) -> None:
        report = self.index.sync()
        assert self.index.differences() == []
        assert report.added + report.changed + report.unchanged == self.index.counts()["documents"]

        fresh = Index(self.corpus, self.root / "fresh", HashEmbedder())
        from_scratch = fresh.sync()
        assert report.skipped == from_scratch.skipped
        assert facts(self.index) == facts(fresh) == facts(self.reader)
        fresh.close()
        shutil.rmtree(self.root / "fresh")

        again = self.index.sync()
        assert (again.added, again.changed, again.removed, again.embedded) == (0, 0, 0, 0)

    @invariant()
    def what_is_found_is_in_the_documents(self) -> None:
        for found in candidates(self.reader, "zebra lion okapi", 1000):
            document = self.reader.document(found.chunk.file)
            assert document
            assert found.chunk.text == document.text[found.chunk.start : found.chunk.end]

    def teardown(self) -> None:
        self.index.close()
        self.reader.close()
        self.patch.undo()
        shutil.rmtree(self.root)


TestFolder = Folder.TestCase
TestFolder.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
