"""A turn as markup: question, answer with footnotes, and what stands under it."""

from __future__ import annotations

from rag import Answer, Citation, Claim
from ui.conversation import Conversation, Phase, Turn
from ui.markup import Html, clip, el, join, unseen
from ui.prose import plain_text, prose, without_open_marker
from ui.verdicts import doubt, explained

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
    claims = iter([claim for claim in answer.claims for _ in claim.citations])  # as their markers follow

    def marker(number: int) -> Html | None:
        return _footnote(turn.number, cited[number], next(claims, None)) if number in cited else None

    return join(
        el("p", "Part of the question is not answered.", class_="state")
        if answer.status == "partial"
        else "",
        el("div", prose(answer.text, marker), class_="answer"),
        _near_misses(turn.number, answer) if answer.status == "abstained" else _sources(turn.number, answer),
        *(el("p", notice, class_="notice") for notice in answer.notices),
        _facts(answer),
    )


def _footnote(turn: int, citation: Citation, claim: Claim | None) -> Html:
    """Return the button of a marker, and beside it, hidden, what its tooltip shows: any doubt, and the quote."""
    doubted = claim if claim and doubt(claim) else None
    verdict = f" ({doubt(doubted).lower()})" if doubted else ""
    name = join(unseen("Footnote "), str(citation.number), unseen(f"{verdict} opens {citation.title}"))
    kind = f"footnote {doubted.verdict}" if doubted else "footnote"
    tip = [el("span", explained(doubted), class_="doubt"), " "] if doubted else []
    words = el("span", clip(citation.quote, _QUOTE_SHOWN), class_="words")
    return join(
        el("button", name, type="button", class_=f"{kind} {reference('cite', turn, citation.number)}"),
        el("span", *tip, words, class_="quote", hidden=True),
    )


def _sources(turn: int, answer: Answer) -> Html:
    if not answer.citations:
        return Html()
    places = dict[tuple[str, str], list[Citation]]()
    for citation in answer.citations:
        places.setdefault((citation.title, _place(citation)), []).append(citation)
    rows = [_source(turn, *cited) for cited in places.values()]
    return el("section", el("h4", "Sources"), el("ol", *rows), class_="sources")


def _source(turn: int, first: Citation, *more: Citation) -> Html:
    """Return the row of a file, which opens its first passage, and a button for each other one."""
    others = [
        el(
            "button",
            unseen("Source "),
            el("b", str(citation.number)),
            unseen(f", {citation.title}"),
            type="button",
            class_=f"open other {reference('cite', turn, citation.number)}",
        )
        for citation in more
    ]
    number = el("b", str(first.number))
    return _row(reference("cite", turn, first.number), number, first.title, _place(first), *others)


def _near_misses(turn: int, answer: Answer) -> Html:
    near = [scored.chunk for scored in answer.chunks[:_NEAR]]
    if not near:
        return Html()
    rows = [
        _row(reference("near", turn, n), "", chunk.title, clip(chunk.text, _NEAR_SHOWN))
        for n, chunk in enumerate(near, 1)
    ]
    return el("section", el("h4", "Closest, but not an answer"), el("ol", *rows), class_="sources near")


def _row(button: str, mark: str, title: str, detail: str, *others: Html) -> Html:
    name = join(mark, el("span", title, class_="title"), " ", el("span", detail, class_="detail"))
    return el("li", el("button", name, type="button", class_=f"open {button}"), *others)


def _place(citation: Citation) -> str:
    page = f"page {citation.page}" if citation.page else ""
    date = citation.date.isoformat() if citation.date else ""
    return ", ".join(filter(None, (citation.file, page, date)))


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
