"""Whether a question is in the language of the documents, told from their words alone."""

from __future__ import annotations

from math import exp

from index import Index
from index.text import content_terms, terms

ENGLISH = 0.3
"""Share of English function words from which a text is English."""
KNOWN = 0.5
"""Share of a question's words that the documents have when it is in their language."""


def is_foreign(question: str, index: Index) -> bool:
    """Return whether a question seems to be in another language than the documents.

    A question about something they do not mention shares at least the function words with them.
    """
    words = sorted(set(terms(question)))
    if not words:
        return False
    everywhere = exp(-index.rarity(["the"])["the"])  # share of the chunks that have it, closely enough
    function_words = len(terms(question)) - len(content_terms(question))
    if function_words >= ENGLISH * len(terms(question)) and everywhere >= ENGLISH:
        return False
    return sum(index.mentions([word]) for word in words) < KNOWN * len(words)
