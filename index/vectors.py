"""Search by meaning: the nearest vectors, from Chroma and, for the newest, exactly.

Chroma is a cache of the store, because its files do not survive a crash while they are written and
a second process does not see what was added. So a *generation* is written once, into a folder of
its own, and published by replacing a small marker file; after that it is only read. Vectors that
came later are few and are compared exactly. Without a sound generation all of them are.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from index.embedding import Vectors
from index.files import pass_on, read_marker, write_marker
from index.store import Store

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.Collection import Collection

COLLECTION = "vectors"
FORMAT = 2
"""Raised whenever the same vectors would be stored differently."""
HNSW: CreateHNSWConfiguration = {
    "space": "cosine",
    "ef_construction": 200,
    "ef_search": 200,
    "max_neighbors": 32,
}
NEWEST = 1000
"""So many vectors, or a tenth of all if that is more, may wait before a generation is made."""


class VectorIndex:
    """The vectors of all chunks.

    Args:
        folder: Where the cache lives; it may be missing.
        store: What it is made from.
    """

    def __init__(self, folder: Path, store: Store, chroma_url: str | None = None) -> None:
        self._folder = folder
        self._store = store
        self._marker_file = folder / "current.json"
        self._lock = threading.RLock()
        self._client: Client | None = None
        self.reload()

    def reload(self) -> None:
        """See what another writer has published or stored since."""
        with self._lock:
            self.close()
            self._marker = read_marker(self._marker_file)
            self._collection: Collection | None = None
            self._usable = (
                self._marker.get("format") == FORMAT and self._marker.get("identity") == self._store.space
            )
            self._exact: tuple[list[int], Vectors] | None = None

    @property
    def sound(self) -> bool:
        """Whether Chroma answers for the vectors of its generation."""
        return self._usable and self._open() is not None

    def search(self, query: Vectors, k: int) -> dict[int, float]:
        """Return at most k vector ids with their cosine to the query, the nearest ones.

        Args:
            query: One vector of length 1, shape `(dimensions,)`.
            k: Largest number of results, at least 1.
        """
        with self._lock:
            near = self._from_chroma(query, k)
            ids, vectors = self._newer()
        if ids:
            cosines = vectors @ query
            near |= {ids[row]: float(cosines[row]) for row in np.argsort(-cosines, kind="stable")[:k]}
        best = sorted(near.items(), key=lambda item: (-item[1], item[0]))[:k]
        return dict(best)

    def _from_chroma(self, query: Vectors, k: int) -> dict[int, float]:
        """Its nearest vectors that the store still has, with exact cosines."""
        collection = self._open()
        if collection is None:
            return {}
        wanted = min(self._marker["count"], k + self._gone())
        try:
            rows = collection.query(query_embeddings=query[np.newaxis], n_results=wanted, include=[])
        except BaseException as error:  # noqa: BLE001
            self._distrust(error)
            return {}
        stored = self._store.vectors(int(vector_id) for vector_id in rows["ids"][0])
        return {vector_id: float(vector @ query) for vector_id, vector in stored.items()}

    def _open(self) -> Collection | None:
        if not self._usable or self._collection is not None:
            return self._collection
        folder = self._folder / str(self._marker.get("generation"))
        try:
            if _checksum(folder) != self._marker["checksum"]:
                raise ValueError(f"{folder} is damaged")
            self._client = _client(folder)
            self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
        except BaseException as error:  # noqa: BLE001
            self._distrust(error)
        return self._collection

    def _distrust(self, error: BaseException) -> None:
        """Go on without Chroma."""
        pass_on(error)
        self._usable, self._collection, self._exact = False, None, None

    def _newer(self) -> tuple[list[int], Vectors]:
        """The vectors that Chroma does not answer for."""
        if self._exact is None:
            pages = list(self._store.vectors_after(self._marker["through"] if self._usable else 0))
            ids = [vector_id for page, _ in pages for vector_id in page]
            self._exact = (
                ids,
                np.concatenate([vectors for _, vectors in pages] or [np.empty((0, 0), np.float32)]),
            )
        return self._exact

    def _gone(self) -> int:
        """How many vectors of the generation the store no longer has."""
        alive = self._store.counts()["vectors"] - len(self._newer()[0])
        return max(0, int(self._marker["count"]) - alive)

    def refresh(self) -> None:
        """Make a new generation if there is no sound one or it has grown old; only the writer calls this."""
        self.reload()
        count = self._store.counts()["vectors"]
        if not count:
            return
        if not self.sound or max(len(self._newer()[0]), self._gone()) > max(NEWEST, count // 10):
            self._make_generation()

    def _make_generation(self) -> None:
        generation = uuid.uuid4().hex
        folder = self._folder / generation
        try:
            count, through = self._write(folder)
        except BaseException as error:  # noqa: BLE001
            shutil.rmtree(folder, ignore_errors=True)
            self._distrust(error)
        else:
            self._publish(generation, count, through)

    def _write(self, folder: Path) -> tuple[int, int]:
        """Fill a new folder; return how many vectors it holds and the highest id."""
        folder.mkdir(parents=True)
        count, through = 0, 0
        client = _client(folder)
        try:
            collection = client.create_collection(
                COLLECTION, configuration={"hnsw": HNSW}, embedding_function=None
            )
            size = client.get_max_batch_size()
            for ids, vectors in self._store.vectors_after(0):
                for start in range(0, len(ids), size):
                    rows = slice(start, start + size)
                    collection.upsert(ids=[str(i) for i in ids[rows]], embeddings=vectors[rows])
                count, through = count + len(ids), ids[-1]
            if collection.count() != count:
                raise RuntimeError(f"Chroma keeps {collection.count()} of {count} vectors.")
        finally:
            client.close()
        return count, through

    def _publish(self, generation: str, count: int, through: int) -> None:
        marker = {
            "format": FORMAT,
            "identity": self._store.space,
            "generation": generation,
            "count": count,
            "through": through,
            "checksum": _checksum(self._folder / generation),
        }
        old = self._marker.get("generation")
        write_marker(self._marker_file, marker)
        self.reload()
        for other in self._folder.iterdir():
            if other.is_dir() and other.name not in (generation, old):
                shutil.rmtree(other, ignore_errors=True)

    def close(self) -> None:
        """Release Chroma's files."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _checksum(folder: Path) -> str:
    """Digest of a generation's graph files: Chroma trusts them blindly, and crashes or misses vectors.

    Without the metadata, in a small generation, there is no graph yet, and Chroma ignores the files.
    """
    digest = hashlib.sha256()
    for metadata in folder.glob("*/index_metadata.pickle"):
        for file in sorted(metadata.parent.iterdir()):
            with file.open("rb") as stream:
                digest.update(file.name.encode() + hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _client(folder: Path) -> Client:
    import chromadb
    from chromadb.config import Settings

    # A `.env` file in the working folder must not decide where vectors go.
    settings = Settings(anonymized_telemetry=False, _env_file=None)
    client = chromadb.PersistentClient(path=folder, settings=settings)
    return cast("Client", client)
