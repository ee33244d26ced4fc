"""The whole way, nothing faked: the shipped documents, a question, the sentence in its file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from rag import Assistant, shipped_seeds
from tests.browser.conftest import Serve, answered

QUESTION = "When did Ishiba and Trump speak by phone, and how long was the call?"


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    bot = Assistant(shipped_seeds(), index_dir=tmp_path_factory.mktemp("index"))
    bot.sync()
    return bot


@pytest.fixture(scope="module")
def url(bot: Assistant, serve: Serve) -> Iterator[str]:
    with serve(bot) as url:
        yield url


def test_every_footnote_opens_the_passage_it_rests_on(page: Page, bot: Assistant) -> None:
    answered(page, QUESTION)
    answer = bot.ask(QUESTION)
    buttons = page.locator("#latest .sources button")
    expect(buttons).to_have_count(len(answer.citations))
    for citation, button in zip(answer.citations, buttons.all(), strict=True):
        button.click()
        expect(page.locator("#source mark")).to_have_text(citation.quote, use_inner_text=True)
        expect(page.locator("#source mark")).to_be_in_viewport()
        expect(page.locator("#source header .detail")).to_have_text(citation.file)
        assert bot.document(citation.file).text[citation.start : citation.end] == citation.quote


def test_what_the_files_do_not_hold_is_not_answered(page: Page) -> None:
    answered(page, "What is the boiling point of tungsten?")
    expect(page.locator("#latest .turn.abstained")).to_be_visible()
    expect(page.locator("#latest button.footnote")).to_have_count(0)
