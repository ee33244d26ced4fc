"""Bring the store up to date with the folder, in steps that each leave it whole."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from index.chunking import CHUNKER, Piece, split
from index.embedding import Embedder, Vectors
from index.errors import EmbedderError, LoadError
from index.folder import Entry, read, walk
from index.loaders import LOADER
from index.manifest import FileRecord, Manifest
from index.sandbox import Sandbox
from index.store import Store, embedded_text
from index.types import Document, OnProgress, Progress, Stage

VERSION = f"{LOADER} {CHUNKER}"
BATCH = 256
"""Texts that are embedded and stored in one step; a crash costs at most one such step."""
READ_CHUNKS, READ_FILES = 2000, 1000
"""Chunks and files that are stored in one step, at most about, when nothing has to be embedded."""
SETTLED_NS = 2_000_000_000
"""A file changed this shortly before it was read is read again: its clock may not tell two changes apart."""


@dataclass(slots=True)
class SyncReport:
    """What a sync did."""

    added: int = 0
    """Files indexed for the first time."""
    changed: int = 0
    """Files indexed anew because their content, or the way files are read, changed."""
    removed: int = 0
    """Files that are no longer there, or no longer readable."""
    unchanged: int = 0
    """Files left as they were."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Files that cannot be indexed, each with the reason."""
    embedded: int = 0
    """Chunk texts that were new and went through the model."""
    pending: int = 0
    """Chunk texts still without a vector; above 0 only when the sync was stopped."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _File:
    """A file that was read: what to note of it, and its document when it is a new one."""

    record: FileRecord
    document: Document | None = None
    pieces: Sequence[Piece] = ()
    same: bool = False
    """Whether its content is what the store has."""


class Sync:
    """One run over a folder.

    Args:
        store: The store; no other process may be writing to it.
        corpus: The folder.
        embedder: What turns texts into vectors.
        in_force: What made the vectors that are searched now; where it is not `embedder`, they are left
            as they are until the new ones are whole.
        stored: Called after each step that changed the store, with the number of new vectors.
        progress: Told about each file that has to be read, and each batch that is embedded.
        stop: Ends the run after the step at hand when set; the next run goes on from there.
    """

    def __init__(
        self,
        store: Store,
        corpus: Path,
        embedder: Embedder,
        in_force: Embedder,
        stored: Callable[[int], None],
        progress: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._store, self._manifest, self._corpus = store, Manifest(store.db), corpus
        self._embedder, self._in_force = embedder, in_force
        self._stored, self._progress, self._stop = stored, progress, stop or threading.Event()
        self._report = SyncReport()
        self._sandbox = Sandbox()

    def run(self) -> SyncReport:
        """Make the store equal to the folder, embedding only texts that it does not have yet.

        Words find a new document as soon as it is read; a changed one is replaced when its vectors are
        there. New vectors follow when everything is read.

        Raises:
            CorpusError: If the folder is missing or cannot be read.
            EmbedderError: If texts cannot be embedded; everything else is done then.
        """
        started, report = time.perf_counter(), self._report
        self._tell("checking", 0, 0)
        self._manifest.compare(walk(self._corpus), VERSION)
        with self._sandbox:
            self._read_files()
        # Only now, so that a file that was moved finds its vectors.
        if not self._stop.is_set():
            self._remove_gone()
        if self._store.untidy:
            self._store.tidy()
            self._stored(0)
        self._embed()
        report.skipped = self._manifest.skipped()
        report.unchanged = self._store.counts()["documents"] - report.added - report.changed
        report.pending = self._store.pending(self._embedder.id)
        report.seconds = time.perf_counter() - started
        return report

    def _tell(self, stage: Stage, done: int, total: int, file: str = "") -> None:
        if self._progress:
            self._progress(Progress(stage, done, total, file))

    # Reading

    def _read_files(self) -> None:
        total, done = self._manifest.stale_count(), 0
        for indexed in (True, False):
            batch = _Batch()
            for entry, known in self._manifest.stale(indexed=indexed):
                if self._stop.is_set():
                    break
                self._tell("reading", done, total, entry.file)
                batch.add(self._read(entry, known))
                done += 1
                if len(batch.files) >= READ_FILES or batch.chunks >= (BATCH if indexed else READ_CHUNKS):
                    self._store_batch(batch, indexed)
                    batch = _Batch()
            self._store_batch(batch, indexed)
        self._tell("reading", done, total)

    def _read(self, entry: Entry, known: FileRecord | None) -> _File:
        if entry.problem:
            return _File(FileRecord(entry, version=VERSION))
        try:
            data, entry = read(self._corpus, entry)
        except LoadError as error:  # Another try may help.
            return _File(FileRecord(entry._replace(mtime_ns=-1, problem=str(error)), version=VERSION))
        if 0 <= time.time_ns() - entry.mtime_ns < SETTLED_NS:
            entry = entry._replace(mtime_ns=-1)
        record = FileRecord(entry, hashlib.sha256(data).hexdigest(), VERSION)
        if known and (known.sha256, known.version) == (record.sha256, VERSION):
            return _File(replace(record, entry=entry._replace(problem=known.entry.problem)), same=True)
        try:
            document = self._sandbox.load(entry.file, data)
        except LoadError as error:
            return _File(replace(record, entry=entry._replace(problem=str(error))))
        return _File(record, document, split(document))

    def _store_batch(self, batch: _Batch, indexed: bool) -> None:
        """Store what was read: changed documents with their vectors, new ones without."""
        documents = [(file.document, file.pieces) for file in batch.files if file.document]
        dropped = [
            file.record.entry.file for file in batch.files if indexed and not (file.document or file.same)
        ]
        texts = self._store.without_vector(batch.texts(), self._in_force.id) if indexed else []
        vectors = self._vectors(texts)
        with self._store.change() if documents or dropped else self._store.transaction():
            self._report.removed += self._store.remove(dropped)
            self._store.put(documents)
            if vectors is not None:
                self._store.add_vectors(texts, vectors, self._in_force.id)
            self._manifest.record(file.record for file in batch.files)
        if indexed:
            self._report.changed += len(documents)
        else:
            self._report.added += len(documents)
        if documents or dropped:
            self._stored(len(texts) if vectors is not None else 0)

    def _vectors(self, texts: list[str]) -> Vectors | None:
        """The vectors of changed documents; None when they have to come later, with those of new ones."""
        if not texts or len(texts) > 2 * BATCH:
            return None
        try:
            vectors = self._in_force.embed(texts, kind="document")
        except EmbedderError:  # Raised again when what is pending is embedded.
            return None
        self._report.embedded += len(texts)
        return vectors

    def _remove_gone(self) -> None:
        for files in self._manifest.gone():
            with self._store.change():
                self._report.removed += self._store.remove(files)
                self._manifest.forget(files)
            self._stored(0)

    # Embedding

    def _embed(self) -> None:
        embedder = self._embedder
        total, done, last = self._store.pending(embedder.id), 0, 0
        while not self._stop.is_set():
            self._tell("embedding", done, total)
            page = self._store.pending_texts(embedder.id, last, BATCH) if done < total else []
            if not page:
                break
            texts = [text for _, text in page]
            vectors = embedder.embed(texts, kind="document")
            with self._store.change():
                self._store.add_vectors(texts, vectors, embedder.id)
            self._stored(len(texts))
            last, done = page[-1][0], done + len(page)
        self._report.embedded += done
        if embedder.id != self._store.embedder and not self._store.pending(embedder.id):
            self._store.use(embedder.id)
            self._stored(0)


class _Batch:
    """Files that were read and wait to be stored together."""

    def __init__(self) -> None:
        self.files: list[_File] = []
        self.chunks = 0

    def add(self, file: _File) -> None:
        self.files.append(file)
        self.chunks += len(file.pieces)

    def texts(self) -> list[str]:
        """What the vectors of all chunks stand for."""
        return [
            embedded_text(document.file, document.title, document.text[piece.start : piece.end])
            for file in self.files
            if (document := file.document)
            for piece in file.pieces
        ]


def differing_files(store: Store, corpus: Path) -> list[str]:
    """Return the files, in order, whose content is not what the store holds; all of them are read."""
    known = {
        record.entry.file: (record.sha256, record.entry.problem) for record in Manifest(store.db).records()
    }
    indexed = {file for file, _ in store.titles()}
    differing = store.damaged() | (indexed ^ {file for file, (_, problem) in known.items() if not problem})
    for entry in walk(corpus):
        digest, problem = known.pop(entry.file, (None, None))
        try:
            if entry.problem:
                raise LoadError(entry.problem)
            same = hashlib.sha256(read(corpus, entry)[0]).hexdigest() == digest
        except LoadError as error:
            same = str(error) == problem
        if not same:
            differing.add(entry.file)
    return sorted(differing | known.keys())
