"""A model's streamed text as finished sentences, each with the passages its markers name.

How the text is cut into pieces changes nothing: a sentence ends where the characters up to the one after it say
so. Each character is looked at a bounded number of times, whatever brackets a text is made of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sentencex import get_sentence_boundaries

LONGEST = 1000
"""Characters after which a sentence is cut where it stands."""
_AHEAD = 80
"""Characters in which an opened bracket has to close to be a marker."""
_BEFORE = 60
"""Characters before a full stop that tell whether it ends a sentence or only an abbreviation."""
MOST = 8
"""Passages that one sentence can name."""

MOST_BRACKETS = 100
"""Brackets, stars and the like that a sentence can have; one with more is not language."""

_BRACKETS = "[]【】［］〔〕("
_WITHOUT = dict.fromkeys(map(ord, _BRACKETS))
_UNSPACED = ("。", "！", "？", "」", "』")
_OPEN, _CLOSE = r"[\[【［〔]{1,2}", r"[\]】］〕]{1,2}"
_LABEL = r"(?i:passages?|sentences?|sources?|refs?|notes?|no\.?|[sp#])?[ :.]{0,2}"
_NUMBER = r"\d{1,9}"
_GAP = r"[^\S\n]{0,2}"
_BETWEEN = rf"{_GAP}(?:[,;、，&~–—-]|and|to){_GAP}"
_MARKER = rf"{_OPEN}{_GAP}\^?{_LABEL}{_NUMBER}(?:{_BETWEEN}{_LABEL}{_NUMBER}){{0,30}}(?:†[^\]】\n]{{0,40}})?{_GAP}{_CLOSE}"
_INVENTED = r"[\[【［〔]\^?[\w.:#-]{0,20}\d[\w.:#-]{0,20}[\]】］〕]"
_TARGET = r"(?:\([^()\s]{0,300}\))?"
_token = re.compile(
    rf"(?P<code>`[^`\n]{{1,400}}`)|[ \t]?(?P<marker>{_MARKER}){_TARGET}|[ \t]?(?P<invented>{_INVENTED}){_TARGET}"
    rf"|!?\[(?P<link>[^\[\]\n]{{0,300}})\]\([^()\n]{{0,300}}\)"
)
_numbers = re.compile(rf"({_NUMBER})(?:{_GAP}(?:[~–—-]|to){_GAP}{_LABEL}({_NUMBER}))?")
_stop = re.compile(r"[\n.!?…。！？]")
_tail = re.compile(rf"(?:[\"'”’»)*_」』]|[ \t]*{_MARKER}{_TARGET})*")
_unclear = re.compile(rf"[ \t]*(?:\Z|[\[【［〔][^\]】］〕\n]{{0,{_AHEAD - 1}}}\Z)|\([^()\s]{{0,300}}\Z")
_lead = re.compile(r"[ \t]*(?:(?P<bullet>[-*•+][ \t]+|\d{1,3}[.)][ \t]+)|(?P<heading>#{1,6}[ \t]+)|>[ \t]?)?")
_ordinal = re.compile(r"[ \t]*\d{1,3}[.)]\Z")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a model's reply."""

    text: str
    """Its Markdown without markers and links; never empty."""
    numbers: tuple[int, ...]
    """The known passages that its markers name, in their order, each once."""
    lead: str
    """What separates it from the sentence before: a space, line breaks, or a line break and a bullet."""
    heading: bool = False
    """Whether it is a heading, or a line that only announces what follows."""


class Sentences:
    """Takes a reply piece by piece and gives its sentences as soon as they are finished.

    Args:
        known: How many passages there are; markers with other numbers vanish.
    """

    def __init__(self, known: int) -> None:
        self._known = known
        self._text = ""
        self._start = self._at = 0
        self._lead, self._fresh = "", True

    def feed(self, piece: str) -> Iterator[Sentence]:
        """Yield the sentences that are finished with the next piece of the reply."""
        self._text += piece
        yield from self._finished(last=False)
        self._text = self._text[self._start :]
        self._at -= self._start
        self._start = 0

    def close(self) -> Iterator[Sentence]:
        """Yield what is left when the reply has ended."""
        yield from self._finished(last=True)
        yield from self._cut(len(self._text))

    def _finished(self, last: bool) -> Iterator[Sentence]:
        while (end := self._end(last)) is not None:
            yield from self._cut(end)

    def _end(self, last: bool) -> int | None:
        """Where the next sentence ends; None while that is not known.

        Only the characters up to `LONGEST + _AHEAD` decide, so that it does not matter how many more are there.
        """
        limit = self._start + LONGEST
        known = len(self._text) >= limit + _AHEAD
        while stop := _stop.search(self._text, self._at, limit):
            if stop.group() == "\n":
                return stop.end()
            tail = _match_end(_tail, self._text, stop.end(), limit + _AHEAD)
            if not (known or last) and _unclear.match(self._text, tail):
                self._at = stop.start()
                return None
            if self._ends(stop, tail):
                return tail
            self._at = max(stop.end(), min(tail, limit))
        self._at = min(len(self._text), limit)
        if not known:
            return None
        space = self._text.rfind(" ", self._start + LONGEST // 2, limit)
        return space + 1 if space > 0 else limit

    def _ends(self, stop: re.Match[str], tail: int) -> bool:
        """Whether a sentence ends with a full stop and the quotes and markers behind it."""
        if stop.group() in "。！？":
            return True
        following = self._text[tail : tail + _AHEAD].lstrip(" \t")
        if following and not self._text[tail].isspace():
            return False
        if any(bracket in self._text[stop.end() : tail] for bracket in "[【［〔"):
            return True
        if self._fresh and _ordinal.match(self._text, self._start, stop.end()):
            return False
        plain = _replaced("", self._text[max(self._start, tail - _BEFORE) : tail]).strip()
        cuts = {cut["end_index"] for cut in get_sentence_boundaries("en", f"{plain} {following[:1] or 'A'}")}
        return bool(cuts & {len(plain), len(plain) + 1})

    def _cut(self, end: int) -> Iterator[Sentence]:
        """Take the text up to a place as a sentence."""
        said = self._text[self._start : end]
        self._start = self._at = end
        lead = _lead.match(said) if self._fresh else None
        body = said[lead.end() :] if lead else said
        numbers = dict[int, None]()

        def shown(token: re.Match[str]) -> str:
            if token["marker"]:
                numbers.update(dict.fromkeys(self._named(token["marker"])))
            return token["code"] or token["link"] or ""

        text = " ".join(_replaced(shown, body).split())
        if text.strip("`*_#|-=~: ") and not text.startswith("```"):
            bullet = (lead["bullet"] or "") if lead else ""
            heading = bool(lead and lead["heading"]) or text.rstrip("*_").endswith((":", "："))
            yield Sentence(text, tuple(numbers)[:MOST], self._separator(bullet), heading and not numbers)
            self._lead = "" if text.endswith(_UNSPACED) else " "
        if said.endswith("\n"):
            self._lead = "\n\n" if "\n" in self._lead else "\n"
        self._fresh = said.endswith("\n") or (self._fresh and not text)

    def _separator(self, bullet: str) -> str:
        return f"{self._lead or (chr(10) if bullet else '')}{bullet}"

    def _named(self, marker: str) -> Iterator[int]:
        for first, last in _numbers.findall(marker):
            low, high = int(first), int(last or first)
            yield from range(max(low, 1), min(high, self._known) + 1)


def _replaced(shown: str | Callable[[re.Match[str]], str], text: str) -> str:
    """A text with its markers, code and links replaced; one of little but brackets just loses them."""
    if sum(map(text.count, _BRACKETS)) > MOST_BRACKETS:
        return text.translate(_WITHOUT)
    return _token.sub(shown, text)


def _match_end(pattern: re.Pattern[str], text: str, at: int, until: int) -> int:
    found = pattern.match(text, at, until)
    return found.end() if found else at
