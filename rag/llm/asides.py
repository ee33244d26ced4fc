"""Small questions to the model beside the answer: each has a time limit, and an answer without it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.text import content_terms, terms
from rag import prompts
from rag.conversation import leans, own_terms, without_pronouns
from rag.errors import ModelError
from rag.llm.model import Message
from rag.llm.requests import Requests
from rag.trace import Trace
from rag.types import History

TURNS = 3
"""Earlier turns that can explain a question."""
OPENING = 600
"""Characters of an earlier question or answer that are told."""
LONGEST = 400
"""Characters of a rewritten question."""
TITLES = 5
"""Titles that show the documents' language."""


class Asides:
    """Asks a model small things about one question.

    Args:
        requests: What sends them.
        seconds: How long each may take.
        trace: Where each is written down.
    """

    def __init__(self, requests: Requests, seconds: float, trace: Trace) -> None:
        self._requests, self._seconds, self._trace = requests, seconds, trace

    def condense(self, question: str, history: History) -> str | None:
        """Return a follow-up question as one that stands alone; None when the model does not help.

        The model may only move words: what it returns keeps the question's own words, and adds none that
        the conversation does not have, so an earlier turn can explain a question and not replace it.
        """
        if not history or not leans(question):
            return None
        turns = _openings(history)
        condensed = self._line("condensed question", prompts.condensing(question, turns))
        if condensed is None:
            return None
        said = set(terms(" ".join([question, *(f"{asked} {answered}" for asked, answered in turns)])))
        kept, added = set(own_terms(without_pronouns(question))), set(content_terms(condensed)) - said
        return condensed if kept <= set(terms(condensed)) and not added else None

    def translate(self, question: str, history: History, titles: Sequence[str]) -> str | None:
        """Return a question in the language of some titles, with all its numbers; None when the model does not help."""
        messages = prompts.translating(question, _openings(history), titles[:TITLES])
        translated = self._line("translated question", messages)
        return translated if translated and _figures(question) <= _figures(translated) else None

    def complete(self, question: str, translated: str, history: History, titles: Sequence[str]) -> str | None:
        """Return a translated follow-up question as one that stands alone; None when it does so already, or without help.

        It keeps the words that its translation has without the conversation.
        """
        if not leans(translated):
            return None
        completed = self.translate(question, history, titles)
        kept = set(own_terms(without_pronouns(translated)))
        return completed if completed and kept <= set(terms(completed)) else None

    def entails(self, claim: str, passage: str) -> bool | None:
        """Return whether a passage states a claim, in the model's opinion; None when it has none."""
        word = self._line("entailment", prompts.entailing(claim, passage)) or ""
        return {"yes": True, "no": False}.get(word.strip(" .").lower())

    def _line(self, what: str, messages: list[Message]) -> str | None:
        """The model's reply as one line; None when it fails, has more lines or is too long."""
        try:
            reply = "".join(self._requests.stream(messages, seconds=self._seconds)).strip()
        except ModelError as error:
            self._trace.add(what, str(error))
            return None
        self._trace.add(what, reply)
        line = reply.strip(" \"'“”「」")
        return line if line and len(line) <= LONGEST and "\n" not in line else None


def _openings(history: History) -> list[tuple[str, str]]:
    return [(asked[:OPENING], answered[:OPENING]) for asked, answered in history[-TURNS:]]


def _figures(text: str) -> set[int]:
    return {int(figure) for figure in re.findall(r"\d{1,18}", text)}
