"""What a question asks for: a fact, several points, or a summary; and whether it asks two things at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from index.text import content_terms


class Order(StrEnum):
    """Which of several dated documents a question wants to hear first."""

    ANY = "any"
    NEWEST = "newest"
    OLDEST = "oldest"


class Kind(StrEnum):
    """How much an answer to a question needs to hold."""

    FACT = "fact"
    """One sentence, two at most."""
    LIST = "list"
    """Several points."""
    SUMMARY = "summary"
    """The gist of one document or of all."""


_summary = re.compile(
    r"\b(?:summar(?:y|i[sz]e)|sum\s+up|tl;?dr|gist|overview|in\s+(?:short|brief)|outline)\b"
    r"|\bwhat\s+(?:is|are|'s)\b.{0,60}\babout\b\W*(?:overall|in\s+general)?\W*$"
    r"|\bmain\s+(?:points?|ideas?|themes?|topics?)\b",
    re.IGNORECASE,
)
_list = re.compile(
    r"^\W*(?:list|name|enumerate|give\s+me\s+all)\b|\bwhat\s+do(?:es)?\b.{0,80}\b(?:say|tell|mention|write)\b"
    r"|\b(?:which|what)\s+(?:\w+\s+){0,3}(?:are|were|do|did|have|had|things|reasons|issues|points|ways)\b"
    r"|\ball\s+the\b|\b(?:reasons|ways|steps|differences|advantages|examples)\b|\btell\s+me\s+(?:everything|more|all)\b"
    r"|\b(?:put|piece)\s+together\b|\bcompare\b",
    re.IGNORECASE,
)
_PAPER = r"(?=\s+(?:report|article|story|note|document|file|entry|news|update|minutes|edition)s?\b)"
_now = re.compile(
    r"\s+\b(?:right now|now|nowadays|currently|at present|at the moment|these days|as of now|today(?=\W*$))\b"
    rf"|(?<=\bthe) current(?!\s+(?:of|in|is|through|and|at)\b)(?=\s+\w)|\s+(?:latest|newest|most recent){_PAPER}",
    re.IGNORECASE,
)
_at_first = re.compile(
    rf"\s+(?:originally|initially|at first)\b|\s+(?:earliest|oldest){_PAPER}", re.IGNORECASE
)
_measure = re.compile(
    r"\bhow\s+(?:many|much|long|old|far|tall|big|large|fast|high|deep|often)\b"
    r"|\b(?:what|which)\s+(?:year|month|day|date|time|century|decade)\b",
    re.IGNORECASE,
)
_either = re.compile(
    r"\b(?:which|what|who)\b(?:.*\b(?:was|were)\s+(?P<done>\w+)|.*?)\s+(?:first|last|earlier|later|sooner)\s*[,:—–-]+\s*"
    r"(?!\s|and\b)(?P<one>[^,?]+?),?\s+or\s+(?P<other>[^,?]+)\W*$",
    re.IGNORECASE,
)
_part = re.compile(
    r"(?:\?\s+(?:and\s+)?|[,;]?\s+and\s+|[,;]\s+)(?=(?:who|whom|whose|what|when|where|why|which|how)\b(?!\s+(?:is|are)\s+why))",
    re.IGNORECASE,
)
_name = re.compile(r"\b[A-Z]\w")
_asks = re.compile(
    r"\b(?:who|whom|whose|what|when|where|why|which|how|did|does|do|is|are|was|were|has|have|can|will)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question in its standalone form, and what it wants."""

    text: str
    """The question without earlier turns, its spelling mended; what must be answered."""
    query: str
    """The standalone form; what is searched."""
    kind: Kind
    order: Order = Order.ANY

    @property
    def wanted(self) -> list[str]:
        """The terms that an answer must cover: the question's own, not those of earlier turns."""
        return content_terms(self.text)

    @property
    def refers(self) -> bool:
        """Whether it leans on something said before it, in an earlier turn or an earlier part."""
        return self.query != self.text.strip()

    def parts(self) -> list[Question]:
        """Return the questions that it asks in one sentence, in order; itself when it asks only one.

        A later part without a name of its own keeps the first one as its context, for what `it` or `the
        call` stand for. Which of two came first is asked as when each was. Words such as `now` become the
        order of the parts: sentences seldom say them, but documents have dates.
        """
        if self.refers and not self.query.startswith(self.text):
            return [_ordered(self)]  # Its parts are not those of the words that were typed.
        said_before = self.query[len(self.text) :]
        if choice := _either.search(self.text):
            done = f" {choice['done']}" if choice["done"] else ""
            return [understand(f"When was {choice[name]}{done}?") for name in ("one", "other")]
        texts = [text.strip() for text in _part.split(self.text)]
        if self.kind is Kind.SUMMARY or len(texts) == 1 or not all(_asks.search(text) for text in texts):
            return [_ordered(self)]
        first, *others = texts
        later = (
            understand(text, (text if _name.search(text, 1) else f"{text} ({first})") + said_before)
            for text in others
        )
        return [_ordered(part) for part in (understand(first, first + said_before), *later)]


def understand(text: str, query: str = "") -> Question:
    """Return what a question asks for; `query` is its standalone form, itself when left out."""
    return Question(text, query or text.strip(), _kind(text))


def _ordered(part: Question) -> Question:
    """A question with its words for now, or for the beginning, turned into an order."""
    for words, order in ((_now, Order.NEWEST), (_at_first, Order.OLDEST)):
        if part.kind is not Kind.SUMMARY and words.search(part.text):
            text, query = words.sub("", part.text), words.sub("", part.query)
            return replace(part, text=text, query=query, order=order)
    return part


def _kind(text: str) -> Kind:
    if _summary.search(text):
        return Kind.SUMMARY
    if _measure.search(text):
        return Kind.FACT
    return Kind.LIST if _list.search(text) else Kind.FACT
