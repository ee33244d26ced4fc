"""Answer, or say that the documents do not hold it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from index import Index
from index.text import content_terms
from rag.citations import plain_markdown
from rag.evidence import Evidence, logistic
from rag.question import Kind, Question
from rag.types import AbstainReason, Gate, History, Status

GATES: dict[Gate, float] = {"cautious": 0.3, "balanced": 0.1, "eager": 0.05}
"""An answer is given when its confidence reaches this."""
CALIBRATION = (0.76, 3.24)
"""Weights of the log-odds of the best sentence and of the similarity of question and chunk."""
OFFSET = -1.82
"""Fitted with the weights by `rag.training.fit`, on held-out questions of SQuAD 2.0 and CLAPnq and on those of
SQuAD 1.1 with and without their answers in the documents, so that of the answers with a confidence of 0.7 some
70 in 100 are right. The similarity counts because SQuAD's questions are all near some paragraph, people's are not."""
LEAST = 1e-6
"""Scores closer to 0 or 1 than this say no more."""
TOUCHED = 0.3
"""Share of the question's words, by rarity, from which a sentence is about the same thing."""
MATCHED = 0.15
"""The same for a question in a script that the reader does not know. Low: endings and particles seldom agree."""
MAX_STRANGE = 5
"""Of the names that no document has, so many are listed."""
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
    AbstainReason.MODEL_DECLINED: "The model read the closest passages and found no answer to this in them.",
}
_bound = re.compile(r"\b(?:before|after|since|until)\s+\d+", re.IGNORECASE)
_word = re.compile(r"\w[\w’'-]*(?:[.,]\d+)*")
_WITH_HAN = {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL"}


def explain(reason: AbstainReason, strange: Sequence[str] = ()) -> str:
    """Return a reason as sentences for people, with the names that no document has."""
    if not strange or reason not in (AbstainReason.NOT_FOUND, AbstainReason.NOT_ANSWERED):
        return _SENTENCES[reason]
    listed = ", ".join(f"“{plain_markdown(name)}”" for name in strange[:MAX_STRANGE])
    return f"{_SENTENCES[reason]} Nowhere in them: {listed}."


def strange_names(question: str, index: Index) -> list[str]:
    """Return the names and numbers of a question that no document has, in order, without years that only bound it."""
    words = _word.findall(_bound.sub("", question))[1:]  # The first one has a capital in any case.
    names = dict.fromkeys(w for w in words if w != "I" and (w[0].isupper() or w[0].isdigit()))
    return [name for name in names if (terms := content_terms(name)) and not index.mentions(terms)]


def cannot_ask(question: str, index: Index, history: History = ()) -> AbstainReason | None:
    """Return why a question cannot be searched for at all, or None when it can."""
    if len(question) > MAX_QUESTION:
        return AbstainReason.QUESTION_TOO_LONG
    if not (content_terms(question) or (history and any(map(str.isalnum, question)))):
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


def judge(question: Question, evidence: list[Evidence], gate: Gate) -> Judgement:
    """Decide whether evidence, the best first, answers a question."""
    found, script = evidence, _script(question.text)
    if script not in ("", "LATIN"):  # The reader knows Latin script only: words must agree as well.
        found = [item for item in evidence if item.coverage >= MATCHED]
    confidence = confidence_in(question, found[0]) if found else 0.0
    reason = None if confidence >= GATES[gate] else _reason(script, evidence)
    return Judgement(question, found, confidence, reason)


def confidence_in(question: Question, best: Evidence) -> float:
    """Return the chance, 0 to 1, that the best evidence answers a question.

    The sentences of a summary are taken as they are: what they sum up has been found by its name.
    """
    if question.kind is Kind.SUMMARY:
        return best.score
    return logistic(float(np.dot(CALIBRATION, signs(best))) + OFFSET)


def signs(best: Evidence) -> tuple[float, float]:
    """Return what the confidence in the best evidence is made of, in the order of `CALIBRATION`."""
    odds = min(max(best.score, LEAST), 1 - LEAST)
    return log(odds / (1 - odds)), best.source.similarity


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
    """The script of most letters of a text, as Unicode names it, Han, kana and Hangul counted as one; "" without letters."""
    names = (unicodedata.name(letter, "").split(" ")[0] for letter in text if letter.isalpha())
    counts = Counter("CJK" if name in _WITH_HAN else name for name in names)
    return counts.most_common(1)[0][0] if counts else ""
