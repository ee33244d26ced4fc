"""A folder of files as a searchable index."""

from index.core import Candidate, Index
from index.embedders import make_embedder
from index.embedding import Embedder, MiniLM
from index.errors import CorpusError, EmbedderError, FootnoteError, LoadError, LockedError, StoreError
from index.sync import SyncReport
from index.types import Chunk, Document, ScoredChunk, Span

__all__ = [
    # Open and search
    "Candidate",
    "Index",
    # What it holds
    "Chunk",
    "Document",
    "ScoredChunk",
    "Span",
    "SyncReport",
    # How texts become vectors
    "Embedder",
    "MiniLM",
    "make_embedder",
    # What can go wrong
    "CorpusError",
    "EmbedderError",
    "FootnoteError",
    "LoadError",
    "LockedError",
    "StoreError",
]
