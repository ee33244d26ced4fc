"""Answer, or say that the documents do not hold it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from index import Index
from index.text import content_terms
from rag.citations import plain_markdown
from rag.evidence import Evidence
from rag.question import Question
from rag.types import AbstainReason, Status

GATE = 0.05
"""An answer is given when its confidence reaches this. Low, because people's questions share fewer words with
the documents than those the confidence was fitted on, and score lower for it."""
TOUCHED = 0.3
"""Share of the question's words, by rarity, from which a sentence is about the same thing."""
MATCHED = 0.15
"""The same for a question in a script that the reader does not know. Low: endings and particles seldom agree."""
MAX_STRANGE = 5
"""Of the words that no document has, so many are named."""
MAX_QUESTION = 5000
"""Characters; more is a document, not a question."""

_SENTENCES = {
    AbstainReason.NO_DOCUMENTS: "There are no readable documents here yet, so there is nothing to answer from.",
    AbstainReason.EMPTY_QUESTION: "There is no question to answer: ask something in a few words.",
    AbstainReason.QUESTION_TOO_LONG: f"That is too long for a question: ask in at most {MAX_QUESTION:,} characters.",
    AbstainReason.NOT_FOUND: "The documents say nothing about this.",
    AbstainReason.NOT_ANSWERED: "The documents touch on this, but I found no sentence in them that answers it.",
    AbstainReason.OTHER_LANGUAGE: (
        "The question is in a script that these documents hardly use, and without a model I cannot translate it: "
        "ask in the documents' language."
    ),
}
_EAST_ASIAN = {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL"}


def explain(reason: AbstainReason, question: str, index: Index) -> str:
    """Return a reason as sentences for people, with the words of the question that no document has."""
    words = [word for typed in question.split() if (word := typed.strip("\"'“”‘’«»()[]{}.,;:!?"))]
    strange = dict.fromkeys(w for w in words if (terms := content_terms(w)) and not index.mentions(terms))
    if not strange or reason not in (AbstainReason.NOT_FOUND, AbstainReason.NOT_ANSWERED):
        return _SENTENCES[reason]
    listed = ", ".join(f"“{plain_markdown(word)}”" for word in list(strange)[:MAX_STRANGE])
    return f"{_SENTENCES[reason]} Words of the question that are not in them: {listed}."


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
    found, script = evidence, _script(question.text)
    if script not in ("", "LATIN"):  # The reader knows Latin script only: words must agree as well.
        found = [item for item in evidence if item.coverage >= MATCHED]
    confidence = found[0].score if found else 0.0
    reason = None if confidence >= GATE else _reason(script, evidence)
    return Judgement(question, found, confidence, reason)


def overall(parts: Sequence[Judgement]) -> tuple[Status, float, AbstainReason | None]:
    """Return the status, the confidence and the reason of an answer to all parts of a question.

    The confidence is that of the weakest part that is answered; when none is, that of the best.
    """
    answered = [part.confidence for part in parts if not part.reason]
    if not answered:
        best = max(parts, key=lambda part: part.confidence)
        return "abstained", best.confidence, best.reason
    return "answered" if len(answered) == len(parts) else "partial", min(answered), None


def _reason(script: str, evidence: Sequence[Evidence]) -> AbstainReason:
    scripts = [_script(item.text) for item in evidence]
    if script and evidence and scripts.count(script) < len(scripts) / 2:
        return AbstainReason.OTHER_LANGUAGE
    touched = any(item.coverage >= TOUCHED for item in evidence)
    return AbstainReason.NOT_ANSWERED if touched else AbstainReason.NOT_FOUND


def _script(text: str) -> str:
    """The script of most letters of a text, as Unicode names it, those of East Asia as one; "" without letters."""
    names = (unicodedata.name(letter, "").split(" ")[0] for letter in text if letter.isalpha())
    counts = Counter("CJK" if name in _EAST_ASIAN else name for name in names)
    return counts.most_common(1)[0][0] if counts else ""
