"""Footnote markers and the passages behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index import ScoredChunk, Span
from rag.types import AbstainReason, Citation, Claim, Status, Verdict

Passage = tuple[ScoredChunk, Span]
"""A stretch of a retrieved chunk."""
DECLINED = 0.05
"""Confidence that is left, at most, when a model found no answer."""

_special = re.compile(r"[\\`*_\[\]<>|~$]|&(?=#?\w+;)")
_space = re.compile(r"\s+")
_block = re.compile(r"^(?=[#+=-])|^(\d+)(?=[.)](?:\s|$))")


def plain_markdown(text: str) -> str:
    """Return a document's words as Markdown that shows them as they are, on one line.

    Nothing in a document can become formatting, a link, HTML or a footnote marker.
    """
    return _block.sub(r"\1\\", _inline(text).strip())


def bold_markdown(text: str, bold: Span) -> str:
    """Return a document's words as `plain_markdown` does, those from `bold[0]` to `bold[1]` in bold.

    Words are marked from the first to the last letter or digit, where Markdown allows it everywhere.
    """
    letters = [place for place in range(*bold) if text[place].isalnum()]
    if not letters:
        return plain_markdown(text)
    first, last = letters[0], letters[-1] + 1
    marked = f"{_inline(text[:first])}**{_inline(text[first:last])}**{_inline(text[last:])}"
    return _block.sub(r"\1\\", marked.strip())


_emphasis = re.compile(
    r"\*\*(?P<strong>[^\s*](?:[^*\n]{0,400}[^\s*])?)\*\*(?!\w)|(?<![\w*])\*(?P<em>[^\s*](?:[^*\n]{0,400}[^\s*])?)\*(?![\w*])"
    r"|`(?P<code>[^`\n\\\[\]]{1,400})`"
)
_address = re.compile(r"(?<=[a-zA-Z0-9])(?=:/{1,2}|@)|(?i:(?<=\bwww)(?=\.))")


def model_markdown(text: str) -> str:
    """Return what a model wrote as Markdown of which only bold, italics and code are left.

    Images, links, HTML, bare addresses and markers become the characters they are made of.
    """
    parts, at = list[str](), 0
    for found in _emphasis.finditer(text):
        parts.append(_unlinked(text[at : found.start()]))
        at = found.end()
        mark = {"strong": "**", "em": "*"}.get(found.lastgroup or "", "")
        parts.append(f"{mark}{_unlinked(found[found.lastgroup or 0])}{mark}" if mark else found[0])
    return _block.sub(r"\1\\", "".join([*parts, _unlinked(text[at:])]).strip())


def _unlinked(text: str) -> str:
    """Words as `_inline` has them, with addresses that no reader of Markdown turns into links."""
    return _address.sub(r"\\", _inline(text))


def _inline(text: str) -> str:
    return _special.sub(r"\\\g<0>", _space.sub(" ", text))


class Draft:
    """An answer while it is being written: its text, its claims and their footnotes."""

    def __init__(self) -> None:
        self.text = ""
        self.claims: list[Claim] = []
        self.citations: list[Citation] = []
        self.engine = "extractive"
        """What wrote the text, as `Answer.engine` has it."""
        self.declined: AbstainReason | None = None
        """Why there is no answer after all."""
        self.incomplete = False
        """Whether the text stops before its end, or leaves part of the question open, and says so."""
        self.notices: list[str] = []
        self.usage: dict[str, int] = {}
        self._numbers: dict[tuple[str, Span], int] = {}

    def say(self, text: str) -> str:
        """Add words that claim nothing about the documents; return what was added."""
        self.text += text
        return text

    def claim(
        self,
        text: str,
        passages: Sequence[Passage],
        verdict: Verdict = "supported",
        reason: str = "",
        remark: str = "",
    ) -> str:
        """Add a statement with the passages it rests on; return what was added.

        Args:
            text: The statement, as Markdown.
            passages: At least one.
            verdict: Whether they support it.
            reason: Why they do not.
            remark: Words of ours between the statement and its markers.
        """
        numbers = tuple(dict.fromkeys(self._cite(source, span) for source, span in passages))
        start = len(self.text)
        end = start + len(text)
        self.claims.append(
            Claim(text=text, start=start, end=end, citations=numbers, verdict=verdict, reason=reason)
        )
        markers = "".join(f"[{number}]" for number in numbers)
        return self.say(" ".join(filter(None, (text, remark, markers))))

    def outcome(self, status: Status, confidence: float) -> tuple[Status, float, AbstainReason | None]:
        """Return what became of an answer that the documents seemed to allow.

        Args:
            status: What the documents allow.
            confidence: That they hold the answer; less is left of it as fewer claims are supported.
        """
        if self.declined:
            return "abstained", min(confidence, DECLINED), self.declined
        if self.engine != "extractive":
            status = "partial" if self.incomplete else "answered"
        worth = {"supported": 1.0, "weak": 0.5, "unsupported": 0.0}
        held = sum(worth[claim.verdict] for claim in self.claims)
        return status, confidence * held / max(1, len(self.claims)), None

    def _cite(self, source: ScoredChunk, span: Span) -> int:
        chunk = source.chunk
        key = (chunk.file, span)
        if key not in self._numbers:
            self._numbers[key] = number = len(self.citations) + 1
            self.citations.append(
                Citation(
                    number=number,
                    file=chunk.file,
                    title=chunk.title,
                    date=chunk.date,
                    page=chunk.page,
                    start=span[0],
                    end=span[1],
                    quote=chunk.sentence(span),
                )
            )
        return self._numbers[key]
