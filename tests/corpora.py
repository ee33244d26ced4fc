"""Small folders of documents and assistants over them, with vectors that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rag import Assistant
from tests.fakes import HashEmbedder

BAKERY = (
    "The bakery of Bergen\n\n"
    "Ann Lee was born in Oslo in 1950. She opened a bakery in Bergen in 1982.\n\n"
    "The bakery sells rye bread and cinnamon buns. It employs twelve people.\n"
)
HARBOUR = (
    "# Harbour news\n\n"
    "The ferry to Stavanger leaves at noon. A new lighthouse was built by Ivar Berg in 2004.\n\n"
    "Fishing boats return before dusk.\n"
)
TOWN: dict[str, str | bytes] = {"bakery.txt": BAKERY, "news/harbour.md": HARBOUR}


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Put files into a folder, which is made when missing; texts as UTF-8, line ends as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def assistant(folder: Path, files: Mapping[str, str | bytes]) -> Assistant:
    """Return an assistant over some files in `folder/corpus`, its index beside them."""
    corpus = write(folder / "corpus", files)
    return Assistant(corpus, index_dir=folder / "index", embedder=HashEmbedder())
