"""Whether a question is in the language of the documents, told from their words alone."""

from __future__ import annotations

import re
from math import exp

from index import Index
from index.text import terms

ENGLISH = 0.3
"""Share of English function words from which a text is English."""
KNOWN = 0.5
"""Share of a question's words that the documents have when it is in their language."""


_english = re.compile(
    r"\b(?:who|whom|whose|what|which|when|where|why|how|does|did|do|has|have|had|can|could|would|should|many|much|about"
    r"|you|your|he|she|his|her|him|we|our|us|my|me|them|than|from|after|before|between|tell|the|of|and|is|are|was|were"
    r"|in|on|to|for|a|an|it|that|this|by|with|at|or|not|be)\b",
    re.IGNORECASE,
)


def is_foreign(question: str, index: Index) -> bool:
    """Return whether a question seems to be in another language than the documents.

    A question about something they do not mention shares at least the function words with them.
    """
    words = sorted(set(terms(question)))
    if not words:
        return False
    everywhere = exp(-index.rarity(["the"])["the"])  # share of the chunks that have it, closely enough
    if len(_english.findall(question)) >= ENGLISH * len(question.split()) and everywhere >= ENGLISH:
        return False
    return sum(index.mentions([word]) for word in words) < KNOWN * len(words)
