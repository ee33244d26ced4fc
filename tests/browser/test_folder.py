"""The page and its folder: what is skipped, what is still being read, what comes and goes meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rag import Assistant
from tests.browser.conftest import Serve, Visit, answered
from tests.browser.fakes import KEEPER, FakeAssistant
from tests.corpora import TOWN, write
from tests.fakes import HashEmbedder
from tests.index import samples

ROOT = Path(__file__).parents[2]
READING = (
    "1,204 of 10,000 new or changed files have been read so far: what stands in the others is missing here."
)
INDEXED_ELSEWHERE = """
import sys
from rag import Assistant
from tests.fakes import HashEmbedder
with Assistant(sys.argv[1], index_dir=sys.argv[2], embedder=HashEmbedder()) as bot:
    print(bot.sync().skipped)
"""


@pytest.fixture
def folder(bot: FakeAssistant) -> Iterator[FakeAssistant]:
    """The folder of `bot`, which the test may change."""
    before = dict(bot.files)
    yield bot
    bot.files, bot.skipped_files, bot.lacking = before, {}, ()
    bot.revision += "'"


def test_what_is_skipped_is_listed_with_the_reason(folder: FakeAssistant, visit: Visit, url: str) -> None:
    folder.skipped_files = {"old map.pdf": "it is encrypted"}
    page = visit(url)
    expect(page.locator("#source h3")).to_have_text("Not searched")
    expect(page.locator("#source .skipped li")).to_have_text("old map.pdf it is encrypted")


def test_while_files_are_read_a_quiet_line_says_so(folder: FakeAssistant, page: Page) -> None:
    status = page.locator("#top .status")
    expect(status).to_have_count(0)
    folder.lacking = (READING,)
    expect(status).to_have_text(READING)
    answered(page, "plain question")
    folder.lacking = ()
    expect(status).to_have_count(0)
    expect(page.locator("#latest .turn.done")).to_be_visible()


def test_a_file_that_comes_appears_in_the_list_and_takes_no_focus(folder: FakeAssistant, page: Page) -> None:
    expect(page.locator("#source .files li")).to_have_count(2)
    page.locator("#question textarea").focus()
    folder.files = {**folder.files, "new.txt": "A new file\n\nNews."}
    folder.revision = "second"
    expect(page.locator("#source .files li")).to_have_count(3)
    expect(page.locator("#top .folder")).to_contain_text("3 files")
    expect(page.locator("#question textarea")).to_be_focused()
    page.get_by_role("button", name="A new file").click()
    expect(page.locator("#source h2")).to_contain_text("A new file")


def test_an_open_document_stays_open_when_files_come(folder: FakeAssistant, page: Page) -> None:
    answered(page, "plain question")
    page.locator("#latest .sources button").nth(1).click()
    expect(page.locator("#source mark")).to_have_text(KEEPER)
    folder.files = {**folder.files, "new.txt": "A new file"}
    folder.revision = "third"
    expect(page.locator("#top .folder")).to_contain_text("3 files")
    expect(page.locator("#source mark")).to_be_focused()
    page.get_by_role("button", name="All files").click()
    expect(page.locator("#source .files li")).to_have_count(3)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Assistant]:
    """An assistant that follows its folder."""
    corpus = write(tmp_path / "corpus", TOWN)
    with Assistant(corpus, index_dir=tmp_path / "index", embedder=HashEmbedder()) as bot:
        bot.follow()
        bot.ready()
        yield bot


def test_a_folder_that_was_empty_can_be_asked_as_soon_as_there_is_a_file(
    tmp_path: Path, visit: Visit, serve: Serve
) -> None:
    corpus = write(tmp_path / "corpus", {})
    with Assistant(corpus, index_dir=tmp_path / "index", embedder=HashEmbedder()) as bot, serve(bot) as url:
        bot.follow()
        page = visit(url)
        expect(page.locator(".welcome h2")).to_have_text("Nothing to ask yet")
        write(corpus, TOWN)
        expect(page.locator(".welcome h2")).to_have_text("Ask these files")
        answered(page, "Who was born in Oslo in 1950?")
        expect(page.locator("#latest button.footnote")).to_have_count(1)


def test_a_passage_of_a_pdf_is_cited_with_its_page_and_shown_there(
    tmp_path: Path, visit: Visit, serve: Serve
) -> None:
    pages = "The harbour of Odda was built in 1911.", "", "The mayor of Odda is Liv Dahl."
    corpus = write(tmp_path / "corpus", {"odda.pdf": samples.pdf(*pages, title="On Odda")})
    with Assistant(corpus, index_dir=tmp_path / "index", embedder=HashEmbedder()) as bot, serve(bot) as url:
        page = visit(url)
        answered(page, "Who is the mayor of Odda?")
        expect(page.locator("#latest .sources .detail")).to_contain_text("odda.pdf, page 3")
        page.locator("#latest button.footnote").click()
        expect(page.locator("#source mark")).to_have_text("The mayor of Odda is Liv Dahl.")
        expect(page.locator("#source header .detail")).to_contain_text("odda.pdf, page 3")
        expect(page.locator("#source .text .page")).to_have_text(["Page 1", "Page 3"])


@pytest.mark.parametrize("indexed_by", ["the page", "another process"])
def test_a_new_file_can_be_asked_within_five_seconds(
    town: Assistant, visit: Visit, serve: Serve, indexed_by: str
) -> None:
    with serve(town) as url:
        page = visit(url)
        answered(page, "Who is the mayor of Odda?")
        expect(page.locator("#latest .turn.abstained")).to_be_visible()
        write(town.corpus, {"odda.txt": "The mayor of Odda is Liv Dahl."})
        if indexed_by == "another process":
            command = [sys.executable, "-c", INDEXED_ELSEWHERE, town.corpus, town.index_dir]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        there = time.monotonic()
        while "odda.txt" not in {scored.chunk.file for scored in town.retrieve("Liv Dahl")}:
            assert time.monotonic() - there < 5
        answered(page, "Who is the mayor of Odda?")
        expect(page.locator("#latest .answer")).to_contain_text("Liv Dahl")
        expect(page.locator("#source .files")).to_contain_text("odda.txt")
