"""What has to be read and what has gone, against a comparison of two dictionaries."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import manifest as module
from index.folder import Entry
from index.manifest import FileRecord, Manifest
from tests.index.stores import open_store
from tests.index.strategies import LAW

NAMES = st.sampled_from(["a", "a/", "a/b.txt", "a-b", "B", "é", "\U0001f981", "\\xff/a", "\\xff/b", "z"])
NUMBERS = st.integers(0, 1)
ENTRIES = st.builds(Entry, NAMES, NUMBERS, NUMBERS, NUMBERS, st.sampled_from([None, "a pipe"]))
RECORDS = st.builds(FileRecord, ENTRIES, st.just("digest"), st.sampled_from(["1", "2"]))


def expected(
    entries: list[Entry], records: list[FileRecord], version: str
) -> tuple[dict[str, bool], set[str]]:
    """The files to read, each with whether it has a document, and those that have gone."""
    known = {record.entry.file: record for record in records}
    stale = {}
    for entry in entries:
        record = known.get(entry.file)
        if not record or record.version != version:
            stale[entry.file] = bool(record and not record.entry.problem)
        elif entry.problem != record.entry.problem if entry.problem else entry[:4] != record.entry[:4]:
            stale[entry.file] = not record.entry.problem
    return stale, known.keys() - {entry.file for entry in entries}


def compared(folder: Path, records: list[FileRecord], entries: list[Entry]) -> Manifest:
    store = open_store(folder)
    manifest = Manifest(store.db)
    with store.transaction():
        manifest.forget(record.entry.file for record in [*manifest.records()])
        manifest.record(records)
    manifest.compare(iter(entries), "2")
    return manifest


def told(manifest: Manifest) -> tuple[dict[str, bool], set[str]]:
    stale = {entry.file: indexed for indexed in (True, False) for entry, _ in manifest.stale(indexed=indexed)}
    assert len(stale) == manifest.stale_count()
    return stale, {file for files in manifest.gone() for file in files}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)


@LAW
@given(
    st.lists(RECORDS, unique_by=lambda record: record.entry.file),
    st.lists(ENTRIES, unique_by=lambda entry: entry.file),
)
def test_what_differs_is_found(
    tmp_path_factory: pytest.TempPathFactory, records: list[FileRecord], entries: list[Entry]
) -> None:
    manifest = compared(tmp_path_factory.getbasetemp(), records, sorted(entries))
    assert told(manifest) == expected(entries, records, "2")


@LAW
@given(st.lists(RECORDS, unique_by=lambda record: record.entry.file), st.lists(ENTRIES))
def test_in_any_order_and_met_twice_nothing_is_called_gone_or_left_out(
    tmp_path_factory: pytest.TempPathFactory, records: list[FileRecord], entries: list[Entry]
) -> None:
    manifest = compared(tmp_path_factory.getbasetemp(), records, entries)
    stale, gone = told(manifest)
    firsts = list({entry.file: entry for entry in reversed(entries)}.values())
    must, truly_gone = expected(firsts, records, "2")
    assert gone == truly_gone
    assert stale.keys() <= {entry.file for entry in entries}
    in_order = [entry.file for entry in entries] == sorted({entry.file for entry in entries})
    assert not in_order or stale == must


def test_what_is_stale_comes_with_what_is_known_of_it(tmp_path: Path) -> None:
    old = FileRecord(Entry("a.txt", 1, 2, 3), "digest", "2")
    manifest = compared(tmp_path, [old], [Entry("a.txt", 1, 2, 4), Entry("b.txt", 1, 2, 3)])
    assert list(manifest.stale(indexed=True)) == [(Entry("a.txt", 1, 2, 4), old)]
    assert list(manifest.stale(indexed=False)) == [(Entry("b.txt", 1, 2, 3), None)]
