"""What the tests of the server for programs share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.fakes import FakeAssistant
from tests.serving import GRADIO_WARNINGS, serving

SERVED = ("test_api", "test_stop", "test_tools", "test_token")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pass what Gradio warns of."""
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.stem in SERVED:
            for mark in GRADIO_WARNINGS:
                item.add_marker(mark)


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> FakeAssistant:
    """The assistant behind `url`: it answers by the first word of a question."""
    return FakeAssistant(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def url(bot: FakeAssistant) -> Iterator[str]:
    """Where `bot` is served."""
    with serving(bot) as url:
        yield url
