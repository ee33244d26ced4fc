"""Stores filled by hand, one chunk per text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from index.chunking import split
from index.embedding import Vectors
from index.store import Store, embedded_text
from index.types import Document

TITLE = "Notes"
EMBEDDER = "test"


def open_store(folder: Path) -> Store:
    return Store(folder / "store.sqlite", EMBEDDER)


def put(store: Store, texts: Mapping[str, str], vectors: Vectors | None = None) -> list[int]:
    """Add documents, all with the same title, each with one vector; return the ids of their chunks."""
    if vectors is None:
        vectors = np.ones((len(texts), 1), np.float32)
    with store.change():
        for (file, text), vector in zip(texts.items(), vectors, strict=True):
            document = Document(file=file, text=text, title=TITLE)
            pieces = split(document)
            store.put([(document, pieces)])
            embedded = [embedded_text(file, TITLE, text[piece.start : piece.end]) for piece in pieces]
            store.add_vectors(embedded, np.stack([vector] * len(pieces)), EMBEDDER)
    return sorted(store.chunk_ids(texts))


def remove(store: Store, files: Sequence[str]) -> list[int]:
    """Remove documents and return the ids their chunks had."""
    ids = store.chunk_ids(files)
    with store.change():
        store.remove(files)
    store.tidy()
    return ids
