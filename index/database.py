"""A SQLite file that one thread at a time writes and any number read, without waiting for each other."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from index.errors import StoreError

PAGE = 5000
"""Rows asked for in one statement, below SQLite's limit on variables."""
WAIT_SECONDS = 30
"""How long a writer waits for one of another process."""

Row = tuple[Any, ...]
Parameters = Sequence[object] | Mapping[str, object]


class Database:
    """An open file; safe to share between threads.

    Args:
        path: The file; it and its folder are made when missing.

    Raises:
        StoreError: Here, and from every method, if the file cannot be read or written, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.RLock()
        self._writer_thread: int | None = None
        self._free: list[sqlite3.Connection] = []
        self._options = ""  # Of the address; not empty when the file can only be read.
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._writer = self._open()
            except sqlite3.OperationalError as error:
                if not self._is_settled(error):
                    raise
                self._options = "?immutable=1"
                self._writer = self._connect()
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error

    def _connect(self) -> sqlite3.Connection:
        address = self.path.absolute().as_uri() + self._options
        return sqlite3.connect(
            address, uri=True, check_same_thread=False, isolation_level=None, timeout=WAIT_SECONDS
        )

    def _open(self) -> sqlite3.Connection:
        writer = self._connect()
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("PRAGMA synchronous=FULL")
        writer.execute("PRAGMA foreign_keys=ON")
        return writer

    def _is_settled(self, error: sqlite3.Error) -> bool:
        """Whether the file can be read without those beside it, for which a full disk has no room."""
        log = self.path.with_name(self.path.name + "-wal")
        no_room = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
        return no_room and self.path.is_file() and not (log.is_file() and log.stat().st_size)

    def _unusable(self, error: Exception) -> StoreError:
        if isinstance(error, sqlite3.ProgrammingError):
            return StoreError(f"The index {self.path} has been closed: open it again.")
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            return self.damage(str(error))
        if self._options:
            return StoreError(
                f"The index {self.path} can only be read: its disk is full, or its folder may not be written."
            )
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return StoreError(
                f"The disk of the index {self.path} is full: free some space and go on; nothing is lost."
            )
        return StoreError(f"The index {self.path} cannot be used: {error}.")

    def damage(self, what: str) -> StoreError:
        """Return the error that says what is wrong with the content, and the way out."""
        return StoreError(
            f"The index {self.path} is damaged ({what}): delete the folder {self.path.parent}"
            " and it is made again from the documents."
        )

    def rows(self, query: str, parameters: Parameters = ()) -> list[Row]:
        """Return what a query finds: the last commit, or inside a transaction what it has written so far."""
        try:
            if self._writer_thread == threading.get_ident():
                return self._writer.execute(query, parameters).fetchall()
            with self._reader() as reader:
                return reader.execute(query, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._free.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            self._free.append(connection)

    def paged(self, query: str, keys: Iterable[object], *more: object) -> list[Row]:
        """Return what a query with `IN ({})`, and after it more parameters, finds for any number of keys."""
        keys, rows = list(keys), []
        for start in range(0, len(keys), PAGE):
            page = keys[start : start + PAGE]
            rows += self.rows(query.format(",".join("?" * len(page))), [*page, *more])
        return rows

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes of this thread inside it one step: all of them are kept, or none."""
        with self._writing:
            if self._writer_thread is not None:
                yield  # Part of the one around it.
                return
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self._writer_thread = threading.get_ident()
                yield
                self._writer.execute("COMMIT")
            except BaseException as error:
                if self._writer.in_transaction:  # SQLite has ended it itself when the disk is full.
                    self._writer.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self._unusable(error) from error
                raise
            finally:
                self._writer_thread = None

    def write(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Change something inside a transaction; return the id of the row that was added last."""
        return self._writer.execute(statement, parameters).lastrowid or 0

    def write_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Change something for each of many rows inside a transaction."""
        self._writer.executemany(statement, rows)

    def write_paged(self, statement: str, keys: Iterable[object]) -> int:
        """Change something with `IN ({})` for any number of keys inside a transaction; return how many rows."""
        keys, changed = list(keys), 0
        for start in range(0, len(keys), PAGE):
            page = keys[start : start + PAGE]
            changed += self._writer.execute(statement.format(",".join("?" * len(page))), page).rowcount
        return changed

    def replace(self, path: Path) -> None:
        """Take over all of another file in one step: who reads meanwhile finds the old content or the new."""
        with self._writing, closing(sqlite3.connect(path)) as other:
            try:
                other.backup(self._writer)
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def close(self) -> None:
        """Release the file."""
        for connection in (self._writer, *self._free):
            connection.close()
