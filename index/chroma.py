"""Chroma's clients, and how one generation of its files is written, probed and checked.

Run as a program (`python -m index.chroma FOLDER`) it writes the vectors that come in on standard
input: a crash in Chroma's core then ends that process alone, and its memory goes back to the system.
"""

from __future__ import annotations

import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import warnings
import zlib
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from index import files
from index.embedding import Vectors

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.Collection import Collection
    from chromadb.config import Settings

COLLECTION = "vectors"
HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "max_neighbors": 32,
    "ef_construction": 200,
    "ef_search": 400,
}
"""Measured: see `docs/scaling.md`."""
STALLED_SECONDS = 120.0
"""So long Chroma may take for one page; on a full disk it can wait for ever."""
SETTLED = 1000
"""Vectors a second that are written to disk, read again and probed at the least, on a slow disk."""
FOUND = 0.98
"""This share of a sample must find itself before a generation is trusted."""
Page = tuple[list[int], Vectors]
Result = TypeVar("Result")


@cache
def settings_class() -> type[Settings]:
    """Return Chroma's settings as they are given: no variable and no `.env` file decides where vectors go."""
    from chromadb.config import Settings
    from pydantic_settings import PydanticBaseSettingsSource as Source

    class Given(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: object, init_settings: Source, *others: object, **more: object
        ) -> tuple[Source, ...]:
            return (init_settings,)

    return Given


def local_client(folder: Path) -> Client:
    """Open Chroma's files in a folder."""
    import chromadb

    settings = settings_class()(anonymized_telemetry=False)
    return cast("Client", chromadb.PersistentClient(path=folder, settings=settings))


def apart(vectors: Vectors) -> Vectors:
    """Return vectors each moved a thousandth of its length, for Chroma alone.

    Thousands of identical ones, of texts that a model does not tell apart, would hide others from its
    search. The cosines that count are the store's.
    """
    noise = np.random.default_rng().standard_normal(vectors.shape, np.float32)
    return vectors + noise * np.float32(1e-3 / vectors.shape[1] ** 0.5)


def write(folder: Path, count: int, pages: Iterable[Page], sample: Page) -> None:
    """Write vectors into a folder, which is empty or a copy of an earlier generation, and probe it.

    Args:
        folder: Where; nobody else may use it yet.
        count: How many vectors the pages hold.
        pages: Ids and vectors, in any number of pages.
        sample: Some of what the folder holds in the end.

    Raises:
        RuntimeError: If Chroma does not find the sample again.
        BaseException: Whatever Chroma raises.
    """
    with closing(local_client(folder)) as client:
        collection = _collection(client, count)
        size = client.get_max_batch_size()
        for ids, vectors in pages:
            for start in range(0, len(ids), size):
                rows = slice(start, start + size)
                collection.upsert(ids=[str(i) for i in ids[rows]], embeddings=apart(vectors[rows]))
    with closing(local_client(folder)) as client:
        _probe(client.get_collection(COLLECTION, embedding_function=None), sample)
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as database:
        database.execute("VACUUM")  # Chroma's log of the vectors, nine tenths of it, is empty now.


def _collection(client: Client, count: int) -> Collection:
    """The collection, made if need be; its graph is written to its files once, after `count` vectors."""
    once: CreateHNSWConfiguration = {"sync_threshold": max(count, 2)}
    if not client.count_collections():
        configuration: CreateHNSWConfiguration = {**HNSW, **once}
        return client.create_collection(
            COLLECTION, configuration={"hnsw": configuration}, embedding_function=None
        )
    collection = client.get_collection(COLLECTION, embedding_function=None)
    with warnings.catch_warnings(action="ignore"):  # It has no embedding function, and need not.
        collection.modify(configuration={"hnsw": {"sync_threshold": once["sync_threshold"]}})
    return collection


def _probe(collection: Collection, sample: Page) -> None:
    ids, vectors = sample
    found = 0
    for vector_id, vector in zip(ids, vectors, strict=True):
        answer = collection.query(query_embeddings=vector[np.newaxis], n_results=10, include=["distances"])
        distances = answer["distances"] or [[]]
        found += str(vector_id) in answer["ids"][0] or distances[0][0] < 1e-4
    if found < FOUND * len(ids):
        raise RuntimeError(f"Chroma finds {found} of {len(ids)} vectors.")


def checksum(folder: Path) -> int:
    """Return a check value of Chroma's files, which it trusts blindly: damaged ones crash it or hide vectors.

    Raises:
        OSError: If a file cannot be read.
        sqlite3.Error: If its database is damaged.
    """
    value = 0
    for file in sorted(folder.glob("*/*")):
        value = files.checksum(file, zlib.crc32(file.relative_to(folder).as_posix().encode(), value))
    with closing(sqlite3.connect(f"file:{folder / 'chroma.sqlite3'}?mode=ro", uri=True)) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in sorted(tables):
            if table != "acquire_write":  # It grows whenever Chroma opens the file.
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    value = zlib.crc32(repr(row).encode(), value)
    return value


def copy(generation: Path, folder: Path) -> None:
    """Copy a generation, which others may be opening: Chroma then writes to its database, if nothing of use."""
    shutil.copytree(generation, folder, ignore=shutil.ignore_patterns("chroma.sqlite3*"))
    with closing(sqlite3.connect(generation / "chroma.sqlite3")) as database:
        database.execute("VACUUM INTO ?", (str(folder / "chroma.sqlite3"),))


# In a process of its own


def write_apart(folder: Path, count: int, pages: Iterable[Page], sample: Page) -> None:
    """Do what `write` does, in a process of its own.

    Raises:
        RuntimeError: If that process fails, crashes or stalls; with the reason it gave.
    """
    command = [sys.executable, "-m", "index.chroma", str(folder.absolute())]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=said, stderr=said, cwd=Path(__file__).parent.parent
        )
        try:
            _send(process, (count, sample))
            for page in pages:
                _send(process, page)
            _send(process, None)
            status = _within(process, process.wait, STALLED_SECONDS + count / SETTLED)
        except BrokenPipeError:
            status = process.wait()
        finally:
            process.kill()
            process.communicate()
        said.seek(0)
        reason = said.read().decode(errors="replace").strip().rpartition("\n")[2]
    if status:
        raise RuntimeError(reason or f"its process ended with status {status}")


def _send(process: subprocess.Popen[bytes], what: object) -> None:
    """Hand something over; a process that does not take it is ended."""
    assert process.stdin is not None
    data, stream = pickle.dumps(what), process.stdin
    _within(process, lambda: (stream.write(data), stream.flush()), STALLED_SECONDS)


def _within(process: subprocess.Popen[bytes], step: Callable[[], Result], limit: float) -> Result:
    watchdog = threading.Timer(limit, process.kill)
    watchdog.start()
    try:
        return step()
    finally:
        watchdog.cancel()


def _main() -> None:
    """Write what comes in: how many vectors and a sample, then pages, then None."""
    if sys.platform != "win32":
        os.nice(10)  # Whoever asks meanwhile goes first.
    count, sample = pickle.load(sys.stdin.buffer)
    write(Path(sys.argv[1]), count, iter(partial(pickle.load, sys.stdin.buffer), None), sample)


if __name__ == "__main__":
    _main()
