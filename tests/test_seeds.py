"""The corpus that ships is what it was, byte for byte, and nothing else is taken for a document."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from rag import Assistant
from tests.conftest import SEEDS
from tests.fakes import HashEmbedder

SHA256 = {
    "000_477f3b2e05eb3c97.txt": "29f88e7745892ac12f53e3cecd6ae1b62c1ff0daa343e079a684ac1466fdbcf6",
    "001_cde0f0b2bd50a8cd.txt": "1fd038b3834d1ac36ceae36220d967db2f438a161cc1e952cd1e0f48ac1e0a86",
    "002_32aed90a2e2f6126.txt": "81b9fb57280d5fcf15aa9bd7d3f0c7fdef7803767e5268e125b701c1eb0b4ea6",
    "003_91986847445cdae3.txt": "4f7f3adf8755b7f812613a996a5a0665719459ea22a5c835f911dc6c3a22bfe4",
    "004_37abb69529eb422a.txt": "aeab482fe9db0ef844bdc3daf28b78359706d7b6ae2bdb3ae530ac4c2d39aca7",
}

ORDINARY = {
    "After",
    "Connection",
    "Drops",
    "First",
    "Future",
    "Here",
    "Japanese",
    "Make",
    "Open",
    "Power",
    "Reply",
    "Table",
    "This",
}
"""Words that the seeds have with a capital and that are nobody's name."""


@pytest.mark.parametrize("file", SHA256)
def test_a_seed_is_unchanged(file: str) -> None:
    assert hashlib.sha256((SEEDS / file).read_bytes()).hexdigest() == SHA256[file]


def test_only_the_seeds_are_indexed(tmp_path: Path) -> None:
    bot = Assistant(SEEDS, index_dir=tmp_path, embedder=HashEmbedder())
    assert [document.file for document in bot.documents()] == sorted(SHA256)


def test_nothing_else_but_the_note_on_their_origin_lies_there() -> None:
    assert {path.name for path in SEEDS.iterdir()} == {*SHA256, "PROVENANCE"}


def test_no_name_from_the_seeds_is_built_into_the_program() -> None:
    """Whatever answers well here answers well because it reads, not because it was told."""
    root = SEEDS.parent
    text = " ".join((SEEDS / name).read_text(encoding="utf-8") for name in SHA256)
    names = set(re.findall(r"(?<=[a-z,] )[A-Z][a-z]{3,}", text)) - ORDINARY
    modules = [path for package in ("index", "rag", "ui") for path in (root / package).rglob("*.py")]
    for path in modules:
        assert not names & set(re.findall(r"[A-Z][a-z]{3,}", path.read_text())), path
