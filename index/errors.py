"""What can go wrong with a folder of documents and its index, as one tree.

FootnoteError           anything Footnote reports to a person
├── CorpusError         the folder of documents is missing or cannot be read
├── LoadError           one file cannot be read as text; the others go on
├── StoreError          the index folder cannot be used: not writable, damaged, or newer than this version
│   └── LockedError     another process is writing to the index
└── EmbedderError       the embedding model's weights are missing or not the expected ones

`rag.errors` adds the errors of asking to the same root.
"""

from __future__ import annotations


class FootnoteError(Exception):
    """Anything Footnote reports to a person: one sentence that says what, where and what to do."""


class CorpusError(FootnoteError):
    """The folder of documents is missing or cannot be read."""


class LoadError(FootnoteError):
    """One file cannot be read as text."""


class StoreError(FootnoteError):
    """The index folder cannot be used."""


class LockedError(StoreError):
    """Another process is writing to the index."""


class EmbedderError(FootnoteError):
    """The embedding model cannot be made."""
