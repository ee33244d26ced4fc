"""A server with a token, in a browser: it asks for a password, and with it everything works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, expect

from rag import Settings
from tests.browser.conftest import Serve, Visit, answered
from tests.browser.fakes import KEEPER, FakeAssistant


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[str]:
    settings = Settings(token="open sesame")  # type: ignore[arg-type]
    with serve(FakeAssistant(tmp_path_factory.mktemp("corpus"), settings=settings)) as url:
        yield url


def test_the_page_works_for_who_knows_it(locked: str, visit: Visit) -> None:
    page = visit(locked, http_credentials={"username": "anybody", "password": "open sesame"})
    answered(page, "plain question")
    page.locator("#latest").get_by_role("button", name="2").first.click()
    expect(page.locator("#source mark")).to_have_text(KEEPER)


def test_nobody_else_sees_anything(locked: str, browser: Browser) -> None:
    page = browser.new_page()
    with pytest.raises(Error, match="AUTH"):  # where nobody is there to be asked for the password
        page.goto(locked)
    page.close()
