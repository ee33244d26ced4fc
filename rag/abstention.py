"""Answer, or say that the documents do not hold it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index import Index
from rag.question import Question
from rag.reader import ReadSentence
from rag.types import AbstainReason

GATE = 0.5
"""An answer is given when its confidence reaches this."""
MAX_QUESTION = 5000
"""Characters; more is a document, not a question."""

_SENTENCES = {
    AbstainReason.NO_DOCUMENTS: "There are no readable documents here yet, so there is nothing to answer from.",
    AbstainReason.EMPTY_QUESTION: "There is no question to answer: ask something in a few words.",
    AbstainReason.QUESTION_TOO_LONG: f"That is too long for a question: ask in at most {MAX_QUESTION:,} characters.",
    AbstainReason.NOT_FOUND: "The documents say nothing about this.",
    AbstainReason.NOT_ANSWERED: "The documents touch on this, but I found no sentence in them that answers it.",
    AbstainReason.OTHER_LANGUAGE: (
        "The question is in a script that these documents do not use, and without a model I cannot translate it: "
        "ask in the documents' language."
    ),
}
_unspaced = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯]")


def explain(reason: AbstainReason) -> str:
    """Return a reason as a sentence for people."""
    return _SENTENCES[reason]


def cannot_ask(question: str, index: Index) -> AbstainReason | None:
    """Return why a question cannot be searched for at all, or None when it can."""
    if len(question) > MAX_QUESTION:
        return AbstainReason.QUESTION_TOO_LONG
    if not any(character.isalnum() for character in question):
        return AbstainReason.EMPTY_QUESTION
    return None if index.counts()["chunks"] else AbstainReason.NO_DOCUMENTS


def judge(question: Question, sentences: Sequence[ReadSentence]) -> tuple[float, AbstainReason | None]:
    """Return the confidence in the best sentence, and why there is no answer when it is too low."""
    if not sentences:
        return 0.0, AbstainReason.NOT_FOUND
    confidence = max(sentence.score for sentence in sentences)
    if confidence >= GATE:
        return confidence, None
    return confidence, _reason(question, sentences)


def _reason(question: Question, sentences: Sequence[ReadSentence]) -> AbstainReason:
    if all(sentence.coverage == 0 for sentence in sentences) and _unspaced.search(question.text):
        return AbstainReason.OTHER_LANGUAGE
    touched = any(sentence.coverage >= 0.3 for sentence in sentences)
    return AbstainReason.NOT_ANSWERED if touched else AbstainReason.NOT_FOUND
