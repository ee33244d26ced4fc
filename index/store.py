"""The SQLite file that is the truth of an index: documents, chunks, vectors and what was read when.

Everything else in the index folder can be made again from it without embedding anything twice.
Equal texts share one vector. Every change of content raises the `revision`, by which the caches
know whether they are up to date.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.chunking import Piece
from index.embedding import Vectors
from index.errors import StoreError
from index.types import Chunk, Document

SCHEMA = 2
"""Version of the tables. A file of a newer version is refused, of an older one is made anew."""
PAGE = 5000
"""Rows asked for in one statement, below SQLite's limit on variables."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL,
    date TEXT, page_starts TEXT NOT NULL
);
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sha256 BLOB NOT NULL UNIQUE, vector BLOB NOT NULL
);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    vector INTEGER NOT NULL REFERENCES vectors (id),
    start INTEGER NOT NULL, end INTEGER NOT NULL, page INTEGER, text TEXT NOT NULL, sentences TEXT NOT NULL
);
CREATE INDEX chunks_by_document ON chunks (document);
CREATE INDEX chunks_by_vector ON chunks (vector);
CREATE TABLE files (
    file TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL,
    skipped TEXT
);
"""
_CHUNK = """
SELECT chunks.id, documents.file, documents.title, chunks.start, chunks.end, chunks.page, chunks.text,
       chunks.sentences, chunks.vector, documents.date
FROM chunks JOIN documents ON documents.id = chunks.document
"""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the manifest knows of one file."""

    size: int
    mtime_ns: int
    sha256: str
    skipped: str | None = None
    """Why it is not indexed; None when it is."""


class Store:
    """An open store; safe to share between threads.

    Args:
        path: The SQLite file; made when missing.
        fingerprint: Versions of loader, chunker and embedder. A store written with another one is
            emptied, as nothing in it would be comparable.

    Raises:
        StoreError: If the file cannot be opened or written, is damaged, or is of a newer version.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA foreign_keys=ON")
            self._prepare(fingerprint)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> StoreError:
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            return StoreError(
                f"The index {self.path} is damaged ({error}): delete the folder {self.path.parent}"
                " and it is made again from the documents."
            )
        return StoreError(f"The index {self.path} cannot be used: {error}.")

    def _prepare(self, fingerprint: str) -> None:
        with self.transaction():
            tables = self._db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]
            schema = int(self._meta("schema")) if tables else 0
            if schema > SCHEMA:
                raise StoreError(f"The index {self.path} was written by a newer version of Footnote.")
            if schema == SCHEMA and self._meta("fingerprint") == fingerprint:
                return
            for table in ("chunks", "documents", "vectors", "files", "meta"):
                self._db.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in _TABLES.split(";"):
                self._db.execute(statement)
            meta = {"schema": SCHEMA, "fingerprint": fingerprint, "revision": 0, "identity": uuid.uuid4().hex}
            self._db.executemany("INSERT INTO meta VALUES (?, ?)", [(k, str(v)) for k, v in meta.items()])

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _meta(self, key: str) -> str:
        return str(self._rows("SELECT value FROM meta WHERE key = ?", (key,))[0][0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes inside it one step: all of them are kept, or none.

        Raises:
            StoreError: If the file cannot be written or is damaged.
        """
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException as error:
                if self._db.in_transaction:  # SQLite has ended it itself when the disk is full.
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self._unusable(error) from error
                raise

    # What is there

    @property
    def identity(self) -> str:
        """Name of this store, unique; ids of another store mean nothing here."""
        with self._lock:
            return self._meta("identity")

    @property
    def revision(self) -> str:
        """Name of the present content; another after every change, unique across stores."""
        with self._lock:
            return f"{self._meta('identity')}-{self._meta('revision')}"

    def files(self) -> dict[str, FileRecord]:
        """Return the manifest: every file seen at the last sync, indexed or skipped."""
        rows = self._rows("SELECT file, size, mtime_ns, sha256, skipped FROM files")
        return {file: FileRecord(*record) for file, *record in rows}

    def documents(self) -> list[Document]:
        """Return all documents, ordered by file."""
        return [
            _document(row)
            for row in self._rows("SELECT file, text, title, date, page_starts FROM documents ORDER BY file")
        ]

    def titles(self) -> list[tuple[str, str]]:
        """Return file and title of every document, ordered by file."""
        return self._rows("SELECT file, title FROM documents ORDER BY file")

    def document(self, file: str) -> Document | None:
        """Return one document, or None when no such file is indexed."""
        query = "SELECT file, text, title, date, page_starts FROM documents WHERE file = ?"
        rows = self._rows(query, (file,))
        return _document(rows[0]) if rows else None

    def counts(self) -> dict[str, int]:
        """Return how many documents, chunks and vectors there are."""
        return {
            table: int(self._rows(f"SELECT count(*) FROM {table}")[0][0])
            for table in ("documents", "chunks", "vectors")
        }

    def chunks(self, ids: Iterable[int]) -> dict[int, tuple[Chunk, int]]:
        """Return chunks with the ids of their vectors, by chunk id; unknown ids are left out."""
        found = self._paged(_CHUNK + "WHERE chunks.id IN ({})", ids)
        return {row[0]: (_chunk(row), row[8]) for row in found}

    def chunks_of_vectors(self, ids: Iterable[int]) -> dict[int, list[int]]:
        """Return the ids of the chunks that share each vector, in order."""
        shared: dict[int, list[int]] = {}
        for vector, chunk in self._paged(
            "SELECT vector, id FROM chunks WHERE vector IN ({}) ORDER BY id", ids
        ):
            shared.setdefault(vector, []).append(chunk)
        return shared

    def chunk_texts(self) -> Iterator[tuple[int, str, str]]:
        """Yield id, title and text of every chunk, in order of id."""
        last = 0
        query = _CHUNK + "WHERE chunks.id > ? ORDER BY chunks.id LIMIT ?"
        while rows := self._rows(query, (last, PAGE)):
            yield from ((row[0], row[2], row[6]) for row in rows)
            last = rows[-1][0]

    def vectors(self, ids: Iterable[int]) -> dict[int, Vectors]:
        """Return vectors by id; unknown ids are left out."""
        rows = self._paged("SELECT id, vector FROM vectors WHERE id IN ({})", ids)
        return {vector_id: np.frombuffer(blob, np.float32) for vector_id, blob in rows}

    def vectors_after(self, last: int) -> Iterator[tuple[list[int], Vectors]]:
        """Yield ids and vectors, in order of id, of all vectors with an id above `last`, by the thousand."""
        while rows := self._rows(
            "SELECT id, vector FROM vectors WHERE id > ? ORDER BY id LIMIT ?", (last, PAGE)
        ):
            yield [row[0] for row in rows], np.stack([np.frombuffer(row[1], np.float32) for row in rows])
            last = rows[-1][0]

    # Changes, each inside a `transaction`

    def known_texts(self, texts: Sequence[str]) -> dict[str, int]:
        """Return the ids of the vectors that some of these texts already have."""
        digests = {_digest(text): text for text in texts}
        rows = self._paged("SELECT sha256, id FROM vectors WHERE sha256 IN ({})", digests)
        return {digests[digest]: vector_id for digest, vector_id in rows}

    def add_vectors(self, texts: Sequence[str], vectors: Vectors) -> dict[str, int]:
        """Store the vectors of new texts and return their ids."""
        added = {}
        for text, vector in zip(texts, vectors, strict=True):
            row = (_digest(text), vector.astype(np.float32).tobytes())
            added[text] = self._write("INSERT INTO vectors (sha256, vector) VALUES (?, ?)", row)
        return added

    def put(self, document: Document, pieces: Sequence[Piece], vector_ids: Sequence[int]) -> list[int]:
        """Store a document in place of any earlier one of the same file; return its chunks' ids."""
        self._write("DELETE FROM documents WHERE file = ?", (document.file,))
        owner = self._write(
            "INSERT INTO documents (file, title, text, date, page_starts) VALUES (?, ?, ?, ?, ?)",
            (
                document.file,
                document.title,
                document.text,
                document.date and document.date.isoformat(),
                json.dumps(document.page_starts),
            ),
        )
        return [
            self._write(
                "INSERT INTO chunks (document, vector, start, end, page, text, sentences) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    owner,
                    vector,
                    piece.start,
                    piece.end,
                    piece.page,
                    document.text[piece.start : piece.end],
                    json.dumps(piece.sentences),
                ),
            )
            for piece, vector in zip(pieces, vector_ids, strict=True)
        ]

    def chunk_ids(self, files: Iterable[str]) -> list[int]:
        """Return the ids of all chunks of some files."""
        query = "SELECT chunks.id FROM chunks JOIN documents ON documents.id = document WHERE file IN ({})"
        return [row[0] for row in self._paged(query, files)]

    def remove(self, files: Iterable[str]) -> None:
        """Forget the documents of some files."""
        self._many("DELETE FROM documents WHERE file = ?", [(file,) for file in files])

    def record(self, records: Mapping[str, FileRecord]) -> None:
        """Note in the manifest how some files were found."""
        rows = [(file, r.size, r.mtime_ns, r.sha256, r.skipped) for file, r in records.items()]
        self._many("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)

    def forget(self, files: Iterable[str]) -> None:
        """Drop some files from the manifest."""
        self._many("DELETE FROM files WHERE file = ?", [(file,) for file in files])

    def raise_revision(self) -> None:
        """Drop vectors that no chunk uses and give the content a new name."""
        self._write("DELETE FROM vectors WHERE id NOT IN (SELECT vector FROM chunks)")
        self._write("UPDATE meta SET value = value + 1 WHERE key = 'revision'")

    def _rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(query, parameters).fetchall()
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def _paged(self, query: str, keys: Iterable[object]) -> list[tuple[Any, ...]]:
        keys, rows = list(keys), []
        for start in range(0, len(keys), PAGE):
            page = keys[start : start + PAGE]
            rows += self._rows(query.format(",".join("?" * len(page))), page)
        return rows

    def _write(self, statement: str, parameters: Sequence[object] = ()) -> int:
        return self._db.execute(statement, parameters).lastrowid or 0

    def _many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        self._db.executemany(statement, rows)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _document(row: tuple[Any, ...]) -> Document:
    file, text, title, day, starts = row
    return Document(file=file, text=text, title=title, date=_date(day), page_starts=tuple(json.loads(starts)))


def _date(day: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(day) if day else None


def _chunk(row: tuple[Any, ...]) -> Chunk:
    chunk_id, file, title, start, end, page, text, sentences, _, day = row
    return Chunk(
        id=chunk_id,
        file=file,
        title=title,
        date=_date(day),
        start=start,
        end=end,
        page=page,
        text=text,
        sentences=tuple((a, b) for a, b in json.loads(sentences)),
    )
