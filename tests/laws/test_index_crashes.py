"""Law: the index equals the folder, whatever happened to the folder and wherever a sync broke off."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from index import FootnoteError
from index.embedding import Kind, Vectors
from tests.fakes import HashEmbedder
from tests.laws.test_index_state import Folder


class CrashError(BaseException):
    """The process ends here: nothing may catch this and go on."""


class Fuse:
    """Burns through at the given step of its kind."""

    def __init__(self) -> None:
        self.kind, self.left = "", 0

    def light(self, kind: str, left: int) -> None:
        self.kind, self.left = kind, left

    def step(self, kind: str) -> None:
        if kind == self.kind:
            self.left -= 1
            if self.left == 0:
                raise CrashError(kind)


FUSE = Fuse()


class FusedConnection(sqlite3.Connection):
    """A connection to SQLite that may crash just before and just after it keeps what was written."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.strip().upper().startswith(("COMMIT", "END")):
            FUSE.step("before a commit")
            cursor = super().execute(sql, *parameters)
            FUSE.step("after a commit")
            return cursor
        return super().execute(sql, *parameters)


def fused_embed(embedder: HashEmbedder, texts: Sequence[str], *, kind: Kind) -> Vectors:
    FUSE.step("embedding")
    return _embed(embedder, texts, kind=kind)


def fused_connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
    return _connect(*arguments, **{"factory": FusedConnection} | options)


def fused_replace(path: Path, target: Path) -> Path:
    FUSE.step("replacing a file")
    return _replace(path, target)


_connect, _replace, _embed = sqlite3.connect, Path.replace, HashEmbedder.embed
KINDS = ["embedding", "before a commit", "after a commit", "replacing a file"]


class Crashes(Folder):
    """As `Folder`, and any sync may break off at any step that leaves a trace."""

    def __init__(self) -> None:
        super().__init__()
        self.patch.setattr(sqlite3, "connect", fused_connect)
        self.patch.setattr(Path, "replace", fused_replace)
        self.patch.setattr(HashEmbedder, "embed", fused_embed)
        self.open_again()

    @initialize()
    def nothing_burns(self) -> None:
        FUSE.light("", 0)

    @rule(kind=st.sampled_from(KINDS), step=st.integers(1, 4), again=st.booleans())
    def crash(self, kind: str, step: int, again: bool) -> None:
        """Break off a sync; whoever opens the index next, or goes on with it, finds it sound."""
        FUSE.light(kind, step)
        try:
            self.index.sync()
        except (CrashError, FootnoteError):  # What breaks inside a cache is told to people.
            assert FUSE.left == 0
        finally:
            FUSE.light("", 0)
        if again:
            self.open_again()


class ManyCrashes(Crashes):
    """The same, for minutes."""


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


TestCrashes = Crashes.TestCase
TestCrashes.settings = _settings(8)
TestManyCrashes = pytest.mark.heavy(ManyCrashes.TestCase)
TestManyCrashes.settings = _settings(150)
