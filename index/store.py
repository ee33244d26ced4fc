"""The SQLite file that is the truth of an index: documents, chunks, vectors and what was read when.

Everything else in the index folder can be made again from it without embedding anything twice.
A chunk refers to a *text*, what its vector stands for; equal texts are one, and have one vector for
each embedder. A text whose vector is not there yet is *pending*: words find its chunks all the same.

Every change gives the content another `revision`. Caches note which one they have followed, and the
highest chunk, vector and removal they know of: numbers only grow. Where a torn log has taken the last
commits with it, `remembers` tells that a noted revision is no longer part of the past.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from index.chunking import Piece
from index.database import PAGE, Database, Row
from index.embedding import Vectors
from index.errors import StoreError
from index.schema import NEW_REVISION, prepare
from index.types import Chunk, Document, Span

_CHUNK = """
SELECT chunks.id, file, title, date, start, end, page, boilerplate, content, sentences, texts.sha256
FROM chunks JOIN documents ON documents.id = chunks.document JOIN texts ON texts.id = chunks.text
"""
_DOCUMENT = "SELECT file, text, title, date, page_starts, sha256 FROM documents"
_SPAN = struct.Struct("<II")
REMOVALS = 10_000
"""So many removals, or as many as there are chunks, are remembered for caches that have yet to follow them."""


class Hit(NamedTuple):
    """A chunk as it is ranked."""

    chunk: int
    boilerplate: bool
    text: int
    vector: Vectors | None
    """None while its text is pending."""


class Store:
    """An open store; safe to share between threads. One process at a time may change it.

    Args:
        path: The SQLite file; made when missing.
        embedder: Id of the embedder whose vectors are in force in a new store.

    Raises:
        StoreError: Here, and from every method, if the file cannot be used, is damaged, or is of a newer
            version.
    """

    def __init__(self, path: Path, embedder: str) -> None:
        self.path = path
        self.db = Database(path)
        self._counted: tuple[str, dict[str, int]] = ("", {})
        prepare(self.db, embedder)

    def close(self) -> None:
        """Release the file."""
        self.db.close()

    def _meta(self, key: str) -> str:
        return str(self.db.rows("SELECT value FROM meta WHERE key = ?", (key,))[0][0])

    def transaction(self) -> AbstractContextManager[None]:
        """Make the writes inside it one step: all of them are kept, or none."""
        return self.db.transaction()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Make the changes inside it one step, and the content they lead to another revision."""
        with self.transaction():
            yield
            self.db.write(NEW_REVISION)

    # What is there

    @property
    def revision(self) -> str:
        """Name of the present content; another after every change, unique across stores."""
        return str(self.db.rows("SELECT name FROM revisions ORDER BY number DESC LIMIT 1")[0][0])

    def remembers(self, revision: object) -> bool:
        """Whether this is the name of the present content or of an earlier one."""
        return bool(self.db.rows("SELECT 1 FROM revisions WHERE name = ?", (revision,)))

    @property
    def embedder(self) -> str:
        """Id of the embedder in force: the one whose vectors are searched."""
        return self._meta("embedder")

    @property
    def space(self) -> str:
        """Name of the vectors in force; ids of vectors mean nothing in another space."""
        return f"{self._meta('identity')}-{self.embedder}"

    def counts(self) -> dict[str, int]:
        """Return how many documents and chunks there are, and vectors of the embedder in force."""
        revision = self.revision
        if self._counted[0] != revision:
            counts = {table: self._count(table) for table in ("documents", "chunks")}
            self._counted = revision, counts | {"vectors": self.embedded(self.embedder)}
        return dict(self._counted[1])

    def _count(self, what: str, *parameters: object) -> int:
        return int(self.db.rows(f"SELECT count(*) FROM {what}", parameters)[0][0])

    def embedded(self, embedder: str) -> int:
        """Return how many vectors of an embedder there are."""
        return self._count("vectors WHERE embedder = ?", embedder)

    def pending(self, embedder: str) -> int:
        """Return how many texts have no vector of an embedder yet."""
        return self._count("texts") - self.embedded(embedder)

    def documents(self) -> list[Document]:
        """Return all documents, ordered by file."""
        return [self._document(row) for row in self.db.rows(_DOCUMENT + " ORDER BY file")]

    def titles(self) -> list[tuple[str, str]]:
        """Return file and title of every document, ordered by file."""
        return self.db.rows("SELECT file, title FROM documents ORDER BY file")

    def document(self, file: str) -> Document | None:
        """Return one document, or None when no such file is indexed."""
        rows = self.db.rows(_DOCUMENT + " WHERE file = ?", (file,))
        return self._document(rows[0]) if rows else None

    def chunks(self, ids: Iterable[int]) -> dict[int, Chunk]:
        """Return chunks by id; unknown ids are left out."""
        return {row[0]: self._chunk(row) for row in self.db.paged(_CHUNK + "WHERE chunks.id IN ({})", ids)}

    def chunks_of(self, file: str) -> list[Chunk]:
        """Return the chunks of one document, in order; empty when it is not indexed."""
        return [
            self._chunk(row) for row in self.db.rows(_CHUNK + "WHERE file = ? ORDER BY chunks.id", (file,))
        ]

    def chunk_ids(self, files: Iterable[str]) -> list[int]:
        """Return the ids of all chunks of some files."""
        query = "SELECT chunks.id FROM chunks JOIN documents ON documents.id = document WHERE file IN ({})"
        return [row[0] for row in self.db.paged(query, files)]

    def chunks_of_vectors(self, ids: Iterable[int]) -> list[tuple[int, int, bool]]:
        """Return each vector's id with the id of each chunk that has it, and whether that is boilerplate."""
        query = (
            "SELECT vectors.id, chunks.id, boilerplate FROM vectors JOIN chunks USING (text)"
            " WHERE vectors.id IN ({})"
        )
        return self.db.paged(query, ids)

    def hits(self, ids: Sequence[int], embedder: str) -> list[Hit]:
        """Return what is known of chunks, with the vectors of an embedder, in the order given; without unknown ones."""
        query = (
            "SELECT those.id, boilerplate, those.text, vector FROM"
            " (SELECT id, boilerplate, text FROM chunks WHERE id IN ({})) AS those"
            " LEFT JOIN vectors ON vectors.text = those.text AND embedder = ?"
        )
        found = {row[0]: row for row in self.db.paged(query, ids, embedder)}
        rows = (found[chunk] for chunk in ids if chunk in found)
        return [
            Hit(chunk, bool(boilerplate), text, None if blob is None else np.frombuffer(blob, np.float32))
            for chunk, boilerplate, text, blob in rows
        ]

    def chunks_after(self, last: int) -> Iterator[tuple[int, str, str]]:
        """Yield id, title and text of every chunk with an id above `last`, in order of id."""
        query = (
            "SELECT chunks.id, title, content FROM chunks JOIN documents ON documents.id = document"
            " WHERE chunks.id > ? ORDER BY chunks.id LIMIT ?"
        )
        while rows := self.db.rows(query, (last, PAGE)):
            yield from rows
            last = rows[-1][0]

    def removed_after(self, last: int) -> list[int] | None:
        """Return the chunks that were removed after removal `last`; None when that is forgotten already."""
        first = self.db.rows("SELECT min(number) FROM removed")[0][0]
        if last < self.last_removal and (first is None or first > last + 1):
            return None
        return [row[0] for row in self.db.rows("SELECT chunk FROM removed WHERE number > ?", (last,))]

    @property
    def last_removal(self) -> int:
        """Number of the last removal there ever was; 0 before the first."""
        return self._last("removed")

    @property
    def last_chunk(self) -> int:
        """Highest id that was ever given to a chunk; 0 before the first."""
        return self._last("chunks")

    def _last(self, table: str) -> int:
        rows = self.db.rows("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return int(rows[0][0]) if rows else 0

    def vectors(self, ids: Iterable[int]) -> dict[int, Vectors]:
        """Return vectors by id; left out are unknown ids and vectors of texts that no chunk has any more."""
        used = "EXISTS (SELECT 1 FROM chunks WHERE chunks.text = vectors.text)"
        rows = self.db.paged(f"SELECT id, vector FROM vectors WHERE id IN ({{}}) AND {used}", ids)
        return {vector_id: np.frombuffer(blob, np.float32) for vector_id, blob in rows}

    def vectors_after(self, last: int) -> Iterator[tuple[list[int], Vectors]]:
        """Yield ids and vectors, in order of id, of all vectors in force with an id above `last`, by the thousand."""
        query = "SELECT id, vector FROM vectors WHERE id > ? AND embedder = ? ORDER BY id LIMIT ?"
        while rows := self.db.rows(query, (last, self.embedder, PAGE)):
            yield [row[0] for row in rows], np.stack([np.frombuffer(row[1], np.float32) for row in rows])
            last = rows[-1][0]

    def newer(self, last: int) -> int:
        """Return how many vectors in force have an id above `last`."""
        return self._count("vectors WHERE id > ? AND embedder = ?", last, self.embedder)

    def without_vector(self, texts: Iterable[str], embedder: str) -> list[str]:
        """Return which of these texts have no vector of an embedder yet, in order of their characters."""
        digests = {_digest(text): text for text in texts}
        query = (
            "SELECT sha256 FROM texts JOIN vectors ON text = texts.id WHERE sha256 IN ({}) AND embedder = ?"
        )
        known = self.db.paged(query, digests, embedder)
        return sorted(digests[digest] for digest in digests.keys() - {digest for (digest,) in known})

    def pending_texts(self, embedder: str, after: int, limit: int) -> list[tuple[int, str]]:
        """Return texts without a vector of an embedder: id, above `after` and in order, and the text itself."""
        query = (
            "SELECT texts.id, file, title, content FROM texts JOIN chunks ON chunks.text = texts.id"
            " JOIN documents ON documents.id = chunks.document WHERE texts.id > ? AND NOT EXISTS"
            " (SELECT 1 FROM vectors WHERE vectors.text = texts.id AND embedder = ?)"
            " GROUP BY texts.id ORDER BY texts.id LIMIT ?"
        )
        return [(row[0], embedded_text(*row[1:])) for row in self.db.rows(query, (after, embedder, limit))]

    def damaged(self) -> set[str]:
        """Return the files of which the store holds something else than was put there; all of it is read."""
        found = set()
        for file, _ in self.titles():
            try:
                self.document(file)
                self.chunks_of(file)
            except StoreError:
                found.add(file)
        return found

    def _document(self, row: Row) -> Document:
        file, text, title, day, starts, digest = row
        self._compare(text, digest, file)
        pages = tuple(json.loads(starts))
        return Document(file=file, text=text, title=title, date=_date(day), page_starts=pages)

    def _chunk(self, row: Row) -> Chunk:
        chunk_id, file, title, day, start, end, page, boilerplate, content, sentences, digest = row
        self._compare(embedded_text(file, title, content), digest, file)
        return Chunk(
            id=chunk_id,
            file=file,
            title=title,
            date=_date(day),
            start=start,
            end=end,
            page=page,
            boilerplate=bool(boilerplate),
            text=content,
            sentences=tuple(_SPAN.iter_unpack(sentences)),
        )

    def _compare(self, text: str, digest: bytes, file: str) -> None:
        """See to it that a text is what was put there: SQLite itself notices no changed letter."""
        if _digest(text) != digest:
            raise self.db.damage(f"its text of {file} is not what was read")

    # Changes, each inside a `change`

    def put(self, documents: Sequence[tuple[Document, Sequence[Piece]]]) -> None:
        """Store documents, each with its chunks, in place of any earlier ones of the same files."""
        self.remove(document.file for document, _ in documents)
        chunks = [
            (owner, document, piece, document.text[piece.start : piece.end])
            for document, pieces in documents
            for owner in [self._add(document)]
            for piece in pieces
        ]
        texts = self._texts([embedded_text(d.file, d.title, content) for _, d, _, content in chunks])
        self.db.write_many(
            "INSERT INTO chunks (document, text, start, end, page, boilerplate, content, sentences)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    owner,
                    text,
                    piece.start,
                    piece.end,
                    piece.page,
                    piece.boilerplate,
                    content,
                    _packed(piece.sentences),
                )
                for text, (owner, _, piece, content) in zip(texts, chunks, strict=True)
            ],
        )

    def _add(self, document: Document) -> int:
        return self.db.write(
            "INSERT INTO documents (file, title, text, sha256, date, page_starts) VALUES (?, ?, ?, ?, ?, ?)",
            (
                document.file,
                document.title,
                document.text,
                _digest(document.text),
                document.date and document.date.isoformat(),
                json.dumps(document.page_starts),
            ),
        )

    def _texts(self, texts: Sequence[str]) -> list[int]:
        """The ids of texts; new ones are given one."""
        digests = [_digest(text) for text in texts]
        self.db.write_many("INSERT OR IGNORE INTO texts (sha256) VALUES (?)", [(each,) for each in digests])
        known: dict[bytes, int] = dict(
            self.db.paged("SELECT sha256, id FROM texts WHERE sha256 IN ({})", dict.fromkeys(digests))
        )
        return [known[digest] for digest in digests]

    def add_vectors(self, texts: Sequence[str], vectors: Vectors, embedder: str) -> None:
        """Store an embedder's vectors of texts, one row each."""
        rows = [
            (text, embedder, vector.astype(np.float32).tobytes())
            for text, vector in zip(self._texts(texts), vectors, strict=True)
        ]
        self.db.write_many("INSERT OR IGNORE INTO vectors (text, embedder, vector) VALUES (?, ?, ?)", rows)

    def remove(self, files: Iterable[str]) -> int:
        """Forget the documents of some files; return how many there were."""
        files = list(files)
        chunks = "SELECT {} FROM chunks JOIN documents ON documents.id = document WHERE file IN ({{}})"
        self.db.write_paged("INSERT INTO removed (chunk) " + chunks.format("chunks.id"), files)
        self.db.write_paged("INSERT OR IGNORE INTO loose " + chunks.format("chunks.text"), files)
        return self.db.write_paged("DELETE FROM documents WHERE file IN ({})", files)

    def tidy(self) -> None:
        """Drop the texts, with their vectors, that have lost their last chunk, and removals long followed."""
        with self.change():
            unused = "NOT EXISTS (SELECT 1 FROM chunks WHERE chunks.text = texts.id)"
            self.db.write(f"DELETE FROM texts WHERE id IN (SELECT text FROM loose) AND {unused}")
            self.db.write("DELETE FROM loose")
            if self._count("removed") > max(REMOVALS, self._count("chunks")):
                self.db.write("DELETE FROM removed")

    @property
    def untidy(self) -> bool:
        """Whether there is something to `tidy`."""
        return bool(self.db.rows("SELECT 1 FROM loose LIMIT 1"))

    def use(self, embedder: str) -> None:
        """Put another embedder's vectors in force, and drop all others."""
        with self.change():
            self.db.write("UPDATE meta SET value = ? WHERE key = 'embedder'", (embedder,))
            self.db.write("DELETE FROM vectors WHERE embedder <> ?", (embedder,))


def embedded_text(file: str, title: str, content: str) -> str:
    """Return what a chunk's vector stands for: its text under its title, as a reader meets it.

    A title that is only the file's name is left out, so that a renamed file keeps its vectors.
    """
    return content if file.endswith(title) else f"{title}\n{content}"


def _packed(spans: Iterable[Span]) -> bytes:
    return b"".join(_SPAN.pack(*span) for span in spans)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@cache
def _date(day: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(day) if day else None
