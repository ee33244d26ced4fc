"""Answers written by a model: what is doubted looks so, markup stays text, Stop is at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rag.citations import Passage
from rag.verification import Reason, Verification, Verifier
from tests.browser.conftest import Serve, answered, ask
from tests.corpora import TOWN, assistant
from tests.model_server import ModelServer, fails, model_server, says, stalls, writing

QUESTION = "Who was born in Oslo in 1950?"
BORN, OPENED = "Ann Lee was born in Oslo in 1950.", "She opened a bakery in Bergen in 1982."
WEAK, WRONG = "She founded a bakery in Bergen.", "Her bakery in Bergen has fifty ovens."
WRITTEN = f"{BORN[:-1]} [2]. {WEAK[:-1]} [3]. {WRONG[:-1]} [3]."
WHY = {"supported": "", "weak": "It says something close.", "unsupported": "It does not say this."}


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, model: ModelServer, serve: Serve) -> Iterator[str]:
    town: Path = tmp_path_factory.mktemp("town")
    with serve(writing(assistant(town, TOWN), model)) as url:
        yield url


@pytest.fixture(autouse=True)
def _verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verifier, "verify", judged)


def judged(self: Verifier, claim: str, cited: Sequence[Passage]) -> Verification:
    """Find each of the claims above what it is called, and any other supported."""
    verdict = {WEAK: "weak", WRONG: "unsupported"}.get(claim, "supported")
    return Verification(
        verdict=verdict,
        reason=Reason.LOOSE,
        sentence=WHY[verdict],
        passages=tuple(cited),
        contradicts=False,
    )


def look(page: Page, kind: str) -> tuple[str, str]:
    """Return how the edge of a footnote of one kind is drawn, and the sign behind its number."""
    return page.locator(f"#latest button.footnote{kind}").first.evaluate(
        "b => [getComputedStyle(b).borderTopStyle, getComputedStyle(b, '::after').content.split(' / ')[0]]"
    )


def test_a_claim_that_is_not_fully_supported_says_so_and_why(page: Page, model: ModelServer) -> None:
    model.script = [says(WRITTEN)]
    answered(page, QUESTION)
    answer = page.locator("#latest .answer")
    weak = answer.get_by_role("button", name="Footnote 2 (loosely supported) opens The bakery of Bergen")
    wrong = answer.get_by_role("button", name="Footnote 2 (not supported) opens The bakery of Bergen")
    expect(answer.get_by_role("button", name="Footnote 1 opens The bakery of Bergen")).to_be_visible()
    expect(weak).to_have_accessible_description(f"Loosely supported. {WHY['weak']} {OPENED}")
    expect(wrong).to_have_accessible_description(f"Not supported. {WHY['unsupported']} {OPENED}")
    expect(answer).to_contain_text(f"{WRONG} (not supported by what it cites)")
    looks = [look(page, kind) for kind in (":not(.weak, .unsupported)", ".weak", ".unsupported")]
    assert looks == [["none", "none"], ["dashed", '"?"'], ["dashed", '"!"']]
    expect(page.locator("#latest .notice")).to_have_text(
        "1 sentence only loosely supported: compare with the passages."
    )
    expect(page.locator("#announcer")).to_contain_text("(Footnote 2 (loosely supported))")


def test_beside_the_passage_stands_what_it_does_not_fully_support(page: Page, model: ModelServer) -> None:
    model.script = [says(WRITTEN)]
    answered(page, QUESTION)
    page.locator("#latest button.weak").hover()
    expect(page.locator("#quote-tip")).to_have_text(f"Loosely supported. {WHY['weak']} {OPENED}")
    page.locator("#latest button.weak").click()
    expect(page.locator("#source mark")).to_have_text(OPENED)
    expect(page.locator("#source .notice")).to_have_text(
        [
            f"Loosely supported: “{WEAK}” {WHY['weak']}",
            f"Not supported: “{WRONG}” {WHY['unsupported']}",
        ]
    )
    page.locator("#latest button.footnote").first.click()
    expect(page.locator("#source mark")).to_have_text(BORN)
    expect(page.locator("#source .notice")).to_have_count(0)


def test_stop_ends_a_silent_model_and_the_page_can_be_asked_again(page: Page, model: ModelServer) -> None:
    model.arrived.clear()
    model.gone.clear()
    model.script = [stalls(), says(WRITTEN)]
    ask(page, QUESTION)
    expect(page.locator("#latest .progress")).to_contain_text("Reading")
    assert model.arrived.wait(20)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#latest .turn.stopped .state")).to_contain_text("Stopped", timeout=2_000)
    assert model.gone.wait(2)
    answered(page, QUESTION)
    expect(page.locator("#latest .answer")).to_contain_text("Ann Lee was born in Oslo in 1950.")


def test_what_a_model_writes_is_text_only(page: Page, model: ModelServer) -> None:
    image = "<img src=http://leak.invalid/1 onerror=document.body.dataset.ran=1>"
    script = "<script>document.body.dataset.ran=1</script>"
    links = "![in](http://leak.invalid/2) [the year 1950](http://leak.invalid/3)"
    model.script = [says(f"Ann Lee was born in Oslo {links} {image} {script} [2].")]
    answered(page, QUESTION)
    expect(page.locator("#latest .answer")).to_contain_text(
        f"born in Oslo in the year 1950 {image} {script}."
    )
    assert page.locator("#layout .md :is(img, a, script, svg, iframe)").count() == 0
    assert page.locator("body").get_attribute("data-ran") is None


def test_a_refused_key_is_told_below_the_documents_own_words(page: Page, model: ModelServer) -> None:
    model.script = [fails(401)]
    answered(page, QUESTION)
    expect(page.locator("#latest .answer")).to_contain_text("born in Oslo in 1950.")
    expect(page.locator("#latest .notice")).to_contain_text("OPENAI_API_KEY")
    expect(page.locator("#latest .notice")).to_contain_text("in the documents' own words instead.")
    assert "sk-canary" not in page.content()
