"""One folder's index: the store and its two caches behind one door."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from math import log
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from index.embedding import Embedder, Kind, MiniLM, Vectors, cosines
from index.errors import EmbedderError, LockedError, StoreError
from index.manifest import Manifest
from index.snapshot import POINTER, is_current, publish, take_over
from index.spelling import respell
from index.store import Hit, Store, embedded_text
from index.sync import Sync, SyncReport, differing_files
from index.types import Chunk, Document, OnProgress
from index.vectors import VectorIndex
from index.words import WordIndex

LOCK_SECONDS = 2.0
AT_ONCE = 24
"""So many texts are embedded while a question waits."""
RETRY_SECONDS = 10.0
"""So long an embedder that has failed for a question is left alone."""
BESIDE = 4
"""So many questions may search by words at once, each while its vector is searched."""
TRIES = 3
"""A search that was overtaken by a change of the index is made anew."""
MANY = 100_000
"""So many new vectors are compared one by one before Chroma takes them in the middle of a sync."""


class Candidate(NamedTuple):
    """A chunk that one of the two searches found, with its score in both."""

    id: int
    """The chunk's."""
    boilerplate: bool
    """See `Chunk`."""
    similarity: float
    """Cosine of query and chunk, -1 to 1."""
    bm25: float
    """0 when none of the query's words occurs."""


class Index:
    """The searchable content of a folder of documents.

    Args:
        corpus: The folder of documents, or of snapshots (see below); it is only read.
        folder: Where the index lives; made when missing. Several processes may open it, one at a
            time may sync.
        embedder: What turns texts into vectors; MiniLM by default.
        chroma_url: A Chroma server that searches the vectors; a folder of the index by default.
        snapshots: Whether `corpus` holds no documents but what `publish` of another index has put there: a
            sync then takes over the newest state of that index.

    Raises:
        StoreError: If the index folder cannot be used.
    """

    def __init__(
        self,
        corpus: Path,
        folder: Path,
        embedder: Embedder | None = None,
        chroma_url: str | None = None,
        snapshots: bool = False,
    ) -> None:
        self.corpus = corpus
        self.folder = folder
        self._embedder = embedder or MiniLM()
        self._former = MiniLM()  # What another embedder mostly takes over from; loaded only then.
        self.store = Store(folder / "store.sqlite", self._embedder.id)
        self._words = WordIndex(folder / "words", self.store)
        self._vectors = VectorIndex(folder / "vectors", self.store, chroma_url)
        self._snapshots = snapshots
        self._served = chroma_url is not None
        self._seen = self.store.revision
        self._waiting = 0
        self._unembedded, self._retry_at = "", 0.0
        self._beside = ThreadPoolExecutor(BESIDE, thread_name_prefix="footnote-words")

    @property
    def embedder(self) -> Embedder:
        """What made the vectors that are searched now; an earlier one until those of its successor are whole."""
        in_force = self.store.embedder
        known: tuple[Embedder, ...] = (self._embedder, self._former)
        return next((embedder for embedder in known if embedder.id == in_force), self._embedder)

    def sync(self, progress: OnProgress | None = None, stop: threading.Event | None = None) -> SyncReport:
        """Make the index equal to the folder and say what was done.

        Others may search meanwhile, in this and other processes: words find a document as soon as it is
        read, and a changed one is replaced at once. What was done is kept whenever this ends.

        Args:
            progress: Told often how far it has come.
            stop: Ends it soon when set; the next sync goes on from there.

        Raises:
            CorpusError: If the folder is missing or cannot be read.
            EmbedderError: If texts cannot be embedded; words find them all the same.
            LockedError: If another process is syncing.
            StoreError: If the index folder cannot be written.
        """
        if self._snapshots:
            return self._take_over()
        with self._writing():
            self._words.follow()
            in_force, wanted = self.store.embedder, self._embedder.id
            if in_force != wanted and not (self.embedder.id == in_force and self.store.embedded(in_force)):
                self.store.use(wanted)
            run = Sync(self.store, self.corpus, self._embedder, self.embedder, self._stored, progress, stop)
            report = run.run()
            if not (stop and stop.is_set()):
                self._vectors.refresh()
        return report

    def _take_over(self) -> SyncReport:
        with self._writing():
            report = take_over(self.store, self.corpus)
            self._words.follow()
            if not self._served:  # A server's vectors come from the one who publishes.
                self._vectors.refresh()
        return report

    def publish(self, folder: Path) -> Path:
        """Copy the index into a folder, for any number of others that are opened with `snapshots`.

        They find its documents without having them, and its vectors, but make their own caches; or they
        ask the same Chroma server. May be called at any time, also while this or another process syncs.

        Returns:
            The copy, one file; folders and files there may be sent elsewhere in any order.

        Raises:
            StoreError: If the folder cannot be written.
        """
        return publish(self.store, folder)

    def _stored(self, new_vectors: int) -> None:
        """Let the caches follow a step of a sync: the words at once, the vectors when many wait."""
        self._words.follow()
        self._waiting += new_vectors
        if self._waiting >= MANY:
            self._vectors.refresh()
            self._waiting = 0

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
        """Return what either search ranks among its first k, each with both scores.

        Args:
            query: What to search for; without a word or meaning the result may be empty.
            k: How many chunks each search may contribute, at least 1.

        Returns:
            At most 2 k candidates in order of chunk id. While the embedder fails, which `problem` says, those
            that words find, with a similarity of 0.
        """
        embedder = self.embedder
        vectors = self.embed([query], "query", embedder)
        vector = None if vectors is None else vectors[0]
        found: list[Candidate] = []
        for _ in range(TRIES):
            self._follow()
            seen = self._seen
            if self.store.embedder != embedder.id and self.embedder is not embedder:
                return self.candidates(query, k)
            found = self._candidates(query, vector, embedder, k)
            if self.store.revision == seen:
                break
        return found

    def embed(self, texts: Sequence[str], kind: Kind, embedder: Embedder | None = None) -> Vectors | None:
        """Return the vectors of texts, one row each; None while the embedder fails, which `problem` says.

        Args:
            texts: Any number of them.
            kind: See `Embedder.embed`.
            embedder: By default the one whose vectors are searched.
        """
        if time.monotonic() < self._retry_at:
            return None
        try:
            vectors = (embedder or self.embedder).embed(texts, kind=kind)
        except EmbedderError as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            self._unembedded = f"{error} Until it works again only words are searched."
            return None
        self._unembedded = ""
        return vectors

    def _candidates(self, query: str, vector: Vectors | None, embedder: Embedder, k: int) -> list[Candidate]:
        """The candidates; what a change takes away between the searches and the reading is missing."""
        by_words = self._beside.submit(self._found_by_words, query, embedder, k)
        near = {} if vector is None else self._vectors.search(vector, k)
        found = {
            chunk: (boilerplate, near[vector_id])
            for vector_id, chunk, boilerplate in self.store.chunks_of_vectors(near)
        }
        bm25, hits = by_words.result()
        bm25 |= self._words.scores(query, [chunk for chunk in found if chunk not in bm25])
        found |= self._compared([hit for hit in hits if hit.chunk not in found], vector, embedder)
        return [
            Candidate(chunk, bool(boilerplate), similarity, bm25.get(chunk, 0.0))
            for chunk, (boilerplate, similarity) in sorted(found.items())
        ]

    def _found_by_words(self, query: str, embedder: Embedder, k: int) -> tuple[dict[int, float], list[Hit]]:
        """What the search by words finds, best first, with its scores; in two steps, as chunks may go between."""
        bm25 = dict(self._words.search(query, k))
        return bm25, self.store.hits(list(bm25), embedder.id)

    def _compared(
        self, hits: list[Hit], query: Vectors | None, embedder: Embedder
    ) -> dict[int, tuple[bool, float]]:
        """Chunks that words have found, best first: whether each is boilerplate, and its cosine to the query.

        Of those without a vector the first are embedded here, so that a new document can be found before it
        has any; the others are left out. While the embedder fails, all count as if they were far away.
        """
        similarity: dict[int, float] = {}
        if query is not None:
            vectors = {hit.text: hit.vector for hit in hits if hit.vector is not None}
            pending = {hit.text: hit.chunk for hit in hits if hit.vector is None}
            vectors |= self._embed(dict(islice(pending.items(), AT_ONCE)), embedder)
            similarity = dict(zip(vectors, cosines(vectors.values(), query), strict=True))
        if query is None or self._unembedded:
            similarity = {hit.text: 0.0 for hit in hits} | similarity
        return {hit.chunk: (hit.boilerplate, similarity[hit.text]) for hit in hits if hit.text in similarity}

    def _embed(self, chunks: dict[int, int], embedder: Embedder) -> dict[int, Vectors]:
        """The vectors of texts, each given with a chunk that has it; without those that have none."""
        found = self.store.chunks(chunks.values())
        there = {text: found[chunk] for text, chunk in chunks.items() if chunk in found}
        texts = [embedded_text(chunk.file, chunk.title, chunk.text) for chunk in there.values()]
        vectors = self.embed(texts, "document", embedder) if texts else None
        return {} if vectors is None else dict(zip(there, vectors, strict=True))

    def chunks(self, ids: Iterable[int]) -> dict[int, Chunk]:
        """Return chunks by id; those that are gone are left out, for a chunk may go but never changes."""
        return self.store.chunks(ids)

    def pending(self) -> int:
        """Return how many texts are found by their words only, as their vectors are not there yet; mostly 0."""
        return self.store.pending(self._embedder.id)

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

    @property
    def successor(self) -> Embedder | None:
        """The embedder whose vectors are being made to replace those that are searched now; mostly None."""
        return None if self._embedder.id == self.store.embedder else self._embedder

    @property
    def problem(self) -> str:
        """Why searching by meaning is slower or poorer than it should be, in a sentence; mostly empty."""
        return self._unembedded or self._vectors.problem

    @property
    def revision(self) -> str:
        """What is another one whenever the content has changed."""
        return self.store.revision

    def counts(self) -> dict[str, int]:
        """Return how many documents, chunks and vectors there are."""
        return self.store.counts()

    def chunks_of(self, file: str) -> list[Chunk]:
        """Return the chunks of one document, in order; empty when it is not indexed."""
        return self.store.chunks_of(file)

    def titles(self) -> list[tuple[str, str]]:
        """Return file and title of every document, ordered by file."""
        return self.store.titles()

    def skipped(self) -> dict[str, str]:
        """Return the files that are not indexed, in order, each with the reason."""
        return Manifest(self.store.db).skipped()

    def documents(self) -> list[Document]:
        """Return all documents, ordered by file."""
        return self.store.documents()

    def document(self, file: str) -> Document | None:
        """Return one document, or None when no such file is indexed."""
        return self.store.document(file)

    def differences(self) -> list[str]:
        """Return the files in which index and folder differ, by content; empty when they are equal."""
        if self._snapshots:
            return [] if is_current(self.store, self.corpus) else [POINTER]
        return differing_files(self.store, self.corpus)

    def repair(self, progress: OnProgress | None = None) -> SyncReport:
        """Make the index equal to the folder by content, whatever sizes and times say, and the caches anew.

        Raises the same as `sync`.
        """
        with self._writing():
            Manifest(self.store.db).distrust(self.differences())
            self._words.rebuild()
        return self.sync(progress)

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
        self._beside.shutdown()
        self._vectors.close()
        self.store.close()
