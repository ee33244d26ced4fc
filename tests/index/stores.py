"""Stores filled by hand, one chunk per text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from index.chunking import split
from index.embedding import Vectors
from index.store import Store
from index.types import Document

TITLE = "Notes"


def open_store(folder: Path) -> Store:
    return Store(folder / "store.sqlite", "test")


def put(store: Store, texts: Mapping[str, str], vectors: Vectors | None = None) -> list[int]:
    """Add documents, all with the same title, and return the ids of their chunks."""
    if vectors is None:
        vectors = np.ones((len(texts), 1), np.float32)
    ids = []
    with store.transaction():
        vector_ids = store.add_vectors([f"{file}\n{text}" for file, text in texts.items()], vectors)
        for (file, text), vector_id in zip(texts.items(), vector_ids.values(), strict=True):
            document = Document(file=file, text=text, title=TITLE)
            pieces = split(document)
            ids += store.put(document, pieces, [vector_id] * len(pieces))
        store.raise_revision()
    return ids


def remove(store: Store, files: Sequence[str]) -> list[int]:
    """Remove documents and return the ids their chunks had."""
    ids = store.chunk_ids(files)
    with store.transaction():
        store.remove(files)
        store.raise_revision()
    return ids
