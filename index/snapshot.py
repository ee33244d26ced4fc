"""One index published for many readers: a copy of its store in a folder that they share or are sent.

The copy is one SQLite file, and beside it a small pointer that names it, replaced when all of the copy
is there. A reader copies it, checks it, and makes it the content of a store of its own in one
transaction: whoever asks that store finds the old state or the new one.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path

from index.errors import StoreError
from index.files import read_marker, write_marker
from index.manifest import Manifest
from index.schema import SCHEMA
from index.store import Store
from index.sync import SyncReport

POINTER = "snapshot.json"
PIECE = 1 << 20


def publish(store: Store, folder: Path) -> Path:
    """Copy a store into a folder and point to the copy; others may ask and change the store meanwhile.

    The copy before it stays, for readers that have just begun with it.

    Returns:
        The copy; where the newest one is of the same content already, that one.

    Raises:
        StoreError: If the store cannot be read or the folder cannot be written.
    """
    pointer = read_marker(folder / POINTER)
    newest = folder / str(pointer.get("file"))
    if pointer.get("revision") == store.revision and newest.is_file():
        return newest
    partial = folder / f".partial-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        store.db.rows("VACUUM INTO ?", (str(partial),))
        (revision,) = _ask(partial, "SELECT name FROM revisions ORDER BY number DESC LIMIT 1")
        copy = folder / f"store-{revision}.sqlite"
        with partial.open("rb+") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
        partial.replace(copy)
        write_marker(folder / POINTER, {"file": copy.name, "revision": revision, "sha256": digest})
        for other in folder.glob("store-*.sqlite"):
            if other not in (copy, newest):
                other.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"The snapshot folder {folder} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return copy


def is_current(store: Store, folder: Path) -> bool:
    """Whether a store has the content of the newest snapshot in a folder."""
    return bool(read_marker(folder / POINTER).get("revision") == store.revision)


def take_over(store: Store, folder: Path) -> SyncReport:
    """Make the newest snapshot in a folder the content of a store, and say what that changed.

    Raises:
        StoreError: If there is none, or not all of it yet, or it is of another version of Footnote; the
            store stays as it is.
    """
    started = time.perf_counter()
    before = after = _digests(store)
    if not is_current(store, folder):
        _replace(store, folder)
        after = _digests(store)
    common = before.keys() & after.keys()
    changed = sum(before[file] != after[file] for file in common)
    return SyncReport(
        added=len(after) - len(common),
        changed=changed,
        removed=len(before) - len(common),
        unchanged=len(common) - changed,
        skipped=Manifest(store.db).skipped(),
        pending=store.pending(store.embedder),
        seconds=time.perf_counter() - started,
    )


def _digests(store: Store) -> dict[str, str]:
    """The indexed files, each with the digest of its bytes."""
    records = Manifest(store.db).records()
    return {record.entry.file: record.sha256 for record in records if record.entry.problem is None}


def _replace(store: Store, folder: Path) -> None:
    pointer = read_marker(folder / POINTER)
    if not pointer:
        raise StoreError(f"There is no snapshot in {folder}: `footnote publish` makes one.")
    try:
        with tempfile.NamedTemporaryFile(dir=store.path.parent, suffix=".snapshot") as copy:
            digest = hashlib.sha256()
            with (folder / str(pointer.get("file"))).open("rb") as stream:
                while piece := stream.read(PIECE):
                    digest.update(piece)
                    copy.write(piece)
            copy.flush()
            if digest.hexdigest() != pointer.get("sha256"):
                raise StoreError(f"The snapshot in {folder} is not whole: it is tried again later.")
            (schema,) = _ask(Path(copy.name), "SELECT value FROM meta WHERE key = 'schema'")
            if int(schema) != SCHEMA:
                raise StoreError(f"The snapshot in {folder} is of another version of Footnote: use the same.")
            store.db.replace(Path(copy.name))
    except OSError as error:
        raise StoreError(f"The snapshot in {folder} cannot be read: {error.strerror}.") from error


def _ask(path: Path, query: str) -> tuple[str, ...]:
    """The first row that a query finds in a copy."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        row: tuple[str, ...] = database.execute(query).fetchone()
    return row
