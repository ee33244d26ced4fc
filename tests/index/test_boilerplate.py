from __future__ import annotations

import time

import pytest

from index.boilerplate import is_boilerplate
from index.chunking import split
from index.types import Document


@pytest.mark.parametrize(
    "block",
    [
        "We use cookies to give you the best experience. By continuing you agree to our cookie policy.",
        "Accept all cookies",
        "Subscribe to our newsletter and get the latest stories delivered to your inbox!",
        "Leave a Reply",
        "Your email address will not be published. Required fields are marked *",
        "3 comments",
        "Share this article",
        "Read more »",
        "Skip to main content",
        "Home | News | Contact us",
        "- Related articles",
        "© 2024 Zebra Ltd. All rights reserved.",
        "Advertisement",
        "Wir verwenden Cookies, um Inhalte zu personalisieren.",
        "Kommentar schreiben",
        "Inscrivez-vous à notre lettre d’information",
        "関連記事",
        "コメントを残す",
        "メールマガジンに登録する",
        "ホーム > ニュース > 検索",
        "发表评论",
    ],
)
def test_what_a_page_carries_around_its_text(block: str) -> None:
    assert is_boilerplate(block)


@pytest.mark.parametrize(
    "block",
    [
        "The zebra sleeps.",
        "Search",
        "About us",
        "Contact",
        "Next, add the flour and stir.",
        "Cookies are baked for twelve minutes at 180 degrees.",
        "The directive says when a site may set cookies, and who has to agree. " * 8,
        "He declined to comment on the report.",
        "The newsletter was founded in 1871 by two sisters.",
        "Share prices fell by 3 percent.",
        "She left a comment that nobody forgot.",
        "Read more books than you buy.",
        "石破首相はコメントした。",
        "首相は会見で広告について語った。",
        "- Home rule was granted in 1920.",
        "",
    ],
)
def test_what_a_text_says(block: str) -> None:
    assert not is_boilerplate(block)


@pytest.mark.parametrize(
    "block", ["more " * 23 + "x", "home|" * 23 + "x", "by using " * 44, "mail " * 79, " -" * 59]
)
def test_no_line_stalls_it(block: str) -> None:
    started = time.perf_counter()
    is_boilerplate(block)
    assert time.perf_counter() - started < 1


def test_boilerplate_shares_no_chunk_with_the_text_and_nothing_is_dropped() -> None:
    text = "The zebra sleeps.\n\nIt dreams.\n\nShare this article\n\nLeave a reply\n\nThe lion hunts."
    pieces = split(Document(file="a.txt", text=text, title="A"))
    assert [text[piece.start : piece.end] for piece in pieces] == [
        "The zebra sleeps.\n\nIt dreams.",
        "Share this article\n\nLeave a reply",
        "The lion hunts.",
    ]
