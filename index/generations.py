"""The nearest vectors from Chroma on this machine, a generation at a time.

Chroma's files do not survive a crash while they are written, and a second process does not see what
was added. So a *generation* is written once, into a folder of its own, and published by replacing a
small marker file; after that it is only read. The next one extends a copy of it.
"""

from __future__ import annotations

import shutil
import threading
import time
import uuid
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.chroma import COLLECTION, Page, checksum, copy, local_client, write, write_apart
from index.embedding import Vectors
from index.files import pass_on, read_marker, write_marker
from index.store import Store

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

FORMAT = 3
"""Raised whenever the same vectors would be stored differently."""
NEWEST, MOST = 1000, 100_000
"""Vectors that may wait before a generation is made: a tenth of all, within these bounds."""
GONE = 5
"""A generation is made anew from all when the vectors it holds in vain are a fifth of the others."""
SMALL = 5000
"""Fewer vectors are written in this process: that is done before another one has started."""
SAMPLE = 200
BYTES = 6
"""Room that one number of a vector takes while a generation is written."""
RETRY_SECONDS = 60.0
"""So long a generation that failed is left alone."""


class Generations:
    """The vectors that Chroma's files answer for.

    Args:
        folder: Where the generations live; it may be missing.
        store: What they are made from.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self._unusable = self._unmade = ""
        self._folder = folder
        self._store = store
        self._marker_file = folder / "current.json"
        self._lock = threading.RLock()
        self._client: Client | None = None
        self._collection: Collection | None = None
        self._retry_at = 0.0
        self._marker = read_marker(self._marker_file)
        self._judged = ("", False)
        self._verified: list[tuple[str, int, int]] | None = None

    def reload(self) -> None:
        """See what has been published since; without a new marker this costs nothing."""
        marker = read_marker(self._marker_file)
        with self._lock:
            if marker != self._marker:
                self.close()
                self._marker, self._retry_at = marker, 0.0
                self._unusable = self._unmade = ""
                self._judged = "", False

    @property
    def problem(self) -> str:
        """Why Chroma does not answer or is not up to date, in words; empty when all is well."""
        return self._unusable or self._unmade

    @property
    def through(self) -> int:
        """The highest vector id of the generation that answers; 0 when none does."""
        with self._lock:
            return int(self._marker["through"]) if self._open() else 0

    def nearest(self, query: Vectors, k: int) -> list[int]:
        """Return the ids of about the k nearest vectors, nearest first, of which some may be gone.

        Args:
            query: One vector of length 1, shape `(dimensions,)`.
            k: How many, at least 1.

        Returns:
            Fewer than k when the generation has fewer; none when it does not answer.
        """
        with self._lock:
            collection = self._open()
            if collection is None:
                return []
            wanted = min(k, self._marker["count"])
            try:
                rows = collection.query(query_embeddings=query[np.newaxis], n_results=wanted, include=[])
                return [int(vector_id) for vector_id in rows["ids"][0]]
            except BaseException as error:  # noqa: BLE001
                self._distrust(error)
                return []

    def _open(self) -> Collection | None:
        if not self._ours():
            return None
        if self._collection is None:
            try:
                self._verify()
                self._client = local_client(self._folder / self._marker["generation"])
                self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
                self._unusable = ""
            except BaseException as error:  # noqa: BLE001
                self._distrust(error)
        return self._collection

    def _ours(self) -> bool:
        """Whether there is a generation of the store's vectors that has not just failed."""
        revision = self._store.revision
        if self._judged[0] != revision:
            fits = self._marker.get("format") == FORMAT and self._marker.get("space") == self._store.space
            # A torn log may have taken vectors with it, whose ids others have now.
            self._judged = revision, fits and self._store.remembers(self._marker.get("revision"))
        return self._judged[1] and time.monotonic() >= self._retry_at

    def _verify(self) -> None:
        if checksum(self._folder / str(self._marker["generation"])) != self._marker["checksum"]:
            raise ValueError("its files are damaged")

    def _whole(self) -> bool:
        """Whether the generation can be used, as far as that is known without loading Chroma."""
        with self._lock:
            if self._ours() and self._collection is None:
                try:
                    seen = _seen(self._folder / self._marker["generation"])
                    if (
                        seen != self._verified
                    ):  # Reading all of a large one takes longer than the rest of a sync.
                        self._verify()
                        self._verified = seen
                except BaseException as error:  # noqa: BLE001
                    self._distrust(error)
            return self._ours()

    def _distrust(self, error: BaseException) -> None:
        """Go on without Chroma."""
        pass_on(error)
        self.close()
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._unusable = (
            f"Chroma's files in {self._folder} cannot be used ({error}): index again to mend them."
        )

    def refresh(self) -> None:
        """Make a new generation if there is no sound one or it has grown old; only the writer calls this.

        Cheap while there is nothing to do. Searching goes on meanwhile.
        """
        self.reload()
        alive = self._store.counts()["vectors"]
        through = int(self._marker["through"]) if self._whole() else 0
        newer = self._store.newer(through)
        gone = int(self._marker["count"]) - (alive - newer) if through else 0
        if (alive and not through) or gone > max(NEWEST, alive // GONE):
            self._make(base=None, after=0)
        elif newer > min(max(NEWEST, alive // 10), MOST):
            self._make(base=self._folder / self._marker["generation"], after=through)

    def _make(self, base: Path | None, after: int) -> None:
        """Publish a generation: all vectors, or a copy of an earlier one and what came after it."""
        folder = self._folder / uuid.uuid4().hex
        added, through, sample = self._survey(after)
        count = added + (int(self._marker["count"]) if base else 0)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _ensure_room(self._folder, (count + added) * sample[1].shape[1] * BYTES)
            if base:
                copy(base, folder)
            else:
                folder.mkdir()
            by = write if added < SMALL else write_apart
            by(folder, added, self._store.vectors_after(after), sample)
            self._publish(folder, count, through)
            self.reload()
        except BaseException as error:  # noqa: BLE001
            shutil.rmtree(folder, ignore_errors=True)
            pass_on(error)
            self._unmade = f"Chroma's files in {self._folder} could not be made ({error})."

    def _survey(self, after: int) -> tuple[int, int, Page]:
        """How many vectors there are above an id, the highest id, and some of them and of the oldest ones."""
        step = self._store.counts()["vectors"] // SAMPLE + 1
        oldest = islice(self._store.vectors_after(0), 1 if after else 0)
        sample = [(ids[::step], vectors[::step]) for ids, vectors in oldest]
        added, through = 0, after
        for ids, vectors in self._store.vectors_after(after):
            added, through = added + len(ids), ids[-1]
            sample.append((ids[::step], vectors[::step]))
        sampled = [vector_id for ids, _ in sample for vector_id in ids]
        return added, through, (sampled, np.concatenate([vectors for _, vectors in sample]))

    def _publish(self, folder: Path, count: int, through: int) -> None:
        marker = {
            "format": FORMAT,
            "space": self._store.space,
            "revision": self._store.revision,
            "generation": folder.name,
            "count": count,
            "through": through,
            "checksum": checksum(folder),
        }
        old = self._marker.get("generation")
        write_marker(self._marker_file, marker)
        for other in self._folder.iterdir():
            if other.is_dir() and other.name not in (folder.name, old):
                shutil.rmtree(other, ignore_errors=True)

    def close(self) -> None:
        """Release Chroma's files."""
        with self._lock:
            client, self._client, self._collection = self._client, None, None
            if client is not None:
                client.close()


def _seen(folder: Path) -> list[tuple[str, int, int]]:
    """What tells one state of a folder's files from another: their sizes and times."""
    files = ((file, file.stat()) for file in sorted(folder.rglob("*")))
    return [(str(file), stat.st_size, stat.st_mtime_ns) for file, stat in files]


def _ensure_room(folder: Path, wanted: int) -> None:
    """Fail before Chroma does: on a full disk it may wait for ever."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise OSError(f"{wanted >> 20} MB are needed and {free >> 20} MB are free")
