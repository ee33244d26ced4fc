"""A turn as markup: question, answer with footnotes, and what stands under it."""

from __future__ import annotations

from rag import Answer, Citation
from ui.conversation import Conversation, Phase, Turn
from ui.markup import Html, clip, el, join, unseen
from ui.prose import plain_text, prose, without_open_marker

_QUESTION_SHOWN = 1_200
"""Characters; further down, likewise, of a quote in its tooltip and of a near miss."""
_QUOTE_SHOWN = 320
_NEAR_SHOWN = 180
_NEAR = 3


def conversation_html(conversation: Conversation) -> tuple[Html, Html]:
    """Return the earlier turns and the latest one: only the latest changes while it streams."""
    *earlier, latest = [turn_html(turn) for turn in conversation.turns] or [Html()]
    return el("div", *earlier, class_="turns"), latest


def turn_html(turn: Turn) -> Html:
    """Return one turn in whatever phase it is."""
    abstained = turn.answer is not None and turn.answer.status == "abstained"
    return el(
        "article",
        el("h3", unseen("You asked: "), _shorten(turn.question), class_="question"),
        _searched(turn),
        _answer(turn, turn.answer) if turn.answer else _unfinished(turn),
        class_=f"turn {turn.phase}{' abstained' if abstained else ''}",
        id=f"turn-{turn.number}",
    )


def plain(answer: Answer) -> str:
    """Return an answer for the clipboard: its text with `[1]`, and the sources by number."""
    sources = [f"[{c.number}] {c.title} ({_place(c)}): “{c.quote}”" for c in answer.citations]
    return "\n".join([plain_text(answer.text), *(["", "Sources", *sources] if sources else [])])


def reference(kind: str, turn: int, number: int) -> str:
    """Return the id of a button that opens a passage; `Conversation.passage` resolves it."""
    return f"open-{kind}-{turn}-{number}"


def _searched(turn: Turn) -> Html:
    query = turn.answer.query if turn.answer else turn.found.query if turn.found else ""
    if not query or query.split() == turn.question.split():
        return Html()
    return el("p", "Searched for: ", el("span", _shorten(query)), class_="searched")


def _unfinished(turn: Turn) -> Html:
    """Return a turn that runs, was stopped or broke off; its markers open nothing yet."""
    text = prose(without_open_marker(turn.text), lambda n: el("span", str(n), class_="footnote pending"))
    return join(el("div", text, class_="answer"), _state(turn))


def _state(turn: Turn) -> Html:
    match turn.phase:
        case Phase.RUNNING:
            return el("p", _progress(turn), class_="progress")
        case Phase.STOPPED:
            return el("p", "Stopped. What stands above is incomplete.", class_="state")
        case _:
            message = "Interrupted: something went wrong, and what stands above is incomplete. "
            advice = f"Retry, or look for error {turn.error} in the log."
            return el("p", message, advice, class_="state")


def _progress(turn: Turn) -> str:
    if turn.found is None:
        return "Searching the files"
    files = len({scored.chunk.file for scored in turn.found.chunks})
    return f"Reading {_count(len(turn.found.chunks), 'passage')} in {_count(files, 'file')}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _answer(turn: Turn, answer: Answer) -> Html:
    cited = {citation.number: citation for citation in answer.citations}

    def marker(number: int) -> Html | None:
        return _footnote(turn.number, cited[number]) if number in cited else None

    return join(
        el("p", "Part of the question is not covered by the files.", class_="state")
        if answer.status == "partial"
        else "",
        el("div", prose(answer.text, marker), class_="answer"),
        _near_misses(turn.number, answer) if answer.status == "abstained" else _sources(turn.number, answer),
        *(el("p", notice, class_="notice") for notice in answer.notices),
        _facts(answer),
    )


def _footnote(turn: int, citation: Citation) -> Html:
    """Return the button of a marker, and beside it, hidden, the quote its tooltip shows."""
    name = join(unseen("Footnote "), str(citation.number), unseen(f" opens {citation.title}"))
    return join(
        el("button", name, type="button", class_=f"footnote {reference('cite', turn, citation.number)}"),
        el("span", clip(citation.quote, _QUOTE_SHOWN), class_="quote", hidden=True),
    )


def _sources(turn: int, answer: Answer) -> Html:
    if not answer.citations:
        return Html()
    rows = [
        _row(reference("cite", turn, c.number), el("b", str(c.number)), c.title, _place(c))
        for c in answer.citations
    ]
    return el("section", el("h4", "Sources"), el("ol", *rows), class_="sources")


def _near_misses(turn: int, answer: Answer) -> Html:
    near = [scored.chunk for scored in answer.chunks[:_NEAR]]
    if not near:
        return Html()
    rows = [
        _row(reference("near", turn, n), "", chunk.title, clip(chunk.text, _NEAR_SHOWN))
        for n, chunk in enumerate(near, 1)
    ]
    return el("section", el("h4", "Closest, but not an answer"), el("ol", *rows), class_="sources near")


def _row(button: str, mark: str, title: str, detail: str) -> Html:
    name = join(mark, el("span", title, class_="title"), " ", el("span", detail, class_="detail"))
    return el("li", el("button", name, type="button", class_=f"open {button}"))


def _place(citation: Citation) -> str:
    return citation.file if citation.page is None else f"{citation.file}, page {citation.page}"


def _facts(answer: Answer) -> Html:
    facts = list[str]()
    if "total" in answer.timings_ms:
        facts.append(f"{answer.timings_ms['total'] / 1000:.2f} s")
    if answer.engine != "extractive":
        facts.append(answer.engine)
    copy = el("button", "Copy", type="button", class_="copy")
    copied = el("pre", plain(answer), class_="plain", hidden=True)
    return el("footer", el("span", " · ".join(facts), class_="facts"), copy, copied)


def _shorten(text: str) -> str:
    """Return text with its line breaks, cut where it is too long to read in a chat."""
    return text if len(text) <= _QUESTION_SHOWN else text[:_QUESTION_SHOWN] + " …"
