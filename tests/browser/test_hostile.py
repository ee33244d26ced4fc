"""Documents, names and questions that try to be markup: they are shown, and nothing else happens.

`visit` fails the test when a page asks another host for anything or when a script complains.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Serve, Visit, answered, ask
from tests.browser.fakes import FakeAssistant

HOST = "http://leak.invalid"
PAYLOADS = [
    "<script>document.body.dataset.ran = 1</script>",
    f"<img src={HOST}/1 onerror=document.body.dataset.ran=1>",
    f"<img srcset='{HOST}/2 2x'>",
    f"![picture]({HOST}/3)",
    f"![ref][r] and [r]: {HOST}/4",
    f"[link](javascript:document.body.dataset.ran=1) <{HOST}/5> {HOST}/6",
    f"<a href={HOST}/7>link</a>",
    f"<style>@import '{HOST}/8'; body {{ display: none }}</style>",
    f"<link rel=stylesheet href={HOST}/9>",
    f"<p style=\"background: url('{HOST}/10')\">styled</p>",
    f"<form action={HOST}/11><input name=password type=password><button>Go</button></form>",
    f"<input type=image src={HOST}/12>",
    f"<audio src={HOST}/13 autoplay></audio><video src={HOST}/14 poster={HOST}/15></video>",
    f"<iframe src={HOST}/16></iframe><object data={HOST}/17></object><embed src={HOST}/18>",
    "<svg onload=document.body.dataset.ran=1><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    f"<svg><use href={HOST}/19#x></use><image href={HOST}/20 /></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=document.body.dataset.ran=1></style></mglyph></table>",
    "<details open ontoggle=document.body.dataset.ran=1>open</details>",
    "<template><b>t</b></template><noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    f"<meta http-equiv=refresh content='0;url={HOST}/21'><base href={HOST}/22>",
    f"```mermaid\ngraph TD; a[<img src='{HOST}/23'>] --> b\n```",
    "$$\\href{javascript:document.body.dataset.ran=1}{x}$$ and \\(y\\) $z$",
    "{{7*7}} ${document.body.dataset.ran = 1} #{x} <%= y %> {% raw %}",
    "</textarea></title></script>--></style><b class=injected>out</b>",
    "# heading\n\n- [ ] task\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote __bold__ ~~gone~~ :smile: &amp; &lt;b&gt;",
    '"><b class=injected onmouseover=document.body.dataset.ran=1>hover</b>',
]
NAME = "<img src=x onerror=alert(1)>/a\"b'&amp; [1](javascript:x) \u202etxt.exe.txt"
TEXT = "\n\n".join(["<b class=injected>Title</b> ![t](http://leak.invalid/t)", *PAYLOADS, "The end."])


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> FakeAssistant:
    bot = FakeAssistant(tmp_path_factory.mktemp("corpus"), {NAME: TEXT})
    bot.text = " ".join(f"{payload} [{n}]" for n, payload in enumerate(PAYLOADS, 1))
    bot.quotes = [(NAME, payload) for payload in PAYLOADS]
    return bot


@pytest.fixture
def hostile(page: Page) -> Iterator[Page]:
    yield page
    assert page.locator("body").get_attribute("data-ran") is None
    assert page.locator(".injected").count() == 0
    shown = "#layout .md :is(img, svg, a, form, input, iframe, object, embed, audio, video, style, script, [style])"
    assert page.locator(shown).count() == 0


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_hostile_documents_are_shown_as_the_characters_they_are(hostile: Page) -> None:
    answered(hostile, "plain question")
    expect(hostile.locator("#latest button.footnote")).to_have_count(len(PAYLOADS))
    answer = squeezed(hostile.locator("#latest .answer").inner_text())
    for payload in PAYLOADS:
        plain = payload.replace("**", "").replace("```", "")  # the Markdown that answers may use
        assert squeezed(plain.split("\n")[0].removeprefix("# "))[:30] in answer
    hostile.locator("#latest button.footnote").nth(3).hover()
    expect(hostile.locator("#quote-tip")).to_have_text(PAYLOADS[3])
    for number in (0, 20, 24):
        hostile.locator("#latest .sources button").nth(number).click()
        expect(hostile.locator("#source mark")).to_have_text(PAYLOADS[number], use_inner_text=True)
    assert hostile.locator("#source .text").inner_text() == TEXT
    expect(hostile.locator("#source header .detail")).to_contain_text(
        "<img src=x onerror=alert(1)>/a\"b'&amp;"
    )


def test_hostile_near_misses_and_names_are_text(hostile: Page) -> None:
    expect(hostile.locator("#source .files .title")).to_have_text(TEXT.split("\n")[0])
    answered(hostile, "none of it")
    expect(hostile.locator("#latest .near li")).to_have_count(3)


def test_hostile_questions_are_text(hostile: Page) -> None:
    for number in (0, 1, 3, 6, 20, 21, 22, 23):
        question = PAYLOADS[number].replace("\n", " ")
        ask(hostile, question)
        expect(hostile.locator("#latest .turn.done .question")).to_have_text(f"You asked: {question}")


def test_an_empty_folder_is_said_plainly(visit: Visit, serve: Serve, tmp_path: Path) -> None:
    with serve(FakeAssistant(tmp_path, {})) as url:
        page = visit(url)
        expect(page.locator(".welcome")).to_contain_text("no text that can be searched")
        expect(page.locator("#source")).to_contain_text("no text that can be searched")
        page.close()
