"""From a footnote to the lit passage: by mouse, by keyboard, on a phone, in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit, answered
from tests.browser.fakes import FILES, KEEPER, LIGHTHOUSE, FakeAssistant

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "reduced_motion": "reduce",
}


def lit(page: Page, quote: str) -> Locator:
    """Return the mark once it shows the quote inside the visible part of the source pane."""
    mark = page.locator("#source mark")
    expect(mark).to_have_text(quote)
    expect(mark).to_be_in_viewport(ratio=1)
    return mark


def test_a_click_lights_the_passage_in_its_whole_document(page: Page) -> None:
    answered(page, "plain question")
    first, second = page.locator("#latest button.footnote").all()
    first.click()
    lit(page, LIGHTHOUSE)
    expect(page.locator("#source h2")).to_have_text("Source: Harbour log")
    expect(page.locator("#source header .detail")).to_have_text("harbour/log.txt")
    assert page.locator("#source .text").inner_text() == FILES["harbour/log.txt"]
    second.click()
    lit(page, KEEPER)
    expect(second).to_have_class("footnote open-cite-1-2 current")
    expect(first).to_have_class("footnote open-cite-1-1")
    page.locator("#latest .sources button").first.click()
    lit(page, LIGHTHOUSE)


def test_hover_shows_the_quote(page: Page) -> None:
    answered(page, "plain question")
    tip = page.locator("#quote-tip")
    expect(tip).to_be_hidden()
    page.locator("#latest button.footnote").first.hover()
    expect(tip).to_have_text(LIGHTHOUSE)
    expect(tip).to_be_in_viewport(ratio=1)
    page.locator("#composer").hover()
    expect(tip).to_be_hidden()


def test_everything_works_from_the_keyboard(page: Page) -> None:
    answered(page, "plain question")
    footnote = page.get_by_role("button", name="Footnote 2 opens Harbour log")
    expect(footnote).to_have_accessible_description(KEEPER)
    page.get_by_role("button", name="Footnote 1 opens Harbour log").focus()
    page.keyboard.press("Tab")
    expect(footnote).to_be_focused()
    assert footnote.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    expect(page.locator("#quote-tip")).to_have_text(KEEPER)
    page.keyboard.press("Escape")
    expect(page.locator("#quote-tip")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(lit(page, KEEPER)).to_be_focused()
    expect(page.locator("#announcer")).to_contain_text("Opened Source: Harbour log")
    page.keyboard.press("Escape")
    expect(footnote).to_be_focused()


def test_files_can_be_opened_before_anything_is_asked(page: Page) -> None:
    page.locator("#source .files button").nth(1).click()
    expect(page.locator("#source .text")).to_have_text(FILES["letters.txt"], use_inner_text=True)
    expect(page.locator("#source mark")).to_have_count(0)
    page.get_by_role("button", name="All files").click()
    expect(page.locator("#source .files li")).to_have_count(2)


def test_on_a_phone_the_source_is_a_sheet_with_a_way_back(visit: Visit, url: str) -> None:
    page = visit(url, **PHONE)
    expect(page.locator("#source")).to_be_hidden()
    answered(page, "plain question")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    footnote = page.locator("#latest button.footnote").first
    width, height = footnote.evaluate(
        "b => { const hit = getComputedStyle(b, '::before'); return [parseFloat(hit.width), parseFloat(hit.height)] }"
    )
    assert min(width, height) >= 24
    footnote.tap()
    lit(page, LIGHTHOUSE)
    assert page.locator("#source").bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    page.get_by_role("button", name="Back to the chat").evaluate("back => { back.click(); back.click() }")
    expect(page.locator("#source")).to_be_hidden()
    expect(page.locator("#latest .answer")).to_be_visible()  # the second tap did not leave the page
    footnote.tap()
    lit(page, LIGHTHOUSE)
    page.go_back()
    expect(page.locator("#source")).to_be_hidden()
    expect(page.locator("#latest .answer")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(visit: Visit, url: str, scheme: str) -> None:
    page = visit(url, color_scheme=scheme)
    answered(page, "plain question")
    page.locator("#latest button.footnote").first.click()
    lit(page, LIGHTHOUSE)
    assert (luminance(page, "#layout", "color") > 0.5) is (scheme == "dark")
    for selector, ground in [
        ("#latest .answer p", "body"),
        ("#latest .facts", "body"),
        ("#latest button.footnote >> nth=1", "#latest button.footnote >> nth=1"),
        ("#source .text", "#source"),
        ("#source mark", "#source mark"),
        ("#source header .detail", "#source"),
    ]:
        pair = luminance(page, selector, "color"), luminance(page, ground, "backgroundColor")
        assert (max(pair) + 0.05) / (min(pair) + 0.05) >= 4.5, selector


def luminance(page: Page, selector: str, what: str) -> float:
    """Return the relative luminance, as WCAG defines it, of an element's colour."""
    written = page.locator(selector).first.evaluate(f"element => getComputedStyle(element).{what}")
    channels = [int(part) / 255 for part in written.partition("(")[2].rstrip(")").split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_file_changed_since_the_answer_is_opened_with_a_notice(page: Page, bot: FakeAssistant) -> None:
    answered(page, "plain question")
    before = bot.files
    bot.files = {**before, "harbour/log.txt": f"A new line.\n{before['harbour/log.txt']}"}
    page.locator("#latest button.footnote").first.click()
    lit(page, LIGHTHOUSE)
    bot.files = {**before, "harbour/log.txt": "Rewritten."}
    page.locator("#latest button.footnote").first.click()
    expect(page.locator("#source .notice")).to_contain_text("has changed since")
    bot.files = {"letters.txt": before["letters.txt"]}
    page.locator("#latest button.footnote").first.click()
    expect(page.locator("#source")).to_contain_text("can no longer be opened")
    bot.files = before
