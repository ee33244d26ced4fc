"""The tables of the store, made when they are missing or of an older version."""

from __future__ import annotations

import uuid

from index.database import Database
from index.errors import StoreError

SCHEMA = 3
"""Version of the tables. A file of a newer version is refused, of an older one is made anew."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE revisions (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL,
    sha256 BLOB NOT NULL, date TEXT, page_starts TEXT NOT NULL
);
CREATE TABLE texts (id INTEGER PRIMARY KEY AUTOINCREMENT, sha256 BLOB NOT NULL UNIQUE);
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY AUTOINCREMENT, text INTEGER NOT NULL REFERENCES texts (id) ON DELETE CASCADE,
    embedder TEXT NOT NULL, vector BLOB NOT NULL, UNIQUE (text, embedder)
);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    text INTEGER NOT NULL REFERENCES texts (id),
    start INTEGER NOT NULL, end INTEGER NOT NULL, page INTEGER, boilerplate INTEGER NOT NULL,
    content TEXT NOT NULL, sentences BLOB NOT NULL
);
CREATE INDEX chunks_by_document ON chunks (document);
CREATE INDEX chunks_by_text ON chunks (text);
CREATE TABLE removed (number INTEGER PRIMARY KEY AUTOINCREMENT, chunk INTEGER NOT NULL);
CREATE TABLE loose (text INTEGER PRIMARY KEY);
CREATE TABLE files (
    file TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, version TEXT NOT NULL, skipped TEXT
) WITHOUT ROWID;
"""
NEW_REVISION = "INSERT INTO revisions (name) VALUES (lower(hex(randomblob(16))))"
"""Gives the content another name that nothing ever had."""


def prepare(db: Database, embedder: str) -> None:
    """See to it that the tables are there; nothing is written when they are.

    Args:
        db: Where.
        embedder: Id of the embedder whose vectors are in force in new tables.

    Raises:
        StoreError: If they are of a newer version.
    """
    if _version(db) == SCHEMA:
        return
    with db.transaction():
        version = _version(db)  # Again: another process may have been faster.
        if version > SCHEMA:
            raise StoreError(
                f"The index {db.path} was written by a newer version of Footnote: update Footnote, or delete"
                f" the folder {db.path.parent} and it is made again from the documents."
            )
        if version < SCHEMA:
            _make(db, embedder)


def _version(db: Database) -> int:
    """Version of the tables; 0 when there are none."""
    if not db.rows("SELECT 1 FROM sqlite_master WHERE name = 'meta'"):
        return 0
    try:
        return int(db.rows("SELECT value FROM meta WHERE key = 'schema'")[0][0])
    except (IndexError, ValueError) as error:
        raise db.damage("it does not say its version") from error


def _make(db: Database, embedder: str) -> None:
    older = [name for (name,) in db.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in ("chunks", "vectors", *older):  # Those that refer to others first.
        if not table.startswith("sqlite_"):
            db.write(f"DROP TABLE IF EXISTS {table}")
    for statement in _TABLES.split(";"):
        db.write(statement)
    meta = {"schema": str(SCHEMA), "identity": uuid.uuid4().hex, "embedder": embedder}
    db.write_many("INSERT INTO meta VALUES (?, ?)", meta.items())
    db.write(NEW_REVISION)
