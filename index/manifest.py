"""What the store knows of the folder's files, and what the folder says of them now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from index.database import PAGE, Database, Row
from index.folder import Entry

_TABLES = """
CREATE TEMP TABLE IF NOT EXISTS present (
    file TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, problem TEXT
) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS stale (file TEXT PRIMARY KEY, indexed INTEGER NOT NULL) WITHOUT ROWID;
DELETE FROM present;
DELETE FROM stale
"""
_STALE = """
INSERT INTO stale SELECT file, files.file IS NOT NULL AND skipped IS NULL
FROM present LEFT JOIN files USING (file)
WHERE files.file IS NULL OR version <> ?
   OR (problem IS NOT NULL AND problem IS NOT skipped)
   OR (problem IS NULL AND (files.size <> present.size OR files.mtime_ns <> present.mtime_ns
                            OR files.ctime_ns <> present.ctime_ns))
"""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the manifest knows of one file."""

    entry: Entry
    """As it was when it was read; its `problem` is why it is not indexed."""
    sha256: str = ""
    """Digest of its bytes; empty when they were not read."""
    version: str = ""
    """Versions of the loader and the chunker that took it in."""


class Manifest:
    """The table `files` of a store, and beside it, for the time of a sync, what lies in the folder."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def compare(self, entries: Iterable[Entry], version: str) -> None:
        """Take note of everything that lies in the folder now, and of what of it has to be read.

        Args:
            entries: All files of the folder.
            version: Versions of the loader and the chunker now.

        Raises the same as the iteration.
        """
        with self._db.transaction():
            for statement in _TABLES.split(";"):
                self._db.write(statement)
            self._db.write_many("INSERT OR IGNORE INTO present VALUES (?, ?, ?, ?, ?)", entries)
            self._db.write(_STALE, (version,))

    def stale(self, *, indexed: bool) -> Iterator[tuple[Entry, FileRecord | None]]:
        """Yield the files to read, in order, each with what is known of it.

        Args:
            indexed: Whether to yield those that have a document already, or the others. Records may be
                changed meanwhile.
        """
        query = """
            SELECT file, present.size, present.mtime_ns, present.ctime_ns, problem,
                   files.size, files.mtime_ns, files.ctime_ns, skipped, sha256, version
            FROM stale JOIN present USING (file) LEFT JOIN files USING (file)
            WHERE file > :last AND indexed = :indexed ORDER BY file LIMIT :page
        """
        last = ""
        while rows := self._own(query, last=last, indexed=indexed, page=PAGE):
            for file, size, mtime_ns, ctime_ns, problem, *known in rows:
                record = FileRecord(Entry(file, *known[:4]), *known[4:]) if known[5] is not None else None
                yield Entry(file, size, mtime_ns, ctime_ns, problem), record
            last = rows[-1][0]

    def stale_count(self) -> int:
        """Return how many files `stale` has to yield, of both sorts."""
        return int(self._own("SELECT count(*) FROM stale")[0][0])

    def gone(self) -> Iterator[list[str]]:
        """Yield the known files that lie in the folder no longer, by the thousand; forget them meanwhile."""
        query = "SELECT file FROM files WHERE file NOT IN (SELECT file FROM present) LIMIT :page"
        while rows := self._own(query, page=PAGE):
            yield [row[0] for row in rows]

    def _own(self, query: str, **parameters: object) -> list[Row]:
        """Rows that only the writer sees: those of its temporary table."""
        with self._db.transaction():
            return self._db.rows(query, parameters)

    def record(self, records: Iterable[FileRecord]) -> None:
        """Note how some files were found; part of a transaction."""
        rows = (
            (*record.entry[:4], record.sha256, record.version, record.entry.problem) for record in records
        )
        self._db.write_many("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def forget(self, files: Iterable[str]) -> None:
        """Drop some files; part of a transaction."""
        self._db.write_paged("DELETE FROM files WHERE file IN ({})", files)

    def distrust(self, files: Iterable[str]) -> None:
        """Have some files read again at the next sync, whatever their size and times."""
        with self._db.transaction():
            self._db.write_paged("UPDATE files SET version = '' WHERE file IN ({})", files)

    def records(self) -> Iterator[FileRecord]:
        """Yield all that is known, ordered by file."""
        query = (
            "SELECT file, size, mtime_ns, ctime_ns, skipped, sha256, version FROM files"
            " WHERE file > ? ORDER BY file LIMIT ?"
        )
        last = ""
        while rows := self._db.rows(query, (last, PAGE)):
            yield from (FileRecord(Entry(*row[:5]), *row[5:]) for row in rows)
            last = rows[-1][0]

    def skipped(self) -> dict[str, str]:
        """Return the files that are not indexed, in order, each with the reason."""
        query = "SELECT file, skipped FROM files WHERE skipped IS NOT NULL ORDER BY file"
        return dict(self._db.rows(query))
