"""Several tabs at once: none waits for another, none sees what another was told."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit, answered, ask
from tests.browser.fakes import FakeAssistant


def test_tabs_neither_mix_nor_wait(visit: Visit, url: str, bot: FakeAssistant) -> None:
    one, two = visit(url), visit(url, color_scheme="dark")
    ask(one, "slow secret of one")
    bot.step()
    expect(one.locator("#latest .answer")).to_have_text("The")
    answered(two, "open word of two")
    answered(two, "second word of two")
    assert [question for question, _ in bot.histories[-1]] == ["open word of two"]
    two.locator("#latest button.footnote").first.click()
    expect(two.locator("#source mark")).to_be_visible()
    expect(one.locator("#source mark")).to_have_count(0)
    bot.step(len(bot.text.split(" ")) + 6)
    expect(one.locator("#latest .turn.done")).to_be_visible()
    expect(one.locator(".turn")).to_have_count(1)
    assert "secret" not in two.content()
    assert "of two" not in one.content()


def test_a_closed_tab_closes_its_stream(visit: Visit, url: str, bot: FakeAssistant) -> None:
    bot.closed.clear()
    page = visit(url)
    ask(page, "slow question")
    bot.step()
    expect(page.locator("#latest .answer")).to_have_text("The")
    page.close()
    for _ in bot.text.split(" "):
        bot.step()
        if bot.closed.wait(1):
            return
    raise AssertionError("the stream was read to its end for nobody")
