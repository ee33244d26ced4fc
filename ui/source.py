"""The source pane as markup: the list of files, or one file with its passage lit."""

from __future__ import annotations

from collections.abc import Sequence

from rag import Claim, Document
from ui.conversation import Passage
from ui.markup import Html, clip, el, join, unseen
from ui.prose import plain_text
from ui.verdicts import doubt

_FILES_SHOWN = 300
_TEXT_SHOWN = 400_000
"""Characters of one document the page is given; past it the passage's surroundings are shown."""

_CLAIM_SHOWN = 160
"""Characters of a claim."""

_CHANGED = "This file has changed since the answer was given: the passage is no longer where it was."


def file_list(documents: Sequence[Document]) -> Html:
    """Return every file as a button that opens it; a plain sentence when there is none."""
    if not documents:
        return _pane("Files", el("p", "This folder holds no text that can be searched.", class_="empty"))
    rows = [
        el("li", el("button", _label(document), type="button", class_=f"open open-file-0-{number}"))
        for number, document in enumerate(documents[:_FILES_SHOWN], 1)
    ]
    rest = len(documents) - len(rows)
    more = el("p", f"and {rest:,} more, searched but not listed here", class_="empty") if rest else ""
    return _pane("Files", el("ol", *rows, class_="files"), more)


def _label(document: Document) -> Html:
    return join(el("span", document.title, class_="title"), " ", el("span", document.file, class_="detail"))


def document_view(document: Document, passage: Passage | None) -> Html:
    """Return a document's text, the passage marked where it still says what was quoted."""
    start, end, note = _locate(document.text, passage)
    first, last = _window(len(document.text), start)
    text = document.text
    lit = el("mark", text[start:end], tabindex=-1) if end > start else ""
    body = el("div", text[first:start], lit, text[end:last], class_="text", tabindex=0)
    return el(
        "section",
        el(
            "header",
            el("button", "Back to the chat", type="button", class_="back"),
            el("button", "All files", type="button", class_="open all open-list-0-0"),
            el("h2", unseen("Source: "), document.title, tabindex=-1),
            el("p", document.file, _page(document, start if lit else 0), _date(document), class_="detail"),
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


def _pane(heading: str, *children: str) -> Html:
    back = el("button", "Back to the chat", type="button", class_="back")
    return el("section", el("header", back, el("h2", heading, tabindex=-1)), *children, class_="listing")


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


def _page(document: Document, at: int) -> str:
    page = sum(1 for start in document.page_starts if start <= at)
    return f", page {page}" if page else ""


def _date(document: Document) -> str:
    return f", {document.date}" if document.date else ""


def _cut(characters: int) -> Html:
    if not characters:
        return Html()
    return el("p", f"{characters:,} more characters of this file are not shown", class_="empty")
