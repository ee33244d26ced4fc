"""Asking, streaming, stopping, retrying, undoing, copying."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, answered, ask
from tests.browser.fakes import KEEPER, LIGHTHOUSE, FakeAssistant


def latest(page: Page) -> str:
    return page.locator("#latest .answer").inner_text()


def test_an_answer_streams_and_then_carries_its_footnotes(page: Page, bot: FakeAssistant) -> None:
    ask(page, "slow question")
    bot.step(2)
    expect(page.locator("#latest .answer")).to_have_text("The lighthouse")
    expect(page.locator("#latest .progress")).to_contain_text("Reading 2 passages in 1 file")
    bot.step(2)
    expect(page.locator("#latest .answer")).to_have_text("The lighthouse was lit")
    expect(page.locator("#latest button.footnote")).to_have_count(0)
    bot.step(len(bot.text.split(" ")))
    expect(page.locator("#latest button.footnote")).to_have_count(2)
    expect(page.locator("#latest .sources button")).to_have_count(2)
    expect(page.locator("#latest .facts")).to_have_text("0.01 s")
    expect(page.locator("#announcer")).to_contain_text(f"{LIGHTHOUSE}")


def test_stop_ends_the_answer_and_closes_the_stream(page: Page, bot: FakeAssistant) -> None:
    bot.closed.clear()
    ask(page, "slow question")
    bot.step(2)
    expect(page.locator("#latest .answer")).to_have_text("The lighthouse")
    expect(page.locator("#ask")).to_be_hidden()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#latest .turn.stopped .state")).to_contain_text("Stopped")
    bot.step()
    assert bot.closed.wait(10)
    assert latest(page).startswith("The lighthouse")
    answered(page, "plain question")
    assert bot.histories[-1] == []  # a stopped answer explains nothing later


def test_retry_answers_the_same_question_in_place(page: Page, bot: FakeAssistant) -> None:
    answered(page, "first question")
    answered(page, "second question")
    page.get_by_role("textbox", name="Question").fill("a draft")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#latest .turn.done")).to_have_id("turn-3")
    expect(page.locator(".question")).to_have_text(
        ["You asked: first question", "You asked: second question"]
    )
    expect(page.get_by_role("textbox", name="Question")).to_have_value("a draft")
    assert [question for question, _ in bot.histories[-1]] == ["first question"]


def test_a_new_question_comes_to_the_top(page: Page) -> None:
    for question in ("first question", "second question", "third question"):
        answered(page, question)
    expect(page.locator("#latest .question")).to_be_in_viewport(ratio=1)
    for earlier in page.locator("#earlier .question").all():
        expect(earlier).not_to_be_in_viewport()


def test_undo_takes_the_question_back_into_the_box(page: Page) -> None:
    answered(page, "first question")
    answered(page, "second question")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("textbox", name="Question")).to_have_value("second question")
    expect(page.locator(".question")).to_have_text(["You asked: first question"])


def test_a_new_conversation_begins_empty(page: Page) -> None:
    answered(page, "first question")
    page.locator("#latest button.footnote").first.click()
    expect(page.locator("#source mark")).to_be_visible()
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator("#source h2")).to_have_text("Files")


def test_copy_gives_plain_text_with_numbered_sources(visit: Visit, url: str) -> None:
    page = visit(url, permissions=["clipboard-read", "clipboard-write"])
    answered(page, "why [this]?")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == (
        f"{LIGHTHOUSE} [1] {KEEPER} [2] You asked: why [this]?\n\nSources\n"
        f"[1] Harbour log (harbour/log.txt): “{LIGHTHOUSE}”\n"
        f"[2] Harbour log (harbour/log.txt): “{KEEPER}”"
    )


def test_an_abstention_is_calm_and_offers_what_is_closest(page: Page) -> None:
    answered(page, "none of it")
    turn = page.locator("#latest .turn.abstained")
    expect(turn.locator("h4")).to_have_text("Closest, but not an answer")
    turn.locator("li button").nth(1).click()
    expect(page.locator("#source mark")).to_have_text(KEEPER)


def test_a_partial_answer_and_its_notices_are_marked(page: Page) -> None:
    answered(page, "part of it")
    expect(page.locator("#latest .state")).to_contain_text("Part of the question")
    expect(page.locator("#latest .notice")).to_have_text("One file was skipped.")


def test_the_completed_query_is_shown_when_it_differs(page: Page) -> None:
    answered(page, "and where?")
    expect(page.locator("#latest .searched")).to_have_text("Searched for: and where? (in full)")
    answered(page, "plain question")
    expect(page.locator("#latest .searched")).to_have_count(0)


def test_a_crash_leaves_a_marked_answer_and_a_number(page: Page, caplog) -> None:
    for question in ("crash now", "cut now"):
        ask(page, question)
        state = page.locator("#latest .turn.interrupted .state")
        expect(page.locator("#latest .question")).to_contain_text(question)
        expect(state).to_contain_text("Interrupted")
        number = re.search(r"error (\w{8}) in the log", state.inner_text())[1]
        assert number in caplog.text
        assert latest(page) == "The lighthouse was"
        assert "secret" not in page.content()
        assert "canary" not in page.content()
    answered(page, "plain question")


def test_a_starter_asks_itself(page: Page) -> None:
    page.get_by_role("button", name="What are these files about?").click()
    expect(page.locator("#latest .turn.done .question")).to_contain_text("What are these files about?")


def test_a_double_click_asks_once(page: Page, bot: FakeAssistant) -> None:
    asked = len(bot.histories)
    page.get_by_role("textbox", name="Question").fill("plain question")
    page.get_by_role("button", name="Ask").dblclick()
    expect(page.locator("#latest .turn.done")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(1)
    assert len(bot.histories) == asked + 1


def test_a_very_long_question_is_asked_whole_and_shown_short(page: Page, bot: FakeAssistant) -> None:
    ask(page, "long " * 4_000)
    expect(page.locator("#latest .turn.done")).to_be_visible()
    assert len(page.locator("#latest .question").inner_text()) < 2_000


def test_a_blank_question_does_nothing(page: Page) -> None:
    page.get_by_role("textbox", name="Question").fill("   ")
    page.keyboard.press("Enter")
    answered(page, "plain question")
    expect(page.locator(".turn")).to_have_count(1)


def test_a_reload_begins_again_and_leaves_nothing_in_the_browser(page: Page) -> None:
    answered(page, "canary question")
    page.reload()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)
    kept = page.evaluate(
        "async () => JSON.stringify([{...localStorage}, {...sessionStorage}, await indexedDB.databases(), document.cookie])"
    )
    assert "canary" not in kept
    assert page.evaluate("async () => (await indexedDB.databases()).length") == 0
