"""Questions to begin with, made from the documents themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from rag import Document

_NAME = re.compile(r"\b[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,}){1,2}\b")
_TITLE = 60


def starters(documents: Iterable[Document], count: int = 4) -> list[str]:
    """Return up to `count` questions: what it is all about, then shared names, then titles."""
    sample = list(documents)
    if not sample:
        return []
    names = [f"What do the files say about {name}?" for name in _shared_names(sample)]
    titles = [f"What does “{d.title}” say?" for d in sample if 0 < len(d.title.strip()) <= _TITLE]
    return ["What are these files about?", *names, *titles][:count]


def _shared_names(documents: Iterable[Document]) -> list[str]:
    """Return names that stand in at least two documents, the most widespread first."""
    files, uses = Counter[str](), Counter[str]()
    for document in documents:
        names = Counter(_NAME.findall(document.text[:20_000]))
        uses.update(names)
        files.update(names.keys())
    shared = [name for name, number in files.items() if number > 1]
    return sorted(shared, key=lambda name: (-files[name], -uses[name], name))
