"""A real Chromium, the page served on a free port, and a watch on everything the page does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.browser.fakes import FakeAssistant
from tests.serving import GRADIO_WARNINGS, serving

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 20_000

Serve = Callable[[Any], AbstractContextManager[str]]
Visit = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let pass what Gradio warns of."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            for mark in GRADIO_WARNINGS:
                item.add_marker(mark)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one module."""
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, _NAMES)), None)
        path = found or playwright.chromium.executable_path
        if not Path(path).exists():
            pytest.skip("no Chromium here: install the Debian package `chromium` to run the browser tests")
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def serve() -> Serve:
    """Serve assistants on free ports."""
    return serving


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> FakeAssistant:
    """The assistant behind `url`."""
    return FakeAssistant(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def url(bot: FakeAssistant, serve: Serve) -> Iterator[str]:
    """Where the page of `bot` is."""
    with serve(bot) as url:
        yield url


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A desktop profile whose cache the tests of a module share; a page is a session all the same."""
    with _context(browser) as context:
        yield context


@pytest.fixture
def visit(browser: Browser, profile: BrowserContext) -> Iterator[Visit]:
    """Open pages; with options (those of a Playwright context), in a profile of their own.

    Afterwards every page must have talked to its own server only and said nothing in the console.
    """
    watch = _Watch()
    with ExitStack() as opened:

        def visiting(url: str, **options: Any) -> Page:
            context = opened.enter_context(_context(browser, **options)) if options else profile
            page = context.new_page()
            opened.callback(page.close)
            watch.add(page, url)
            page.goto(url)
            page.locator(".welcome").wait_for()
            return page

        yield visiting
        assert watch.complaints == []


@contextmanager
def _context(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(visit: Visit, url: str) -> Page:
    """The page of `bot` on a desktop."""
    return visit(url)


class _Watch:
    def __init__(self) -> None:
        self.complaints: list[str] = []

    def add(self, page: Page, url: str) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.complaints.append(f"console: {message.text}")

        def request(request: Request) -> None:
            if not request.url.startswith((url, "data:", "blob:")):
                self.complaints.append(f"foreign request: {request.url}")

        page.on("console", console)
        page.on("request", request)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))


def ask(page: Page, question: str) -> None:
    """Type a question and send it, as soon as the page takes one."""
    box = page.get_by_role("textbox", name="Question")
    box.fill(question)
    for _ in range(PATIENCE_MS // 500):
        page.keyboard.press("Enter")
        try:
            expect(box).to_have_value("", timeout=500)
        except AssertionError:
            continue
        return
    raise AssertionError("the page takes no question")


def answered(page: Page, question: str) -> None:
    """Ask and wait until the answer is complete."""
    ask(page, question)
    expect(page.locator("#latest .turn.done .question")).to_contain_text(question)
