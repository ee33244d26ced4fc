"""The source pane as markup: the list of files, or one file with its passage lit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rag import Claim, Document
from ui.conversation import Passage
from ui.markup import Html, clip, el, join, unseen
from ui.prose import plain_text
from ui.verdicts import doubt

FILES_SHOWN = 300
_SKIPPED_SHOWN = 100
_TEXT_SHOWN = 400_000
"""Characters of one document the page is given; past it the passage's surroundings are shown."""

_CLAIM_SHOWN = 160
"""Characters of a claim."""

_CHANGED = "This file has changed since the answer was given: the passage is no longer where it was."


def file_list(
    titles: Sequence[tuple[str, str]], skipped: Mapping[str, str], *, unasked: bool = False
) -> Html:
    """Return every file, given with its title, as a button that opens it, and what was skipped with the reason.

    One that is shown `unasked`, because files have come or gone, does not take the reader's focus.
    """
    rows = [
        el("li", el("button", _label(title, file), type="button", class_=f"open open-file-0-{number}"))
        for number, (file, title) in enumerate(titles[:FILES_SHOWN], 1)
    ]
    nothing = el("p", "This folder holds no text that can be searched.", class_="empty")
    return _pane(
        "Files",
        el("ol", *rows, class_="files") if rows else nothing,
        _rest(len(titles) - len(rows), "searched but not listed here"),
        _skipped(skipped),
        kind="listing unasked" if unasked else "listing",
    )


def _label(title: str, file: str) -> Html:
    return join(el("span", title, class_="title"), " ", el("span", file, class_="detail"))


def _skipped(skipped: Mapping[str, str]) -> Html:
    if not skipped:
        return Html()
    shown = list(skipped.items())[:_SKIPPED_SHOWN]
    rows = [el("li", _label(file, reason)) for file, reason in shown]
    rest = _rest(len(skipped) - len(shown), "not searched either")
    return join(el("h3", "Not searched"), el("ul", *rows, class_="skipped"), rest)


def _rest(count: int, state: str) -> Html:
    return el("p", f"and {count:,} more, {state}", class_="empty") if count else Html()


def document_view(document: Document, passage: Passage | None) -> Html:
    """Return a document's text, the passage marked where it still says what was quoted."""
    start, end, note = _locate(document.text, passage)
    first, last = _window(len(document.text), start)
    text = document.text
    lit = el("mark", text[start:end], tabindex=-1) if end > start else ""
    before, after = _paged(document, first, start), _paged(document, end, last)
    turned = _turned(document, start) if lit else ""
    body = el("div", *before, turned, lit, *after, class_="text", tabindex=0)
    return el(
        "section",
        el(
            "header",
            el("button", "Back to the chat", type="button", class_="back"),
            el("button", "All files", type="button", class_="open all open-list-0-0"),
            el("h2", unseen("Source: "), document.title, tabindex=-1),
            el("p", ", ".join(_facts(document, start if lit else 0)), class_="detail"),
            el("p", note, class_="notice") if note else "",
            *(_doubted(claim) for claim in (passage.claims if passage else ()) if doubt(claim)),
        ),
        _cut(first),
        body,
        _cut(len(text) - last),
        class_="document",
    )


def missing() -> Html:
    """Return what stands where a passage or file cannot be opened."""
    return _pane("Not available", el("p", "This passage can no longer be opened.", class_="empty"))


def _pane(heading: str, *children: str, kind: str = "listing") -> Html:
    back = el("button", "Back to the chat", type="button", class_="back")
    return el("section", el("header", back, el("h2", heading, tabindex=-1)), *children, class_=kind)


def _locate(text: str, passage: Passage | None) -> tuple[int, int, str]:
    """Return where to light the text, and what to say when the quote is not where it was."""
    if passage is None:
        return 0, 0, ""
    _, start, end, quote, _ = passage
    if text[start:end] == quote:
        return start, end, ""
    moved = text.find(quote) if quote else -1
    return (moved, moved + len(quote), "") if moved >= 0 else (0, 0, _CHANGED)


def _doubted(claim: Claim) -> Html:
    said = clip(plain_text(claim.text), _CLAIM_SHOWN)
    return el("p", el("b", doubt(claim)), f": “{said}” {claim.reason}", class_="notice")


def _window(length: int, at: int) -> tuple[int, int]:
    if length <= _TEXT_SHOWN:
        return 0, length
    first = max(0, min(at - _TEXT_SHOWN // 2, length - _TEXT_SHOWN))
    return first, first + _TEXT_SHOWN


def _facts(document: Document, at: int) -> Iterator[str]:
    yield document.file
    if page := _page(document, at):
        yield f"page {page}"
    if document.date:
        yield str(document.date)


def _page(document: Document, at: int) -> int:
    """The page of a place in the text, from 1; 0 where there are no pages."""
    return sum(1 for start in document.page_starts if start <= at)


def _paged(document: Document, first: int, last: int) -> Iterator[str]:
    """A stretch of the text, with a mark where each page begins."""
    for start in dict.fromkeys(document.page_starts):
        if first <= start < last:
            yield document.text[first:start]
            yield _turned(document, start)
            first = start
    yield document.text[first:last]


def _turned(document: Document, at: int) -> Html:
    """The mark of the page that begins here, if one does: of several, the one that is not empty."""
    return el("span", f"Page {_page(document, at)}", class_="page") if at in document.page_starts else Html()


def _cut(characters: int) -> Html:
    if not characters:
        return Html()
    return el("p", f"{characters:,} more characters of this file are not shown", class_="empty")
