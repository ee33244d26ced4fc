"""A question to a cited answer, from a folder of documents.

Names are loaded on first use, so that `import rag` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index import (
        Chunk,
        CorpusError,
        Document,
        EmbedderError,
        FootnoteError,
        LockedError,
        ScoredChunk,
        StoreError,
        SyncReport,
    )
    from rag.assistant import Assistant, ask
    from rag.errors import ConfigurationError, ModelError
    from rag.llm.model import LanguageModel
    from rag.retriever import HybridRetriever
    from rag.settings import Settings, load_settings, shipped_seeds
    from rag.trace import Trace
    from rag.types import (
        AbstainReason,
        Answer,
        Citation,
        Claim,
        Completed,
        Event,
        History,
        Retrieved,
        TextDelta,
        Turn,
    )

__all__ = [
    # Ask
    "Assistant",
    "HybridRetriever",
    "LanguageModel",
    "Trace",
    "ask",
    # What comes back
    "AbstainReason",
    "Answer",
    "Citation",
    "Claim",
    "Completed",
    "Event",
    "History",
    "Retrieved",
    "TextDelta",
    "Turn",
    # What the corpus holds
    "Chunk",
    "Document",
    "ScoredChunk",
    "SyncReport",
    # Settings
    "Settings",
    "load_settings",
    "shipped_seeds",
    # What can go wrong
    "ConfigurationError",
    "CorpusError",
    "EmbedderError",
    "FootnoteError",
    "LockedError",
    "ModelError",
    "StoreError",
]

_HOMES = {
    "rag.assistant": ("Assistant", "ask"),
    "rag.errors": ("ConfigurationError", "ModelError"),
    "rag.llm.model": ("LanguageModel",),
    "rag.retriever": ("HybridRetriever",),
    "rag.settings": ("Settings", "load_settings", "shipped_seeds"),
    "rag.trace": ("Trace",),
    "rag.types": (
        "AbstainReason",
        "Answer",
        "Citation",
        "Claim",
        "Completed",
        "Event",
        "History",
        "Retrieved",
        "TextDelta",
        "Turn",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF.get(name, "index")), name)
