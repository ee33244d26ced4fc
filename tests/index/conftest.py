"""What the tests of the index share."""

from __future__ import annotations

import pytest

from index.vectors import VectorIndex


@pytest.fixture
def without_chroma(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let vectors be compared exactly: making a generation takes most of a second each time.

    What Chroma adds is tested in `test_vectors.py` alone.
    """
    monkeypatch.setattr(VectorIndex, "refresh", VectorIndex.reload)
