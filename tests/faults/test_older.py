"""Folders that other versions of Footnote wrote, and what its libraries throw instead of errors."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from index import FootnoteError, StoreError
from tests.faults.children import in_child
from tests.faults.library import Library, assert_right, fingerprint, look, sync

FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL,
    {date} page_starts TEXT NOT NULL
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
INSERT INTO documents (id, file, title, text, page_starts) VALUES (1, 'old.txt', 'Old', 'The zebra sleeps.', '[]');
INSERT INTO vectors VALUES (1, x'00', zeroblob(1536));
INSERT INTO chunks VALUES (1, 1, 1, 0, 17, NULL, 'The zebra sleeps.', '[[0, 17]]');
INSERT INTO files VALUES ('old.txt', 17, 1, '00', NULL);
INSERT INTO meta VALUES ('schema', '{schema}'), ('fingerprint', '{fingerprint}'), ('revision', '7'),
    ('identity', '0123456789abcdef');
"""
OLDER = [
    pytest.param(1, "", "text-1 sentences-1 all-minilm-l6-v2", id="schema 1"),
    pytest.param(2, "date TEXT,", "text-2 sentences-3 all-minilm-l6-v2", id="schema 2"),
    pytest.param(2, "date TEXT,", "text-2 sentences-3 witness", id="schema 2, the same embedder"),
]


def database(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.executescript(f"PRAGMA journal_mode=WAL;{script}")
    connection.close()


@pytest.mark.parametrize(("schema", "date", "fingerprint"), OLDER)
def test_an_older_index_is_opened_or_made_again(
    tmp_path: Path, schema: int, date: str, fingerprint: str
) -> None:
    """Nothing of its old content is answered."""
    library = Library(tmp_path / "corpus", 5)
    folder, asked = tmp_path / "index", library.questions(5)
    database(folder / "store.sqlite", FIRST.format(schema=schema, date=date, fingerprint=fingerprint))
    for cache in ("words", "vectors"):
        (folder / cache / "0123").mkdir(parents=True)
        (folder / cache / "0123" / "meta.json").write_text("{}")
        (folder / cache / "current.json").write_text(
            '{"format": 1, "identity": "0123456789abcdef", "revision": "0123456789abcdef-7", '
            '"generation": "0123", "count": 1, "through": 1}'
        )
    for _ in range(2):
        seen = in_child(look, library.folder, folder, asked)
        assert seen.documents.keys() <= {"old.txt"} | library.texts.keys()
        assert in_child(sync, library.folder, folder) == []
    seen = in_child(look, library.folder, folder, asked)
    assert_right(seen, library.texts, asked)
    assert all(seen.sound.values())
    assert not (folder / "words" / "0123").exists()


def footnote(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("footnote")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_newer_index_is_left_alone_in_words(tmp_path: Path) -> None:
    library = Library(tmp_path / "corpus", 5)
    folder, asked = tmp_path / "index", library.questions(5)
    assert in_child(sync, library.folder, folder) == []
    with sqlite3.connect(folder / "store.sqlite") as connection:
        ((schema,),) = connection.execute("SELECT value FROM meta WHERE key = 'schema'")
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    connection.close()
    before = fingerprint(folder)
    for use in (look, sync):
        with pytest.raises(StoreError, match=r"store\.sqlite was written by a newer version"):
            in_child(use, library.folder, folder, None)
    printed = footnote("index", str(library.folder), "--index-dir", str(folder))
    assert (printed.returncode, printed.stdout) == (1, "")
    assert printed.stderr.startswith("footnote: The index ")
    assert "newer version" in printed.stderr
    assert printed.stderr.count("\n") == 1
    assert fingerprint(folder) == before
    with sqlite3.connect(folder / "store.sqlite") as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (schema,))
    connection.close()
    assert_right(in_child(look, library.folder, folder, asked), library.texts, asked)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("CREATE TABLE documents (title TEXT)", id="somebody else's"),
        pytest.param("CREATE TABLE meta (key TEXT, value TEXT)", id="no version"),
        pytest.param(
            "CREATE TABLE meta (key TEXT, value TEXT); INSERT INTO meta VALUES ('schema', 'x')",
            id="no number",
        ),
    ],
)
def test_a_store_that_is_none_of_ours_is_an_error_in_words_or_made_again(tmp_path: Path, script: str) -> None:
    library = Library(tmp_path / "corpus", 3)
    folder, asked = tmp_path / "index", library.questions(3)
    database(folder / "store.sqlite", script)
    try:
        assert in_child(sync, library.folder, folder) == []
    except FootnoteError as error:
        said = str(error)
        assert f"delete the folder {folder}" in said
        shutil.rmtree(folder)
        assert in_child(sync, library.folder, folder) == []
    assert_right(in_child(look, library.folder, folder, asked), library.texts, asked)
