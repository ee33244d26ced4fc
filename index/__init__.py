"""A folder of files as a searchable index."""

from index.core import Candidate, Index
from index.embedders import make_embedder
from index.embedding import Embedder, MiniLM
from index.errors import CorpusError, EmbedderError, FootnoteError, LoadError, LockedError, StoreError
from index.keeper import LOOK_SECONDS, Keeper, State
from index.loaders import format_of
from index.sync import SyncReport
from index.types import Chunk, Document, Progress, ScoredChunk, Span
from index.watch import Watcher

__all__ = [
    # Open and search
    "Candidate",
    "Index",
    # Keep it equal to the folder
    "LOOK_SECONDS",
    "Keeper",
    "Progress",
    "State",
    "SyncReport",
    "Watcher",
    # What it holds
    "Chunk",
    "Document",
    "ScoredChunk",
    "Span",
    "format_of",
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
