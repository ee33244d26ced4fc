"""The nearest vectors from a Chroma server that one writer fills and many readers ask.

The server may stop, hang or come back at any time: every call has a limit, and after a failure it is
left alone for a while.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.chroma import HNSW, apart, settings_class
from index.embedding import Vectors
from index.files import pass_on, read_marker, write_marker
from index.store import Store

if TYPE_CHECKING:
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from chromadb.api.fastapi import FastAPI
    from chromadb.api.models.Collection import Collection

CONNECT_SECONDS, READ_SECONDS, WRITE_SECONDS = 1.0, 3.0, 30.0
"""So long the server may take to be reached, to answer a question, and to take in one batch."""
RETRY_SECONDS = 10.0
"""So long a server that failed is left alone."""
ROWS = 1000
"""Vectors sent or listed at once: the server refuses large requests."""
SYNC_THRESHOLD = 10_000
"""The server writes its graph to disk after so many changes, and replays as many when it starts."""
HISTORY = 100
"""So many states of the store are known by name, for readers that lag behind."""
GONE = 5
"""Vectors are deleted when those held in vain are a fifth of the others."""


class ChromaServer:
    """The vectors that a Chroma server answers for, in one collection for each space.

    Vectors that the store has dropped stay on the server for a while, so that readers of an earlier
    state of the store still find all of theirs; readers pass over what their store does not have.

    Args:
        url: The server's address, such as `http://127.0.0.1:8000`.
        folder: Where the writer notes what it will delete next time.
        store: What the collection is made from.
    """

    def __init__(self, url: str, folder: Path, store: Store) -> None:
        self.problem = ""
        """Why the server does not answer, in words; empty when it does."""
        self._url = url
        self._store = store
        self._gone_file = folder / "gone.json"
        self._lock = threading.Lock()
        self._reading: FastAPI | None = None
        self._collection: Collection | None = None
        self._retry_at = 0.0

    def reload(self) -> None:
        """See at the next question what the writer has sent since."""
        self._collection = None

    @property
    def through(self) -> int:
        """The highest vector id that the server answers for; 0 when it does not."""
        collection = self._open()
        return self._agreed(collection)[-1][1] if collection else 0

    def _agreed(self, collection: Collection) -> list[tuple[str, int]]:
        """Revisions of the store's own past, each with the highest vector id that the server had of it.

        A reader of an earlier state finds the ones before it; a store that was set back, the ones before
        that. Ids above may mean something else there.
        """
        history = json.loads(str((collection.metadata or {}).get("history", "[]")))
        return [(name, through) for name, through in history if self._store.remembers(name)] or [("", 0)]

    def nearest(self, query: Vectors, k: int) -> list[int]:
        """Return the ids of about the k nearest vectors, nearest first, of which some may be gone.

        Args:
            query: One vector of length 1, shape `(dimensions,)`.
            k: How many, at least 1.

        Returns:
            Fewer than k when the server has fewer; none when it does not answer.
        """
        collection = self._open()
        if collection is None:
            return []
        try:
            rows = collection.query(query_embeddings=query[np.newaxis], n_results=k, include=[])
            return [int(vector_id) for vector_id in rows["ids"][0]]
        except BaseException as error:  # noqa: BLE001
            self._failed(error)
            return []

    def _open(self) -> Collection | None:
        with self._lock:
            if self._collection is None and time.monotonic() >= self._retry_at:
                try:
                    self._reading = self._reading or _connected(self._url, READ_SECONDS)
                    self._collection = _collection(self._reading, self._name)
                    self.problem = ""
                except BaseException as error:  # noqa: BLE001
                    self._failed(error)
            return self._collection

    def _failed(self, error: BaseException) -> None:
        """Go on without the server for a while."""
        pass_on(error)
        self._collection = None
        self._retry_at = time.monotonic() + RETRY_SECONDS
        reason = str(error) or type(error).__name__
        self.problem = f"The Chroma server {self._url} does not answer for this index ({reason})."

    @property
    def _name(self) -> str:
        return f"footnote-{hashlib.sha256(self._store.space.encode()).hexdigest()[:32]}"

    def refresh(self) -> None:
        """Send what the server does not have yet; only the writer calls this.

        Cheap while there is nothing to do. After a crash it goes on where it was.
        """
        if not self._store.counts()["vectors"]:
            return
        try:
            api = _connected(self._url, WRITE_SECONDS)
            try:
                api.create_collection(self._name, configuration=_configuration(), get_or_create=True)
                self._fill(_collection(api, self._name))
            finally:
                api._session.close()
        except BaseException as error:  # noqa: BLE001
            self._failed(error)
        else:
            self._retry_at, self.problem = 0.0, ""
            self.reload()

    def _fill(self, collection: Collection) -> None:
        self._delete_noted(collection)
        self._send(collection, self._agreed(collection))
        alive = self._store.counts()["vectors"]
        if collection.count() < alive:  # It has been put back to an earlier state, or lost something.
            self._send(collection, [("", 0)])
        held = collection.count()
        if held < alive:
            raise RuntimeError(f"it keeps {held} of {alive} vectors")
        if held - alive > alive // GONE:
            self._note_gone(collection)

    def _send(self, collection: Collection, agreed: list[tuple[str, int]]) -> None:
        """Send what is newer than the last agreed state, and note with the collection how far that came."""
        revision = self._store.revision
        for ids, vectors in self._store.vectors_after(agreed[-1][1]):
            for start in range(0, len(ids), ROWS):
                rows = slice(start, start + ROWS)
                collection.upsert(ids=[str(i) for i in ids[rows]], embeddings=apart(vectors[rows]))
            history = [*agreed[-HISTORY:], (revision, ids[-1])]
            collection.modify(metadata={"history": json.dumps(history)})

    def _note_gone(self, collection: Collection) -> None:
        """Note which of its vectors the store has dropped, for the next time."""
        gone: list[str] = []
        offset = 0
        while listed := collection.get(limit=ROWS, offset=offset, include=[])["ids"]:
            present = self._store.vectors(int(vector_id) for vector_id in listed)
            gone += [vector_id for vector_id in listed if int(vector_id) not in present]
            offset += ROWS
        write_marker(self._gone_file, {"collection": collection.name, "ids": gone})

    def _delete_noted(self, collection: Collection) -> None:
        """Delete what was gone the last time: by now readers have a state that does without it."""
        noted = read_marker(self._gone_file)
        if noted.get("collection") == collection.name:
            for start in range(0, len(noted["ids"]), ROWS):
                collection.delete(ids=noted["ids"][start : start + ROWS])
        self._gone_file.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the connections."""
        with self._lock:
            api, self._reading, self._collection = self._reading, None, None
            if api is not None:
                api._session.close()


def _connected(url: str, seconds: float) -> FastAPI:
    """Chroma's client for a server, each call of which may take so long; nothing is asked yet.

    Its own client for people asks while it is made, without a limit.
    """
    import httpx
    from chromadb.api.fastapi import FastAPI
    from chromadb.config import System

    settings = settings_class()(
        anonymized_telemetry=False, chroma_server_host=url, chroma_server_http_port=8000
    )
    api = System(settings).instance(FastAPI)
    headers, timeout = api._session.headers, httpx.Timeout(seconds, connect=CONNECT_SECONDS)
    api._session.close()
    api._session = httpx.Client(headers=headers, timeout=timeout, trust_env=False)
    return api


def _collection(api: FastAPI, name: str) -> Collection:
    from chromadb.api.models.Collection import Collection

    return Collection(client=api, model=api.get_collection(name), embedding_function=None)


def _configuration() -> CreateCollectionConfiguration:
    return {"hnsw": {**HNSW, "sync_threshold": SYNC_THRESHOLD}}
