"""One index, published, and others that live on what it publishes."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index import Index, StoreError, SyncReport
from tests.fakes import HashEmbedder
from tests.finding import candidates
from tests.index.chroma_process import ChromaProcess

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def writer(corpus: Path, tmp_path: Path) -> Iterator[Index]:
    (corpus / "zebra.txt").write_text("The zebra sleeps in the shade.")
    (corpus / "lion.txt").write_text("The lion hunts at night.")
    index = Index(corpus, tmp_path / "writer", HashEmbedder())
    index.sync()
    yield index
    index.close()


@pytest.fixture
def share(tmp_path: Path) -> Path:
    return tmp_path / "share"


@pytest.fixture
def replica(tmp_path: Path, share: Path) -> Iterator[Index]:
    index = Index(share, tmp_path / "replica", HashEmbedder(), snapshots=True)
    yield index
    index.close()


def all_of(index: Index) -> list[tuple[str, str, float, float]]:
    return [
        (found.chunk.file, found.chunk.text, round(found.similarity, 5), round(found.bm25, 5))
        for found in candidates(index, "zebra or lion at night", 10)
    ]


def counts(report: SyncReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


def test_a_replica_answers_as_the_writer_does_without_the_documents(
    writer: Index, replica: Index, share: Path, corpus: Path
) -> None:
    published = writer.publish(share)
    assert published.parent == share
    shutil.rmtree(corpus)
    assert counts(replica.sync()) == (2, 0, 0, 0)
    assert len(all_of(replica)) == 2
    assert all_of(replica) == all_of(writer)
    assert replica.document("lion.txt") == writer.document("lion.txt")
    assert replica.caches() == {"Chroma": True, "Tantivy": True}
    assert replica.differences() == []


@pytest.mark.usefixtures("without_chroma")
def test_a_replica_follows(writer: Index, replica: Index, share: Path, corpus: Path) -> None:
    writer.publish(share)
    replica.sync()
    (corpus / "zebra.txt").write_text("The zebra has woken up.")
    (corpus / "lion.txt").unlink()
    (corpus / "bear.txt").write_text("The bear at night.")
    writer.sync()
    assert replica.differences() == []
    writer.publish(share)
    assert replica.differences()
    assert [file for file, *_ in all_of(replica)] == ["lion.txt", "zebra.txt"]
    assert counts(replica.sync()) == (1, 1, 1, 0)
    assert all_of(replica) == all_of(writer)
    assert {"bear.txt", "zebra.txt"} == {file for file, *_ in all_of(replica)}
    assert counts(replica.sync()) == (0, 0, 0, 2)


@pytest.mark.usefixtures("without_chroma")
def test_two_copies_are_kept_and_the_same_content_is_not_copied_again(
    writer: Index, share: Path, corpus: Path
) -> None:
    copies = [writer.publish(share)]
    assert writer.publish(share) == copies[0]
    for number in range(3):
        (corpus / "zebra.txt").write_text(f"Zebra number {number}.")
        writer.sync()
        copies.append(writer.publish(share))
    assert {path for path in share.iterdir() if path.suffix == ".sqlite"} == set(copies[-2:])
    assert not list(share.glob(".partial*"))


@pytest.mark.usefixtures("without_chroma")
def test_what_is_not_whole_is_not_taken_over(
    writer: Index, replica: Index, share: Path, corpus: Path
) -> None:
    with pytest.raises(StoreError, match="no snapshot"):
        replica.sync()
    writer.publish(share)
    replica.sync()
    before = all_of(replica)
    (corpus / "zebra.txt").write_text("The zebra has woken up.")
    writer.sync()
    copy = writer.publish(share)
    whole = copy.read_bytes()

    copy.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="not whole"):
        replica.sync()
    copy.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        replica.sync()
    assert all_of(replica) == before
    copy.write_bytes(whole)
    replica.sync()
    assert all_of(replica) == all_of(writer)


@pytest.mark.usefixtures("without_chroma")
def test_a_snapshot_of_another_version_is_refused(writer: Index, replica: Index, share: Path) -> None:
    copy = writer.publish(share)
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute("UPDATE meta SET value = 99 WHERE key = 'schema'")
    pointer = json.loads((share / "snapshot.json").read_text())
    pointer["sha256"] = hashlib.sha256(copy.read_bytes()).hexdigest()
    (share / "snapshot.json").write_text(json.dumps(pointer))
    with pytest.raises(StoreError, match="another version"):
        replica.sync()
    assert replica.counts()["documents"] == 0


REPLICA = """
import json, sys, threading
from pathlib import Path
from index import FootnoteError, Index
from tests.fakes import HashEmbedder
from tests.finding import candidates

share, folder, url, last = sys.argv[1:]
index = Index(Path(share), Path(folder), HashEmbedder(), url or None, snapshots=True)
index.sync()
over = threading.Event()

def follow():
    while not over.is_set():
        index.sync()

thread = threading.Thread(target=follow)
thread.start()
seen = []
while not seen or seen[-1] != [last] * 3:
    found = {each.chunk.file: each.chunk.text.split()[1] for each in candidates(index, "edition", 10)}
    state = [found.get(name, "none") for name in ("a.txt", "b.txt", "c.txt")]
    if not seen or state != seen[-1]:
        seen.append(state)
        print(flush=True)
over.set()
thread.join()
problem = index.problem
index.close()
print(json.dumps({"seen": seen, "problem": problem}))
"""


@pytest.mark.parametrize("served", [False, True], ids=["each with its own vectors", "one Chroma server"])
def test_three_replicas_asked_while_the_writer_changes_files_have_the_old_state_or_the_new(
    corpus: Path, share: Path, tmp_path: Path, served: bool
) -> None:
    last = 5
    server = ChromaProcess(tmp_path / "chroma") if served else None
    url = server.url if server else ""
    index = Index(corpus, tmp_path / "writer", HashEmbedder(), url or None)

    def edition(number: int) -> None:
        for name in ("a.txt", "b.txt", "c.txt"):
            (corpus / name).write_text(f"Edition {number} of {name}.")
        index.sync()
        index.publish(share)

    edition(0)
    folders = [tmp_path / f"replica {number}" for number in range(3)]
    command = [sys.executable, "-c", REPLICA, str(share)]
    replicas = [
        subprocess.Popen([*command, str(folder), url, str(last)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for folder in folders
    ]
    for replica in replicas:  # Each has answered once.
        assert replica.stdout
        replica.stdout.readline()
    for number in range(1, last + 1):
        edition(number)
    for replica in replicas:
        said, _ = replica.communicate()
        assert replica.returncode == 0
        result = json.loads(said.strip().splitlines()[-1])
        assert result["problem"] == ""
        editions = [int(state[0]) for state in result["seen"] if len(set(state)) == 1]
        assert len(editions) == len(result["seen"]), "a mixture"
        assert editions == sorted(editions)
        assert editions[-1] == last
    index.close()
    if server:
        server.kill()
