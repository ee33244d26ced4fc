"""One folder's index: the store and its two caches behind one door."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import log
from pathlib import Path

from filelock import FileLock, Timeout

from index.chunking import CHUNKER
from index.embedding import Embedder, MiniLM
from index.errors import LockedError, StoreError
from index.loaders import LOADER
from index.spelling import respell
from index.store import Store
from index.sync import Progress, SyncReport, differing_files, sync_store
from index.types import Chunk, Document
from index.vectors import VectorIndex
from index.words import WordIndex

LOCK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that one of the two searches found, with its score in both."""

    chunk: Chunk
    similarity: float
    """Cosine of query and chunk, -1 to 1."""
    bm25: float
    """0 when none of the query's words occurs."""


class Index:
    """The searchable content of a folder of documents.

    Args:
        corpus: The folder of documents; it is only read.
        folder: Where the index lives; made when missing. Several processes may open it, one at a
            time may sync.
        embedder: What turns texts into vectors; MiniLM by default.

    Raises:
        StoreError: If the index folder cannot be used.
    """

    def __init__(self, corpus: Path, folder: Path, embedder: Embedder | None = None) -> None:
        self.corpus = corpus
        self.folder = folder
        self.embedder = embedder or MiniLM()
        self.store = Store(folder / "store.sqlite", f"{LOADER} {CHUNKER} {self.embedder.id}")
        self._words = WordIndex(folder / "words", self.store)
        self._vectors = VectorIndex(folder / "vectors", self.store)
        self._seen = self.store.revision

    def sync(self, progress: Progress | None = None) -> SyncReport:
        """Make the index equal to the folder and say what was done.

        Raises:
            CorpusError: If the folder is missing or cannot be read.
            LockedError: If another process is syncing.
            StoreError: If the index folder cannot be written.
        """
        with self._writing():
            before = self.store.revision
            report, changes = sync_store(self.store, self.embedder, self.corpus, progress)
            if self.store.revision != before:
                self._words.update(before, changes.removed, changes.added)
            elif not self._words.sound:
                self._words.rebuild()
            self._vectors.refresh()
            self._seen = self.store.revision
        return report

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the lock that lets one process write; the system frees it when the process dies."""
        holder = self.folder / "writer.pid"
        try:
            with FileLock(self.folder / "writer.lock", timeout=LOCK_SECONDS):
                holder.write_text(str(os.getpid()))
                yield
        except Timeout as error:
            pid = holder.read_text() if holder.is_file() else "unknown"
            raise LockedError(
                f"Another process (number {pid}) is updating the index {self.folder}: try again when it is done."
            ) from error
        except OSError as error:
            raise StoreError(f"The index folder {self.folder} cannot be written: {error}.") from error

    def candidates(self, query: str, k: int) -> list[Candidate]:
        """Return the chunks that either search ranks among its first k, each with both scores.

        Args:
            query: What to search for; without a word or meaning the result may be empty.
            k: How many chunks each search may contribute, at least 1.

        Returns:
            At most 2 k candidates in order of chunk id.
        """
        self._follow()
        vector = self.embedder.embed([query], kind="query")[0]
        shared = self.store.chunks_of_vectors(self._vectors.search(vector, k))
        by_words = dict(self._words.search(query, k))
        found = self.store.chunks({*by_words, *(chunk for ids in shared.values() for chunk in ids)})
        missing = [chunk_id for chunk_id in found if chunk_id not in by_words]
        bm25 = by_words | self._words.scores(query, missing)
        vectors = self.store.vectors({vector_id for _, vector_id in found.values()})
        return [
            Candidate(chunk, float(vectors[vector_id] @ vector), bm25.get(chunk_id, 0.0))
            for chunk_id, (chunk, vector_id) in sorted(found.items())
            if vector_id in vectors  # Else another process has just removed it.
        ]

    def respell(self, query: str) -> str:
        """Return a query with typing mistakes mended by the documents' own words."""
        self._follow()
        return respell(query, self._words)

    def rarity(self, words: list[str]) -> dict[str, float]:
        """Return the inverse document frequency of terms, over chunks; above 0, higher is rarer.

        The formula is BM25's, ln(1 + (N - n + 0.5) / (n + 0.5)).
        """
        total = self.store.counts()["chunks"]
        found = self._words.frequencies(words)
        return {word: log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in found.items()}

    def mentions(self, words: list[str]) -> bool:
        """Return whether any of these terms occurs in the documents."""
        return any(self._words.frequencies(words).values())

    def counts(self) -> dict[str, int]:
        """Return how many documents, chunks and vectors there are."""
        return self.store.counts()

    def chunks_of(self, file: str) -> list[Chunk]:
        """Return the chunks of one document, in order; empty when it is not indexed."""
        found = self.store.chunks(self.store.chunk_ids([file]))
        return [chunk for chunk, _ in found.values()]

    def titles(self) -> list[tuple[str, str]]:
        """Return file and title of every document, ordered by file."""
        return self.store.titles()

    def documents(self) -> list[Document]:
        """Return all documents, ordered by file."""
        return self.store.documents()

    def document(self, file: str) -> Document | None:
        """Return one document, or None when no such file is indexed."""
        return self.store.document(file)

    def differences(self) -> list[str]:
        """Return the files in which index and folder differ, by content; empty when they are equal."""
        return differing_files(self.store, self.corpus)

    def caches(self) -> dict[str, bool]:
        """Return whether Chroma and Tantivy can be used; without Chroma vectors are compared exactly."""
        empty = not self.counts()["vectors"]
        return {"Chroma": empty or self._vectors.sound, "Tantivy": self._words.sound}

    def _follow(self) -> None:
        """Notice what another process has synced since."""
        if self.store.revision != self._seen:
            self._words.reload()
            self._vectors.reload()
            self._seen = self.store.revision
        elif not self._words.sound:  # The words follow the store's commit a little later.
            self._words.reload()

    def close(self) -> None:
        """Release the index's files."""
        self._vectors.close()
        self.store.close()
