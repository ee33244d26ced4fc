"""The answer and its parts, and the events of a streamed answer."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

from index.types import ScoredChunk

Turn = tuple[str, str]
"""One earlier exchange: what was asked, what was answered."""
History = Sequence[Turn]
Status = Literal["answered", "partial", "abstained"]
Gate = Literal["cautious", "balanced", "eager"]
"""How sure an answer must be to be given."""
Verdict = Literal["supported", "weak", "unsupported"]


class AbstainReason(StrEnum):
    """Why there is no answer."""

    NO_DOCUMENTS = "no_documents"
    """The corpus holds no readable text."""
    EMPTY_QUESTION = "empty_question"
    """There is nothing to search for in the question."""
    QUESTION_TOO_LONG = "question_too_long"
    """The question is longer than any question needs to be."""
    NOT_FOUND = "not_found"
    """Nothing in the documents is about this."""
    NOT_ANSWERED = "not_answered"
    """The documents speak of it, but no sentence answers the question."""
    OTHER_LANGUAGE = "other_language"
    """The question's script does not occur in the documents, so they cannot be matched."""
    MODEL_DECLINED = "model_declined"
    """The model read the passages and found no answer in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Pointer from a footnote marker to the exact passage it rests on."""

    number: int
    """What the marker shows; starts at 1, in order of first use."""
    file: str
    """Path relative to the corpus folder, with `/` separators."""
    title: str
    """Title of the document."""
    date: datetime.date | None = None
    """The day the document says it was last written; None when it does not say so."""
    page: int | None
    """Page it stands on, from 1; None for formats without pages."""
    start: int
    """Offset of the quote's first character in the document's text."""
    end: int
    """Offset just after its last character."""
    quote: str
    """Equal to `text[start:end]` of the document, character for character."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data; the date in ISO form."""
        return {**asdict(self), "date": self.date and self.date.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement of the answer with the citations that support it."""

    text: str
    """The statement without its markers."""
    start: int
    """Offset of the statement in `Answer.text`."""
    end: int
    """Offset just after the statement, its markers excluded."""
    citations: tuple[int, ...]
    """Numbers of the citations; never empty."""
    verdict: Verdict
    """Whether the cited passages support it."""
    reason: str = ""
    """Why not, in one sentence for people; empty when they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What every interface returns for a question."""

    text: str
    """Markdown with footnote markers `[1]`, `[2]` in order of first use."""
    status: Status
    """`partial`: the text says which part of the question is not covered."""
    abstain_reason: AbstainReason | None
    """None unless `status` is `abstained`."""
    confidence: float
    """Calibrated chance, 0 to 1, that the answer is right and fully supported."""
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    """In order of their numbers; empty when abstained."""
    question: str
    """As typed."""
    query: str
    """The standalone form that was searched."""
    chunks: tuple[ScoredChunk, ...]
    """What was retrieved, best first; every citation lies inside one of them."""
    engine: str
    """`extractive`, or the name of the model that wrote the text."""
    timings_ms: dict[str, float] = field(default_factory=dict)
    """Milliseconds per stage, and `total`."""
    usage: dict[str, int] = field(default_factory=dict)
    """Tokens spent on a model; empty without one."""
    notices: tuple[str, ...] = ()
    """What was cut, skipped or fell back, one sentence each."""

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON data, the same for every interface."""
        return {
            "text": self.text,
            "status": self.status,
            "abstain_reason": self.abstain_reason and str(self.abstain_reason),
            "confidence": self.confidence,
            "claims": [{**asdict(claim), "citations": list(claim.citations)} for claim in self.claims],
            "citations": [citation.to_dict() for citation in self.citations],
            "question": self.question,
            "query": self.query,
            "chunks": [scored.to_dict() for scored in self.chunks],
            "engine": self.engine,
            "timings_ms": dict(self.timings_ms),
            "usage": dict(self.usage),
            "notices": list(self.notices),
        }


@dataclass(frozen=True, slots=True)
class Retrieved:
    """First event of a stream: what will be read, before any text."""

    query: str
    chunks: tuple[ScoredChunk, ...]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the answer; all deltas in order make up `Answer.text`.

    An empty one only means that a model is being waited for: closing the stream there ends its request.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Completed:
    """Last event of a stream."""

    answer: Answer


Event = Retrieved | TextDelta | Completed
