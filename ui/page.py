"""The page: what stands where, and what each control does.

Gradio makes every handler below a public endpoint, whatever the page shows or hides, so each one
checks what it is given. Which passage a button opens is looked up in the tab's own conversation:
a file's name or an offset is never taken from the browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import gradio as gr

from rag import Assistant, CorpusError, Document, FootnoteError, LockedError
from ui import render, source
from ui.conversation import Conversation
from ui.incidents import note
from ui.markup import Html, el
from ui.starters import starters

STATIC = Path(__file__).parent / "static"
_REFERENCE = re.compile(r"open-(cite|near|file|list)-(\d{1,6})-(\d{1,6})(?:#\d{1,9})?")
_LOOK_SECONDS = 2.0
"""How often a page looks whether the folder has changed."""
_SAMPLE = 50
"""Documents that questions to begin with are made from."""
_OWN_WORDS = "Answering in the documents’ own words (no model is configured)"


class Handlers:
    """What the page's controls do, for every tab; what is a tab's own is in its `Conversation`."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    def load(self, conversation: Conversation) -> tuple[Html, Html, Html]:
        """Fill the header, the welcome and the list of files of a fresh page."""
        conversation.listing = True
        return self._fill(conversation)

    def _fill(self, conversation: Conversation, *, unasked: bool = False) -> tuple[Html, Html, Html]:
        try:
            titles, skipped = self._titles(), self.assistant.index.skipped()
            questions = starters(self._sample(titles))
            conversation.revision = self.assistant.index.revision
        except Exception as error:  # noqa: BLE001 - the page must not show what an exception says
            number = note("the files cannot be listed", error)
            return _header(self.assistant, 0), _welcome(_UNREADABLE.format(number), []), source.missing()
        conversation.files = [file for file, _ in titles[: source.FILES_SHOWN]]
        conversation.notices = self.assistant.notices()
        return (
            _header(self.assistant, len(titles), conversation.notices),
            _welcome(_PROMISE if titles else _EMPTY, questions),
            source.file_list(titles, skipped, unasked=unasked),
        )

    def look(self, conversation: Conversation) -> tuple[Any, Any, Any]:
        """Bring the header, the welcome and the list up to date; every open page asks for it all the time."""
        header, welcome, files = gr.skip(), gr.skip(), gr.skip()
        with suppress(FootnoteError):  # What is wrong is told to whoever asks.
            notices = self.assistant.notices()
            if notices != conversation.notices:
                header = _header(self.assistant, self.assistant.index.counts()["documents"], notices)
                conversation.notices = notices
            if self.assistant.index.revision != conversation.revision and not (
                notices and conversation.files
            ):
                began = not conversation.files
                header, welcome, files = self._fill(conversation, unasked=True)
                welcome = welcome if began else gr.skip()
                files = files if conversation.listing else gr.skip()
        return header, welcome, files

    def _titles(self) -> list[tuple[str, str]]:
        try:
            return self.assistant.titles()
        except LockedError:  # Nothing is there yet; the notices say who is at work on it.
            return []

    def _sample(self, titles: list[tuple[str, str]]) -> Iterator[Document]:
        for file, _ in titles[:_SAMPLE]:
            with suppress(CorpusError):  # It has just gone.
                yield self.assistant.document(file)

    def ask(self, question: str | None, conversation: Conversation) -> Iterator[tuple[Any, ...]]:
        """Answer a question, yielding (question box, earlier turns, latest turn)."""
        question = question or ""
        taken = question.strip() and not conversation.busy
        box: Any = "" if taken else gr.skip()  # a question that is not taken stays in the box
        for earlier, latest in self._answer(question, conversation):
            yield box, earlier, latest
            box = gr.skip()  # what is typed meanwhile stays

    def retry(self, conversation: Conversation) -> Iterator[tuple[Any, ...]]:
        """Ask the last question again, in place of its first answer."""
        yield from self._answer(conversation.undo(), conversation)

    def _answer(self, question: str, conversation: Conversation) -> Iterator[tuple[Any, Any]]:
        """Yield (earlier turns, latest turn); at least once, or the browser waits for ever."""
        if not question.strip() or conversation.busy:
            yield gr.skip(), gr.skip()
            return
        with closing(conversation.ask(self.assistant, question.strip())) as turns:
            next(turns)
            yield render.conversation_html(conversation)
            for turn in turns:
                yield gr.skip(), render.turn_html(turn)
            yield render.conversation_html(conversation)  # which may have been cleared meanwhile

    def stop(self, conversation: Conversation) -> None:
        """Stop the answer being written; `ask` or `retry`, writing it, then shows it so."""
        conversation.stop()

    def undo(self, conversation: Conversation) -> tuple[Any, ...]:
        """Take the last turn back, its question into the box."""
        question = conversation.undo()
        return question or gr.skip(), *render.conversation_html(conversation)

    def clear(self, conversation: Conversation) -> tuple[Html, ...]:
        """Begin again."""
        conversation.clear()
        return *render.conversation_html(conversation), *self.load(conversation)

    def open(self, reference: str | None, conversation: Conversation) -> Html:
        """Show in the source pane what a button of this tab points to."""
        found = _REFERENCE.fullmatch(reference or "")
        if found is None:
            return source.missing()
        kind, turn, number = found[1], int(found[2]), int(found[3])
        if kind == "list":
            return self.load(conversation)[-1]
        passage = conversation.passage(kind, turn, number) if kind != "file" else None
        known = conversation.files[number - 1 : number] if kind == "file" and number else []
        file = passage[0] if passage else "".join(known)
        conversation.listing = False
        try:
            return source.document_view(self.assistant.document(file), passage)
        except FootnoteError:
            return source.missing()


def build_page(assistant: Assistant) -> gr.Blocks:
    """Return the page, wired and not started."""
    do = Handlers(assistant)
    page: gr.Blocks
    with gr.Blocks(
        title="Footnote", analytics_enabled=False, delete_cache=(600, 3600), fill_width=True
    ) as page:
        conversation = gr.State(Conversation())
        with gr.Row(elem_id="layout"):
            with gr.Column(elem_id="chat"):
                header = _markdown("top")
                with gr.Column(elem_id="scroll"):
                    welcome, earlier, latest = _markdown("welcome"), _markdown("earlier"), _markdown("latest")
                    with gr.Row(elem_id="actions"):
                        retry = gr.Button("Retry", elem_id="retry", size="sm")
                        undo = gr.Button("Undo", elem_id="undo", size="sm")
                        clear = gr.Button("New conversation", elem_id="clear", size="sm")
                with gr.Row(elem_id="composer"):
                    box = gr.Textbox(
                        label="Question",
                        show_label=False,
                        placeholder="Ask the files a question",
                        lines=1,
                        max_lines=6,
                        container=False,
                        elem_id="question",
                    )
                    ask = gr.Button("Ask", variant="primary", elem_id="ask")
                    stop = gr.Button("Stop", elem_id="stop")
            pane = _markdown("source")
        wanted = gr.Textbox(label="Passage to open", visible="hidden", elem_id="wanted")

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        turns, fresh = [earlier, latest], [header, welcome, pane]
        page.load(do.load, conversation, fresh, **quiet)
        gr.Timer(_LOOK_SECONDS).tick(do.look, conversation, fresh, **quiet)
        gr.on(
            [box.submit, ask.click], do.ask, [box, conversation], [box, *turns], trigger_mode="once", **quiet
        )
        retry.click(do.retry, conversation, turns, trigger_mode="once", **quiet)
        stop.click(do.stop, conversation, **quiet)
        undo.click(do.undo, conversation, [box, *turns], **quiet)
        clear.click(do.clear, conversation, [*turns, *fresh], **quiet)
        wanted.change(do.open, [wanted, conversation], pane, trigger_mode="always_last", **quiet)
    return page


def _markdown(elem_id: str) -> gr.Markdown:
    return gr.Markdown(elem_id=elem_id, sanitize_html=True, latex_delimiters=[])


def _header(assistant: Assistant, files: int, notices: tuple[str, ...] = ()) -> Html:
    folder = f"{files:,} file{'' if files == 1 else 's'} in {assistant.corpus.resolve().name}"
    words = _OWN_WORDS if assistant.engine == "extractive" else f"Answers written by {assistant.engine}"
    return el(
        "header",
        el("h1", "Footnote", el("sup", "1")),
        el("p", el("span", folder, class_="folder"), el("span", words, class_="engine")),
        *(el("p", notice, class_="status") for notice in notices),
        el("button", "Files", type="button", class_="show-source"),
    )


def _welcome(words: str, questions: list[str]) -> Html:
    heading = "Ask these files" if questions else "Nothing to ask yet"
    buttons = [el("li", el("button", question, type="button", class_="starter")) for question in questions]
    return el("div", el("h2", heading), el("p", words), el("ul", *buttons), class_="welcome")


_PROMISE = (
    "Every sentence of an answer carries a footnote that opens the passage it rests on. "
    "Where the files do not hold the answer, you are told so."
)
_EMPTY = (
    "This folder holds no text that can be searched. Add documents to it: they appear here by themselves."
)
_UNREADABLE = "The files cannot be read at the moment. Error {} in the log says why."
