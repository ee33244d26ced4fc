from __future__ import annotations

import datetime
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from index import CorpusError, EmbedderError, Index, LockedError, StoreError, SyncReport, core
from index import sync as module
from index.embedding import Kind, Vectors
from index.folder import Entry
from index.schema import SCHEMA
from index.types import Progress
from tests.fakes import HashEmbedder
from tests.finding import candidates

pytestmark = pytest.mark.usefixtures("without_chroma")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
def index(corpus: Path, tmp_path: Path, embedder: HashEmbedder) -> Iterator[Index]:
    opened = Index(corpus, tmp_path / "index", embedder)
    yield opened
    opened.close()


def counts(report: SyncReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


def found(index: Index, query: str) -> set[str]:
    """The files in which a word of the query occurs."""
    return {candidate.chunk.file for candidate in candidates(index, query, 50) if candidate.bm25}


def texts(index: Index) -> dict[str, str]:
    return {document.file: document.text for document in index.documents()}


def test_the_date_of_a_document_is_known_to_its_chunks_and_changes_with_it(
    index: Index, corpus: Path
) -> None:
    (corpus / "a.txt").write_text("Published: 3 May 2024\nThe zebra sleeps.")
    (corpus / "b.txt").write_text("The lion hunts.")
    index.sync()
    assert [document.date for document in index.documents()] == [datetime.date(2024, 5, 3), None]
    assert {chunk.date for chunk in index.chunks_of("a.txt")} == {datetime.date(2024, 5, 3)}
    assert {chunk.date for chunk in index.chunks_of("b.txt")} == {None}
    (corpus / "a.txt").write_text("Published: 4 May 2024\nThe zebra sleeps.")
    index.sync()
    assert {each.chunk.date for each in candidates(index, "zebra", 1) if each.bm25} == {
        datetime.date(2024, 5, 4)
    }


def test_boilerplate_is_kept_and_known_as_such(index: Index, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.\n\nSubscribe to our newsletter!\n\nThe lion hunts.")
    index.sync()
    assert [(chunk.text, chunk.boilerplate) for chunk in index.chunks_of("a.txt")] == [
        ("The zebra sleeps.", False),
        ("Subscribe to our newsletter!", True),
        ("The lion hunts.", False),
    ]


# What changes in the folder


def test_a_folder_becomes_an_index(index: Index, corpus: Path) -> None:
    (corpus / "deep" / "er").mkdir(parents=True)
    (corpus / "a.txt").write_text("The zebra sleeps.\nIt dreams.")
    (corpus / "deep" / "er" / "b.md").write_text("# Lions\n\nThe lion hunts.")
    assert counts(index.sync()) == (2, 0, 0, 0)
    assert index.titles() == [("a.txt", "The zebra sleeps."), ("deep/er/b.md", "Lions")]
    assert texts(index)["deep/er/b.md"] == "# Lions\n\nThe lion hunts."
    assert found(index, "hunting") == {"deep/er/b.md"}
    assert index.differences() == []
    for file, _ in index.titles():
        document = index.document(file)
        assert document
        for chunk in index.chunks_of(file):
            assert chunk.text == document.text[chunk.start : chunk.end]


def test_a_changed_file_leaves_no_trace(index: Index, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.")
    (corpus / "b.txt").write_text("The lion hunts.")
    index.sync()
    (corpus / "a.txt").write_text("The okapi stands.")
    assert index.differences() == ["a.txt"]
    assert counts(index.sync()) == (0, 1, 0, 1)
    assert found(index, "zebra") == set()
    assert found(index, "okapi") == {"a.txt"}
    assert all("zebra" not in candidate.chunk.text for candidate in candidates(index, "zebra", 50))
    assert index.respell("zebbra") == "zebbra"


def test_a_deleted_file_leaves_no_trace(index: Index, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The quagga sleeps.")
    (corpus / "b.txt").write_text("The lion hunts.")
    index.sync()
    (corpus / "a.txt").unlink()
    assert index.differences() == ["a.txt"]
    assert counts(index.sync()) == (0, 0, 1, 1)
    assert [candidate.chunk.file for candidate in candidates(index, "quagga sleeps", 50)] == ["b.txt"]
    assert index.counts() == {"documents": 1, "chunks": 1, "vectors": 1}
    assert index.document("a.txt") is None
    assert index.chunks_of("a.txt") == []
    assert index.rarity(["quagga"])["quagga"] > index.rarity(["lion"])["lion"] > 0
    assert index.respell("quaga") == "quaga"


def test_a_renamed_file_is_found_under_its_new_name_and_not_embedded_again(
    index: Index, corpus: Path, embedder: HashEmbedder
) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.")
    (corpus / "b.txt").write_text("The lion hunts.")
    index.sync()
    before = embedder.texts
    (corpus / "a.txt").rename(corpus / "c.txt")
    assert counts(index.sync()) == (1, 0, 1, 1)
    assert embedder.texts == before
    assert found(index, "zebra") == {"c.txt"}


def test_a_folder_in_place_of_a_file(index: Index, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.")
    index.sync()
    (corpus / "a.txt").unlink()
    (corpus / "a.txt").mkdir()
    (corpus / "a.txt" / "b.txt").write_text("The lion hunts.")
    index.sync()
    assert list(texts(index)) == ["a.txt/b.txt"]
    assert index.differences() == []


def test_a_file_that_becomes_unreadable_is_taken_out(index: Index, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.")
    index.sync()
    (corpus / "a.txt").write_bytes(b"\xff\xfe")
    report = index.sync()
    assert counts(report) == (0, 0, 1, 0)
    assert list(report.skipped) == ["a.txt"]
    assert found(index, "zebra") == set()
    (corpus / "a.txt").write_text("The zebra is back.")
    assert counts(index.sync()) == (1, 0, 0, 0)


# What it costs


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the files count as written long ago."""
    monkeypatch.setattr(module, "SETTLED_NS", -(10**18))


def test_an_unchanged_folder_costs_nothing(
    index: Index, corpus: Path, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    (corpus / "a.txt").write_text("The zebra sleeps.")
    (corpus / "b.txt").write_bytes(b"\xff")
    assert index.sync().embedded == 1
    revision = index.store.revision

    def read(root: Path, entry: Entry) -> tuple[bytes, Entry]:
        raise AssertionError(f"{entry.file} was read again")

    monkeypatch.setattr(module, "read", read)
    seen: list[Progress] = []
    report = index.sync(seen.append)
    assert (counts(report), report.embedded) == ((0, 0, 0, 1), 0)
    assert {(step.total, step.file) for step in seen} == {(0, "")}
    assert list(report.skipped) == ["b.txt"]
    assert (index.store.revision, embedder.texts) == (revision, 1)


def test_a_touched_file_is_read_but_not_embedded(
    index: Index, corpus: Path, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    (corpus / "a.txt").write_text("The zebra sleeps.")
    index.sync()
    revision = index.store.revision
    os.utime(corpus / "a.txt", (1, 1))
    assert counts(index.sync()) == (0, 0, 0, 1)
    assert (embedder.texts, index.store.revision) == (1, revision)


def test_an_edit_of_the_same_size_and_time_is_noticed_soon_after_indexing(index: Index, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.")
    stat = (corpus / "a.txt").stat()
    index.sync()
    (corpus / "a.txt").write_text("The okapi sleeps.")
    os.utime(corpus / "a.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert counts(index.sync()) == (0, 1, 0, 0)
    assert found(index, "zebra okapi") == {"a.txt"}
    assert "okapi" in index.chunks_of("a.txt")[0].text


def test_the_same_text_in_two_files_is_embedded_once_and_found_in_both(
    index: Index, corpus: Path, embedder: HashEmbedder
) -> None:
    for name in ("a.txt", "b.txt"):
        (corpus / name).write_text("The zebra sleeps.")
    assert index.sync().embedded == embedder.texts == 1
    assert index.counts() == {"documents": 2, "chunks": 2, "vectors": 1}
    assert [candidate.chunk.file for candidate in candidates(index, "zebra", 1)] == ["a.txt", "b.txt"]
    (corpus / "c.txt").write_text("The zebra sleeps.")
    (corpus / "a.txt").unlink()
    assert index.sync().embedded == 0
    assert found(index, "zebra") == {"b.txt", "c.txt"}


def test_a_change_of_one_paragraph_embeds_one_chunk(index: Index, corpus: Path) -> None:
    paragraphs = [f"Paragraph {number} says little. " * 13 for number in range(5)]
    (corpus / "a.txt").write_text("\n\n".join(paragraphs))
    assert index.sync().embedded == 5
    paragraphs[3] = "Another paragraph is here. " * 15
    (corpus / "a.txt").write_text("\n\n".join(paragraphs))
    assert index.sync().embedded == 1


def test_many_batches_are_one_index(index: Index, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    for number in range(20):
        (corpus / f"{number:02}.txt").write_text(f"Zebra number{number} sleeps.")
    index.sync()
    for number in range(0, 20, 2):
        (corpus / f"{number:02}.txt").write_text(f"Okapi number{number} sleeps.")
    assert counts(index.sync()) == (0, 10, 0, 10)
    assert found(index, "okapi") == {f"{number:02}.txt" for number in range(0, 20, 2)}
    assert found(index, "zebra") == {f"{number:02}.txt" for number in range(1, 20, 2)}
    assert index.caches()["Tantivy"]


def test_progress_names_each_file_and_ends(index: Index, corpus: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (corpus / name).write_text("text")
    seen: list[Progress] = []
    index.sync(seen.append)
    assert [(step.stage, step.done, step.total, step.file) for step in seen] == [
        ("checking", 0, 0, ""),
        ("reading", 0, 2, "a.txt"),
        ("reading", 1, 2, "b.txt"),
        ("reading", 2, 2, ""),
        ("embedding", 0, 1, ""),
        ("embedding", 1, 1, ""),
    ]


# Files that are not taken


@pytest.mark.parametrize(
    "name",
    [
        "new\nline.txt",
        "tab\t.txt",
        "😀.txt",
        "石破首相.txt",
        "<img src=x onerror=alert(1)>.txt",
        "%s{0}$HOME;rm.txt",
        "quote'\".txt",
        " spaces .txt",
        "-rf.txt",
        "\\xff.txt",
        "e\u0301.txt",
        "x" * 251 + ".txt",
        "UPPER.TXT",
    ],
)
def test_an_odd_name_is_a_name(index: Index, corpus: Path, name: str) -> None:
    (corpus / name).write_text("The zebra sleeps.")
    (corpus / "good.txt").write_text("The lion hunts.")
    assert counts(index.sync()) == (2, 0, 0, 0)
    assert found(index, "zebra") == {name}
    (corpus / name).unlink()
    assert counts(index.sync()) == (0, 0, 1, 1)


def test_names_that_differ_only_in_their_accents_code_are_two_files(index: Index, corpus: Path) -> None:
    for name in ("é.txt", "e\u0301.txt"):
        (corpus / name).write_text("The zebra sleeps.")
    assert index.sync().added == 2


def test_a_name_that_is_not_utf8_is_listed_and_stops_nobody(index: Index, corpus: Path) -> None:
    (corpus / "good.txt").write_text("The lion hunts.")
    bad = os.fsencode(corpus)
    os.mkdir(bad + b"/folder\xfe")  # noqa: PTH102
    for name in (b"/\xff.txt", b"/folder\xfe/a.txt"):
        with open(bad + name, "w") as file:  # noqa: PTH123
            file.write("The zebra sleeps.")
    report = index.sync()
    assert counts(report) == (1, 0, 0, 0)
    assert list(report.skipped) == ["\\xff.txt", "folder\\xfe/a.txt"]
    assert "not UTF-8" in report.skipped["\\xff.txt"]
    assert counts(index.sync()) == (0, 0, 0, 1)
    assert index.differences() == []


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.png", b"\x89PNG", "not a format"),
        ("a.txt", b"a\0b", "binary"),
        ("b.txt", b"\xff", "UTF-8"),
        ("c.txt", b"", "no text"),
    ],
)
def test_what_cannot_be_indexed_is_listed_with_the_reason(
    index: Index, corpus: Path, name: str, data: bytes, reason: str
) -> None:
    (corpus / name).write_bytes(data)
    (corpus / "good.txt").write_text("The lion hunts.")
    for expected in ((1, 0, 0, 0), (0, 0, 0, 1)):
        report = index.sync()
        assert counts(report) == expected
        assert list(report.skipped) == [name]
        assert reason in report.skipped[name]
    assert index.differences() == []
    (corpus / name).unlink()
    assert index.sync().skipped == {}


def test_hidden_files_links_out_and_things_that_are_no_files_are_passed_over(
    index: Index, corpus: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "s.txt").write_text("The zebra sleeps.")
    (corpus / "out.txt").symlink_to(secret / "s.txt")
    (corpus / "out").symlink_to(secret)
    (corpus / "up.txt").symlink_to("../secret/s.txt")
    (corpus / ".hidden.txt").write_text("The zebra sleeps.")
    (corpus / ".git").mkdir()
    (corpus / ".git" / "a.txt").write_text("The zebra sleeps.")
    os.mkfifo(corpus / "pipe.txt")
    (corpus / "good.txt").write_text("The lion hunts.")
    (corpus / "inside.txt").symlink_to("good.txt")
    index.sync()
    assert list(texts(index)) == ["good.txt", "inside.txt"]
    assert index.differences() == []


def test_links_to_themselves_or_to_nothing_stop_nobody(index: Index, corpus: Path) -> None:
    (corpus / "loop.txt").symlink_to("loop.txt")
    (corpus / "loops").symlink_to(".")
    (corpus / "nothing.txt").symlink_to("gone.txt")
    (corpus / "good.txt").write_text("The lion hunts.")
    report = index.sync()
    assert list(texts(index)) == ["good.txt"]
    assert set(report.skipped) <= {"loop.txt", "nothing.txt"}
    assert all(report.skipped.values())


def test_a_file_that_goes_away_while_it_is_read_stops_nobody(
    index: Index, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "b.txt"):
        (corpus / name).write_text("The lion hunts.")
    index.sync(lambda step: step.stage == "reading" and (corpus / "b.txt").unlink(missing_ok=True))
    assert list(texts(index)) == ["a.txt"]
    assert index.sync().skipped == {}


AS_NOBODY = """
import os, sys
from contextlib import closing
from pathlib import Path
from index import FootnoteError, Index
from index.vectors import VectorIndex
from tests.fakes import HashEmbedder
VectorIndex.refresh = VectorIndex.reload
"".encode("utf-8-sig")  # Python itself may lie where nobody can look.
os.setgid(65534), os.setuid(65534)
try:
    index = Index(Path(sys.argv[1]), Path(sys.argv[2]), HashEmbedder())
    report = index.sync()
    print(index.titles(), report.skipped)
except FootnoteError as error:
    print(type(error).__name__, error)
"""


def as_nobody(corpus: Path, folder: Path) -> str:
    """Sync as a user who owns nothing; root may read and write everything."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    temporary = Path(tempfile.gettempdir())
    for parent in (folder, *folder.parents):
        if parent.is_relative_to(temporary) and parent != temporary:
            parent.chmod(0o755)
    command = [sys.executable, "-c", AS_NOBODY, str(corpus), str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.stderr == ""
    return ran.stdout


def test_a_file_or_folder_without_permission_is_listed_and_stops_nobody(corpus: Path, tmp_path: Path) -> None:
    (corpus / "good.txt").write_text("The lion hunts.")
    (corpus / "closed.txt").write_text("The zebra sleeps.")
    for name in ("closed", "names only"):
        (corpus / name).mkdir()
        (corpus / name / "a.txt").write_text("The zebra sleeps.")
    (tmp_path / "index").mkdir()
    os.chown(tmp_path / "index", 65534, 65534)
    (corpus / "closed.txt").chmod(0)
    (corpus / "closed").chmod(0)
    (corpus / "names only").chmod(0o444)
    printed = as_nobody(corpus, tmp_path / "index")
    assert printed.startswith("[('good.txt', 'The lion hunts.')]")
    for name in ("closed.txt", "closed/", "names only/a.txt"):
        assert f"'{name}': 'it cannot be read: Permission denied'" in printed


def test_an_index_folder_without_permission_is_named(corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    Index(corpus, folder, HashEmbedder()).close()
    printed = as_nobody(corpus, folder)
    assert printed.startswith(f"StoreError The index {folder}/store.sqlite cannot be used: ")
    assert printed.count("\n") == 1


# Folders that cannot be used


def test_a_missing_folder_is_named(index: Index, corpus: Path) -> None:
    corpus.rmdir()
    with pytest.raises(CorpusError, match=f"There is no folder {corpus}"):
        index.sync()


def test_a_folder_that_is_a_file_is_named(index: Index, corpus: Path) -> None:
    corpus.rmdir()
    corpus.write_text("The zebra sleeps.")
    with pytest.raises(CorpusError, match=f"There is no folder {corpus}"):
        index.sync()


def test_a_folder_that_goes_missing_does_not_empty_the_index(index: Index, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.")
    index.sync()
    shutil.rmtree(corpus)
    with pytest.raises(CorpusError):
        index.sync()
    assert found(index, "zebra") == {"a.txt"}


def test_an_empty_folder_is_an_empty_index(index: Index) -> None:
    report = index.sync()
    assert (counts(report), report.skipped, report.embedded) == ((0, 0, 0, 0), {}, 0)
    assert candidates(index, "anything", 5) == []
    assert index.caches() == {"Chroma": True, "Tantivy": True}
    assert index.respell("anythng") == "anythng"
    assert index.differences() == []


def test_an_index_that_was_never_synced_answers_nothing(index: Index, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.")
    assert candidates(index, "zebra", 5) == []
    assert index.rarity(["zebra"]) == {"zebra": pytest.approx(0.69, abs=0.01)}
    assert index.differences() == ["a.txt"]


def test_an_index_below_a_file_is_refused(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"file/index/store\.sqlite cannot be used"):
        Index(corpus, tmp_path / "file" / "index", HashEmbedder())


# The store


def store_file(index: Index) -> Path:
    return index.folder / "store.sqlite"


@pytest.fixture
def folder(index: Index, corpus: Path) -> Path:
    """A closed index of two files."""
    (corpus / "a.txt").write_text("The zebra sleeps.")
    (corpus / "b.txt").write_text("The lion hunts.")
    index.sync()
    index.close()
    return index.folder


def set_meta(folder: Path, key: str, value: str) -> None:
    with sqlite3.connect(folder / "store.sqlite") as database:
        database.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    database.close()


def test_an_index_of_a_newer_version_is_left_alone(folder: Path, corpus: Path) -> None:
    set_meta(folder, "schema", "99")
    with pytest.raises(StoreError, match=r"store\.sqlite was written by a newer version of Footnote"):
        Index(corpus, folder, HashEmbedder())
    set_meta(folder, "schema", str(SCHEMA))
    again = Index(corpus, folder, HashEmbedder())
    assert found(again, "zebra") == {"a.txt"}
    again.close()


def test_an_older_index_is_made_anew(folder: Path, corpus: Path) -> None:
    set_meta(folder, "schema", str(SCHEMA - 1))
    (corpus / "a.txt").write_text("The okapi stands.")
    index = Index(corpus, folder, HashEmbedder())
    assert candidates(index, "zebra", 5) == []
    report = index.sync()
    assert (counts(report), report.embedded) == ((2, 0, 0, 0), 2)
    assert found(index, "zebra okapi") == {"a.txt"}
    index.close()


# Words first, vectors behind


def test_a_document_is_found_by_its_words_before_it_has_vectors(index: Index, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.")
    (corpus / "b.txt").write_text("The lion hunts.")
    seen: list[tuple[int, set[str], float]] = []

    def look(step: Progress) -> None:
        if (step.stage, step.done) == ("embedding", 0):
            (best, *_) = candidates(index, "zebra sleeps", 5)
            seen.append((index.pending(), found(index, "zebra"), best.similarity))

    report = index.sync(look)
    assert seen == [(2, {"a.txt"}, pytest.approx(candidates(index, "zebra sleeps", 5)[0].similarity))]
    assert (index.pending(), report.pending, report.embedded) == (0, 0, 2)


def test_a_stopped_sync_goes_on_where_it_was(
    index: Index, corpus: Path, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    monkeypatch.setattr(module, "READ_FILES", 2)
    for number in range(10):
        (corpus / f"{number}.txt").write_text(f"Zebra number{number} sleeps.")
    stop = threading.Event()
    report = index.sync(lambda step: (step.stage, step.done) == ("reading", 4) and stop.set(), stop)
    assert (report.added, report.embedded, report.pending) == (5, 0, 5)
    stop.clear()
    report = index.sync(lambda step: (step.stage, step.done) == ("embedding", 4) and stop.set(), stop)
    assert (report.added, report.unchanged, report.embedded, report.pending) == (5, 5, 6, 4)
    assert (index.sync().embedded, embedder.texts, index.pending()) == (4, 10, 0)
    assert found(index, "zebra") == {f"{number}.txt" for number in range(10)}


class OtherEmbedder(HashEmbedder):
    id = "hash-64-other"


class BrokenEmbedder(HashEmbedder):
    id = "broken"

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        raise EmbedderError("The server is gone.")


def test_another_embedder_takes_over_when_all_its_vectors_are_there(
    folder: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "MiniLM", HashEmbedder)
    monkeypatch.setattr(module, "BATCH", 1)
    index = Index(corpus, folder, OtherEmbedder())
    assert (index.embedder.id, index.pending()) == ("hash-64", 2)
    during: list[tuple[str, set[str]]] = []

    def look(step: Progress) -> None:
        if step.stage == "embedding" and step.done < step.total:
            during.append((index.embedder.id, found(index, "zebra")))

    assert index.sync(look).embedded == 2
    assert during == [("hash-64", {"a.txt"})] * 2
    assert (index.embedder.id, index.pending()) == ("hash-64-other", 0)
    assert index.counts()["vectors"] == 2
    assert index.sync().embedded == 0
    index.close()


def test_an_embedder_that_is_not_there_any_more_is_replaced_at_once(folder: Path, corpus: Path) -> None:
    index = Index(corpus, folder, OtherEmbedder())
    assert found(index, "zebra") == {"a.txt"}
    assert index.sync().embedded == 2
    assert (index.embedder.id, index.pending()) == ("hash-64-other", 0)
    index.close()


def test_when_texts_cannot_be_embedded_everything_else_is_done(folder: Path, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The okapi stands.")
    (corpus / "b.txt").unlink()
    (corpus / "c.txt").write_text("The heron waits.")
    index = Index(corpus, folder, BrokenEmbedder())
    with pytest.raises(EmbedderError, match="The server is gone"):
        index.sync()
    assert index.differences() == []
    index.close()
    index = Index(corpus, folder, HashEmbedder())
    assert found(index, "zebra okapi heron lion") == {"a.txt", "c.txt"}
    index.sync()
    assert index.pending() == 0
    index.close()


def test_a_byte_flipped_within_a_text_is_found_and_mended(folder: Path, corpus: Path) -> None:
    path = folder / "store.sqlite"
    path.write_bytes(path.read_bytes().replace(b"The zebra", b"The zebru"))
    index = Index(corpus, folder, HashEmbedder())
    assert index.differences() == ["a.txt"]
    index.repair()
    assert index.differences() == []
    assert texts(index)["a.txt"] == "The zebra sleeps."
    index.close()


def test_repair_mends_what_size_and_time_hide(
    index: Index, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    (corpus / "a.txt").write_text("The zebra sleeps.")
    index.sync()
    with index.store.transaction():
        index.store.db.write("UPDATE files SET sha256 = 'of something else'")
    assert index.differences() == ["a.txt"]
    assert counts(index.sync()) == (0, 0, 0, 1)
    assert counts(index.repair()) == (0, 1, 0, 0)
    assert index.differences() == []


@pytest.mark.parametrize("size", [100, 8192])
def test_a_damaged_store_says_what_to_do(folder: Path, corpus: Path, size: int) -> None:
    for path in folder.glob("store.sqlite*"):
        path.write_bytes(b"garbage!" * (size // 8))
    with pytest.raises(StoreError, match=r"store\.sqlite is damaged .*: delete the folder .*/index"):
        Index(corpus, folder, HashEmbedder())
    shutil.rmtree(folder)
    index = Index(corpus, folder, HashEmbedder())
    index.sync()
    assert found(index, "zebra") == {"a.txt"}
    index.close()


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda index: index.documents(), id="documents"),
        pytest.param(lambda index: candidates(index, "zebra", 5), id="candidates"),
        pytest.param(lambda index: index.sync(), id="sync"),
    ],
)
def test_a_page_damaged_within_the_store_says_what_to_do(
    folder: Path, corpus: Path, use: Callable[[Index], object]
) -> None:
    path = folder / "store.sqlite"
    data = bytearray(path.read_bytes())
    data[4 * 4096 :] = b"\xff" * (len(data) - 4 * 4096)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="delete the folder"):
        use(Index(corpus, folder, HashEmbedder()))


def test_a_full_disk_is_an_error_for_people_and_loses_nothing(
    index: Index, corpus: Path, folder: Path
) -> None:
    index = Index(corpus, folder, HashEmbedder())
    pages = index.store.db.rows("PRAGMA page_count")[0][0]
    index.store.db.write(f"PRAGMA max_page_count = {pages}")
    (corpus / "c.txt").write_text("The okapi stands. " * 10_000)
    with pytest.raises(StoreError, match="full"):
        index.sync()
    assert found(index, "zebra lion") == {"a.txt", "b.txt"}
    index.store.db.write("PRAGMA max_page_count = 100000")
    index.sync()
    assert index.differences() == []
    assert found(index, "okapi") == {"c.txt"}
    index.close()


def test_a_closed_index_says_so(index: Index) -> None:
    index.close()
    with pytest.raises(StoreError, match="has been closed"):
        index.titles()


# Several processes

SYNCING = """
import sys
from contextlib import closing
from pathlib import Path
from index import Index, sync
from index.vectors import VectorIndex
from tests.fakes import HashEmbedder
VectorIndex.refresh = VectorIndex.reload
sync.BATCH = sync.READ_CHUNKS = 2
corpus, folder, stop = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
def progress(step):
    if step.stage == "reading" and stop in (str(step.done), "hold"):
        print("here", flush=True)
        sys.stdin.read()
index = Index(corpus, folder, HashEmbedder())
index.sync(progress)
"""


def start_syncing(corpus: Path, folder: Path, stop: str) -> subprocess.Popen[str]:
    """Start a sync in another process and wait until it stands still before a file."""
    process = subprocess.Popen(
        [sys.executable, "-c", SYNCING, str(corpus), str(folder), stop],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "here\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_second_writer_is_told_who_writes_and_a_killed_one_is_forgotten(
    index: Index, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.core.LOCK_SECONDS", 0.3)
    (corpus / "a.txt").write_text("The zebra sleeps.")
    process = start_syncing(corpus, index.folder, "hold")
    try:
        started = time.monotonic()
        with pytest.raises(
            LockedError, match=rf"number {process.pid}\) is updating the index {index.folder}"
        ):
            index.sync()
        assert time.monotonic() - started < 10
        assert candidates(index, "zebra", 5) == []
    finally:
        kill(process)
    assert counts(index.sync()) == (1, 0, 0, 0)


def test_a_second_thread_waits_no_longer_than_two_seconds() -> None:
    from index.core import LOCK_SECONDS

    assert LOCK_SECONDS <= 2


@pytest.mark.parametrize("stop", ["1", "4", "7"])
def test_a_sync_killed_half_way_is_completed_by_the_next(corpus: Path, tmp_path: Path, stop: str) -> None:
    folder = tmp_path / "index"
    for number in range(4):
        (corpus / f"{number}.txt").write_text(f"Zebra number{number} sleeps.")
    first = Index(corpus, folder, HashEmbedder())
    first.sync()
    for number in range(8):
        (corpus / f"{number}.txt").write_text(f"Okapi number{number} stands.")
    (corpus / "3.txt").unlink()
    kill(start_syncing(corpus, folder, stop))

    index = Index(corpus, folder, HashEmbedder())
    for reader in (first, index):
        for candidate in candidates(reader, "zebra okapi", 50):
            document = reader.document(candidate.chunk.file)
            assert document
            assert candidate.chunk.text == document.text[candidate.chunk.start : candidate.chunk.end]
    index.sync()
    assert index.differences() == []
    assert (
        found(index, "okapi")
        == found(first, "okapi")
        == {f"{number}.txt" for number in (0, 1, 2, 4, 5, 6, 7)}
    )
    assert found(index, "zebra") == found(first, "zebra") == set()
    assert index.caches()["Tantivy"]
    first.close()
    index.close()


def test_a_reader_follows_another_process(index: Index, corpus: Path) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.")
    reader = Index(corpus, index.folder, HashEmbedder())
    assert candidates(reader, "zebra", 5) == []
    index.sync()
    assert found(reader, "zebra") == {"a.txt"}
    (corpus / "a.txt").write_text("The okapi stands.")
    index.sync()
    assert found(reader, "zebra") == set()
    assert found(reader, "okapi") == {"a.txt"}
    reader.close()


# Comparing by content


def test_differences_are_found_by_content(
    index: Index, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    for name in ("a.txt", "b.txt", "c.txt", "same.txt"):
        (corpus / name).write_text("The zebra sleeps.")
    index.sync()
    stat = (corpus / "a.txt").stat()
    (corpus / "a.txt").write_text("The okapi sleeps.")
    os.utime(corpus / "a.txt", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (corpus / "b.txt").unlink()
    (corpus / "d.txt").write_text("The lion hunts.")
    (corpus / "e.bin").write_bytes(b"\0")
    assert index.differences() == ["a.txt", "b.txt", "d.txt", "e.bin"]


class MuteEmbedder(HashEmbedder):
    """A server that can be stopped and started."""

    mute = False

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        if self.mute:
            raise EmbedderError("The server is gone.")
        return super().embed(texts, kind=kind)


def test_while_the_embedder_fails_words_find_and_the_reason_is_told(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (corpus / "a.txt").write_text("The zebra sleeps.")
    (corpus / "b.txt").write_text("The lion hunts.")
    embedder = MuteEmbedder()
    with closing(Index(corpus, tmp_path / "index", embedder)) as index:
        index.sync()
        expected = candidates(index, "zebra", 5)
        embedder.mute = True
        (only,) = candidates(index, "zebra", 5)
        assert (only.chunk.file, only.similarity, only.bm25 > 0) == ("a.txt", 0.0, True)
        assert index.problem == "The server is gone. Until it works again only words are searched."
        embedder.mute = False
        assert candidates(index, "zebra", 5) == [only], "it is left alone for a while"
        monkeypatch.setattr(index, "_retry_at", 0.0)
        assert candidates(index, "zebra", 5) == expected
        assert index.problem == ""


def test_what_has_no_vector_yet_waits_for_an_embedder_that_fails(corpus: Path, tmp_path: Path) -> None:
    class OnlyQuestions(MuteEmbedder):
        def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
            self.mute = kind == "document"
            return super().embed(texts, kind=kind)

    (corpus / "a.txt").write_text("The zebra sleeps.")
    with closing(Index(corpus, tmp_path / "index", OnlyQuestions())) as index:
        with pytest.raises(EmbedderError):
            index.sync()
        for _ in range(2):
            (only,) = candidates(index, "zebra", 5)
            assert (only.similarity, only.bm25 > 0) == (0.0, True)
            assert "The server is gone" in index.problem
