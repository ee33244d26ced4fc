"""Answer, or say that the documents do not hold it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index import Index
from rag.evidence import Evidence
from rag.question import Question
from rag.types import AbstainReason, Status

GATE = 0.05
"""An answer is given when its confidence reaches this. Low, because people's questions share fewer words with
the documents than those the confidence was fitted on, and score lower for it."""
TOUCHED = 0.3
"""Share of the question's words, by rarity, from which a sentence is about the same thing."""
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
    AbstainReason.MODEL_DECLINED: "The model read the closest passages and found no answer to this in them.",
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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found for one part of a question."""

    question: Question
    evidence: list[Evidence]
    """Best first."""
    confidence: float
    """0 to 1; the chance that the best evidence answers."""
    reason: AbstainReason | None
    """Why there is no answer; None when there is one."""


def judge(question: Question, evidence: list[Evidence]) -> Judgement:
    """Decide whether evidence answers a question."""
    confidence = evidence[0].score if evidence else 0.0
    reason = None if confidence >= GATE else _reason(question, evidence)
    return Judgement(question, evidence, confidence, reason)


def overall(parts: Sequence[Judgement]) -> tuple[Status, float, AbstainReason | None]:
    """Return the status, the confidence and the reason of an answer to all parts of a question.

    The confidence is that of the weakest part that is answered; when none is, that of the best.
    """
    answered = [part.confidence for part in parts if not part.reason]
    if not answered:
        best = max(parts, key=lambda part: part.confidence)
        return "abstained", best.confidence, best.reason
    return "answered" if len(answered) == len(parts) else "partial", min(answered), None


def _reason(question: Question, evidence: Sequence[Evidence]) -> AbstainReason:
    if all(item.coverage == 0 for item in evidence) and _unspaced.search(question.text):
        return AbstainReason.OTHER_LANGUAGE
    touched = any(item.coverage >= TOUCHED for item in evidence)
    return AbstainReason.NOT_ANSWERED if touched else AbstainReason.NOT_FOUND
