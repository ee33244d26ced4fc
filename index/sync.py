"""Bring the store up to date with the folder."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG

import numpy as np

from index.chunking import Piece, split
from index.embedding import Embedder
from index.errors import CorpusError, LoadError
from index.loaders import load
from index.store import FileRecord, Store
from index.types import Document

BATCH = 256
"""Chunks that are embedded and stored in one step; a crash costs at most one such step."""
SETTLED_NS = 2_000_000_000
"""A file changed this shortly before it was read is read again: its clock may not tell two changes apart."""

Progress = Callable[[int, int, str], None]
"""Called with files done, files to do, and the file at hand."""


@dataclass(slots=True)
class SyncReport:
    """What a sync did."""

    added: int = 0
    """Files indexed for the first time."""
    changed: int = 0
    """Files indexed anew because their content changed."""
    removed: int = 0
    """Files that are no longer there, or no longer readable."""
    unchanged: int = 0
    """Files left as they were."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Files that cannot be indexed, each with the reason."""
    embedded: int = 0
    """Chunk texts that were new and went through the model."""
    seconds: float = 0.0


@dataclass(slots=True)
class Changes:
    """Ids of the chunks that a sync took away and brought."""

    removed: list[int] = field(default_factory=list)
    added: list[int] = field(default_factory=list)


def sync_store(
    store: Store, embedder: Embedder, corpus: Path, progress: Progress | None = None
) -> tuple[SyncReport, Changes]:
    """Make the store equal to the folder, embedding only texts that it does not have yet.

    Args:
        store: The store; no other process may be writing to it.
        embedder: What turns texts into vectors.
        corpus: The folder.
        progress: Told about each file that has to be read.

    Raises:
        CorpusError: If the folder is missing or cannot be read.
    """
    started = time.perf_counter()
    report, changes = SyncReport(), Changes()
    known, present = store.files(), dict(_walk(corpus))
    stale = [file for file, stat in present.items() if not _same(known.get(file), stat)]
    batch = _Batch(store, embedder, report, changes)
    for number, file in enumerate(stale):
        if progress:
            progress(number, len(stale), file)
        batch.add(file, _read(corpus, file), known.get(file))
    batch.flush()
    # Only now, so that a file that was moved finds its vectors.
    _remove(store, [file for file in known if file not in present], known, report, changes)
    if progress:
        progress(len(stale), len(stale), "")
    records = store.files()
    report.unchanged = sum(not r.skipped for r in records.values()) - report.added - report.changed
    report.skipped = {file: r.skipped for file, r in sorted(records.items()) if r.skipped}
    report.seconds = time.perf_counter() - started
    return report, changes


def differing_files(store: Store, corpus: Path) -> list[str]:
    """Return the files, in order, whose content is not what the store holds; all of them are read."""
    known = store.files()
    digests = {file: _read(corpus, file)[0].sha256 for file, _ in _walk(corpus)}
    indexed = {document for document, _ in store.titles()}
    expected = {file for file, record in known.items() if not record.skipped}
    return sorted(
        {file for file in known.keys() | digests if file not in digests or file not in known}
        | {file for file in known.keys() & digests if known[file].sha256 != digests[file]}
        | (indexed ^ expected)
    )


def _walk(corpus: Path) -> Iterator[tuple[str, os.stat_result | None]]:
    """All files below the folder; hidden ones and links that lead out of it are passed over.

    A file or folder that cannot be looked into comes without a stat, so that reading it gives the reason.
    """
    if not corpus.is_dir():
        raise CorpusError(f"There is no folder {corpus}.")
    root = corpus.resolve()
    closed: list[OSError] = []
    for folder, folders, names in os.walk(root, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith(".") or not Path(os.path.realpath(path)).is_relative_to(root):
                continue
            stat = _stat(path)
            if stat is None or S_ISREG(stat.st_mode):
                yield _name(path, root), stat
    for error in closed:
        if Path(error.filename) == root:
            raise CorpusError(f"The folder {corpus} cannot be read: {error.strerror}.") from error
        yield _name(Path(error.filename), root), None


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _name(path: Path, root: Path) -> str:
    """Its path as the index knows it; bytes that are not UTF-8, which no index could hold, as `\\xff`."""
    return os.fsencode(path.relative_to(root).as_posix()).decode(errors="backslashreplace")


def _same(record: FileRecord | None, stat: os.stat_result | None) -> bool:
    if record is None or stat is None:
        return False
    return (record.size, record.mtime_ns) == (stat.st_size, stat.st_mtime_ns)


def _read(corpus: Path, file: str) -> tuple[FileRecord, Document | None]:
    """A file as the manifest will know it, and its document unless it has to be skipped."""
    path = corpus / file
    try:
        before = path.stat()
        data = path.read_bytes()
    except FileNotFoundError:
        return FileRecord(-1, -1, "", "it has just been removed, or its name is not UTF-8: rename it"), None
    except OSError as error:
        return FileRecord(-1, -1, "", f"it cannot be read: {error.strerror}"), None
    digest = hashlib.sha256(data).hexdigest()
    settled = time.time_ns() - before.st_mtime_ns > SETTLED_NS
    mtime = before.st_mtime_ns if settled and len(data) == before.st_size else -1
    try:
        return FileRecord(len(data), mtime, digest), load(file, data)
    except LoadError as error:
        return FileRecord(len(data), mtime, digest, str(error)), None


def _remove(
    store: Store, files: list[str], known: dict[str, FileRecord], report: SyncReport, changes: Changes
) -> None:
    if not files:
        return
    with store.transaction():
        changes.removed += store.chunk_ids(files)
        store.remove(files)
        store.forget(files)
        store.raise_revision()
    report.removed += sum(not known[file].skipped for file in files)


class _Batch:
    """Documents that wait to be embedded and stored together."""

    def __init__(self, store: Store, embedder: Embedder, report: SyncReport, changes: Changes) -> None:
        self._store, self._embedder, self._report, self._changes = store, embedder, report, changes
        self._documents: list[tuple[Document, list[Piece]]] = []
        self._records: dict[str, FileRecord] = {}
        self._dropped: list[str] = []

    def add(self, file: str, read: tuple[FileRecord, Document | None], known: FileRecord | None) -> None:
        record, document = read
        self._records[file] = record
        was_indexed = known is not None and not known.skipped
        if known and known.sha256 == record.sha256 and known.skipped == record.skipped:
            return
        if document:
            self._documents.append((document, split(document)))
            self._report.changed += was_indexed
            self._report.added += not was_indexed
        elif was_indexed:
            self._dropped.append(file)
            self._report.removed += 1
        if sum(len(pieces) for _, pieces in self._documents) >= BATCH:
            self.flush()

    def flush(self) -> None:
        texts = {_embedded_text(document, piece) for document, pieces in self._documents for piece in pieces}
        new = sorted(texts - self._store.known_texts(list(texts)).keys())
        vectors = self._embedder.embed(new, kind="document") if new else np.empty((0, 0), np.float32)
        files = [document.file for document, _ in self._documents] + self._dropped
        with self._store.transaction():
            self._changes.removed += self._store.chunk_ids(files)
            self._store.remove(self._dropped)
            ids = self._store.add_vectors(new, vectors) | self._store.known_texts(list(texts - set(new)))
            for document, pieces in self._documents:
                rows = [ids[_embedded_text(document, piece)] for piece in pieces]
                self._changes.added += self._store.put(document, pieces, rows)
            self._store.record(self._records)
            if files:
                self._store.raise_revision()
        self._report.embedded += len(new)
        self._documents, self._records, self._dropped = [], {}, []


def _embedded_text(document: Document, piece: Piece) -> str:
    """What a chunk's vector stands for: its text under its title, as a reader meets it."""
    return f"{document.title}\n{document.text[piece.start : piece.end]}"
