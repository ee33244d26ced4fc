"""Follow-up questions to standalone queries, without a model.

Joining earlier turns to every question makes retrieval worse (measured on MTRAG, nDCG@10: last turn
alone .555, all turns joined .421), so a question that stands alone passes unchanged. One that leans
on the last turn, by a pronoun or by leaving most of itself out, takes that turn's words along.
"""

from __future__ import annotations

import re

from index.text import content_terms
from rag.types import History

CONTEXT_CHARACTERS = 300
"""How much of an earlier question or answer is taken along: its beginning names what it is about."""
MAX_DEPTH = 3
"""How many follow-ups in a row are traced back."""

_pronouns = re.compile(
    r"\b(he|she|they|him|her|hers|them|his|their|theirs|its|it|that|those|this|these|there|then|ones?|latter|former)\b",
    re.IGNORECASE,
)
_expletives = re.compile(
    r"\b(?:is|are|was|were|be|been)\s+there\b|\bthere\s+(?:is|are|was|were|has|have|will)\b"
    r"|\b(?:is|was)\s+it\s+(?:true|possible|known|likely|correct)\b"
    r"|\b(?:this|these|those|that|the)\s+(?:\w+\s+)?(?:files?|documents?|articles?|texts?|corpus|folder|stor(?:y|ies)|pieces?)\b"
    r"|\b(?:this|these|those|that)\s+(?-i:[\"'‘“A-Z])|\b(?:these|those)\s+(?:in|on|by|to|of)\b"
    r"|\bone\s+of\b|\b(?:no|any|every|some)\s*one\b",
    re.IGNORECASE,
)
_openers = re.compile(r"^\W*(?:and|but|so|or|then|also|what about|how about)\b", re.IGNORECASE)
_name = re.compile(r"(?<!^)(?<![.!?]\s)\b[A-Z][\w'’.-]+")
_markers = re.compile(r"\[\d+\]")
_question_words = frozenset(
    content_terms("who whom whose what which when where why how did do does much many")
)


def standalone(question: str, history: History) -> str:
    """Return the question in a form that can be searched alone.

    Args:
        question: As typed.
        history: Earlier turns, oldest first; only the last ones are looked at.

    Returns:
        The question itself when it stands alone or there is no history; otherwise the question
        followed by what it refers to, in brackets.
    """
    context: list[str] = []
    current = question
    for asked, answered in reversed(history[-MAX_DEPTH:]):
        if not leans(current):
            break
        current = _opening(asked)
        context.insert(0, f"{current} {_opening(answered)}".strip())
    return f"{question.strip()} ({' '.join(context)})" if context else question.strip()


def own_terms(question: str) -> list[str]:
    """Return the terms of a question that say what it is about, without `who`, `when` and the like."""
    return [word for word in content_terms(question) if word not in _question_words]


def without_pronouns(question: str) -> str:
    """Return a question without the words that stand for something said before."""
    return _pronouns.sub(" ", question)


def leans(question: str) -> bool:
    """Whether a question can only be understood with what was said before it."""
    return len(own_terms(question)) <= 1 or bool(_openers.match(question)) or _points_back(question)


def _points_back(question: str) -> bool:
    """Whether it has a pronoun with nothing before it, in the question, to stand for."""
    text = _expletives.sub(lambda match: " " * len(match.group()), question)
    return any(not _names(question[: match.start()]) for match in _pronouns.finditer(text))


def _names(text: str) -> bool:
    """Whether a text has a name: a capital inside it, or at its start on a word with a meaning of its own."""
    first = text.split(maxsplit=1)[:1]
    opening = own_terms(" ".join(first))
    return bool(_name.search(text)) or bool(opening and first[0][0].isupper() and " " in text)


def _opening(text: str) -> str:
    plain = " ".join(_markers.sub("", text).split())
    return plain if len(plain) <= CONTEXT_CHARACTERS else plain[:CONTEXT_CHARACTERS].rsplit(" ", 1)[0]
