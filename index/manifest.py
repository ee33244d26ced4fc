"""What the store knows of the folder's files, and what the folder says of them now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from index.database import PAGE, Database, Row
from index.folder import Entry

_TABLE = """
CREATE TEMP TABLE IF NOT EXISTS differing (
    file TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, problem TEXT,
    kind INTEGER NOT NULL
) WITHOUT ROWID
"""
NEW, CHANGED, GONE = range(3)
"""Kinds of differing files; a file that could not be indexed before is a new one."""


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
    """The table `files` of a store, and beside it, for the time of a sync, how the folder differs from it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def compare(self, entries: Iterable[Entry], version: str) -> None:
        """Take note of every file that has to be read, or has gone.

        Args:
            entries: All files of the folder, mostly in the order of their names; one that is met a second
                time does not count.
            version: Versions of the loader and the chunker now.

        Raises the same as the iteration.
        """
        with self._db.transaction():
            self._db.write(_TABLE)
            self._db.write("DELETE FROM differing")
            self._db.write_many(
                "INSERT OR REPLACE INTO differing VALUES (?, ?, ?, ?, ?, ?)",
                self._differing(entries, version),
            )

    def _differing(self, entries: Iterable[Entry], version: str) -> Iterator[Row]:
        """Merge the folder with what is known, both in the order of names, so that neither has to be held."""
        known = self._known()
        record, last = next(known, None), ""
        for entry in entries:
            file = entry.file
            if file <= last:
                # Two folders whose names are not UTF-8 may look like one; what was called gone is not.
                if file < last:
                    indexed = self._db.rows("SELECT 1 FROM files WHERE file = ? AND skipped IS NULL", (file,))
                    yield (*entry, CHANGED if indexed else NEW)
                continue
            last = file
            while record and record[0] < file:
                yield (*record[:5], GONE)
                record = next(known, None)
            if record is None or record[0] != file:
                yield (*entry, NEW)
                continue
            if _stale(entry, record, version):
                yield (*entry, NEW if record[4] else CHANGED)
            record = next(known, None)
        while record:
            yield (*record[:5], GONE)
            record = next(known, None)

    def _known(self) -> Iterator[Row]:
        """All records in order: the columns of an entry, then the version."""
        query = (
            "SELECT file, size, mtime_ns, ctime_ns, skipped, version FROM files"
            " WHERE file > ? ORDER BY file LIMIT ?"
        )
        last = ""
        while rows := self._db.rows(query, (last, PAGE)):
            yield from rows
            last = rows[-1][0]

    def stale(self, *, indexed: bool) -> Iterator[tuple[Entry, FileRecord | None]]:
        """Yield the files to read, in order, each with what is known of it.

        Args:
            indexed: Whether to yield those that have a document already, or the others. Records may be
                changed meanwhile.
        """
        query = """
            SELECT file, differing.size, differing.mtime_ns, differing.ctime_ns, problem,
                   files.size, files.mtime_ns, files.ctime_ns, skipped, sha256, version
            FROM differing LEFT JOIN files USING (file)
            WHERE file > :last AND kind = :kind ORDER BY file LIMIT :page
        """
        last = ""
        while rows := self._own(query, last=last, kind=CHANGED if indexed else NEW, page=PAGE):
            for file, size, mtime_ns, ctime_ns, problem, *known in rows:
                record = FileRecord(Entry(file, *known[:4]), *known[4:]) if known[5] is not None else None
                yield Entry(file, size, mtime_ns, ctime_ns, problem), record
            last = rows[-1][0]

    def stale_count(self) -> int:
        """Return how many files `stale` has to yield, of both sorts."""
        return int(self._own("SELECT count(*) FROM differing WHERE kind <> :gone", gone=GONE)[0][0])

    def gone(self) -> Iterator[list[str]]:
        """Yield the known files that lie in the folder no longer, by the thousand."""
        query = "SELECT file FROM differing WHERE file > :last AND kind = :gone ORDER BY file LIMIT :page"
        last = ""
        while rows := self._own(query, last=last, gone=GONE, page=PAGE):
            yield [row[0] for row in rows]
            last = rows[-1][0]

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


def _stale(entry: Entry, record: Row, version: str) -> bool:
    """Whether a file has to be read again, from what is known of it."""
    if record[5] != version:
        return True
    if entry.problem is not None:
        return bool(entry.problem != record[4])
    return entry[1:4] != record[1:4]
