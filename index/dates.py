"""Dates in texts: those that a text names, and the one that a document says it is of."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from index.types import Span

HEAD = 12
"""A document says when it was written in its front matter, or in so many of its first lines that are not blank."""
LINE = 240
"""What says when a document was written is no longer than so many characters."""
HINDSIGHT = 50
"""A document that names a year so much later than a date was not written then: it tells of that time."""

_PARTS = {
    "year": r"[12]\d{3}(?!\d)",
    "month": r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b",
    "number": r"[01]?\d(?!\d)",
    "day": r"[0-3]?\d(?!\d)(?:st|nd|rd|th)?",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WHOLE = (
    r"{month}\.? {day},? {year}",
    r"{day} (?:of )?{month}\.?,? {year}",
    r"{year}-{number}-{day}",
    r"{year}/{number}/{day}",
    r"{year}年 ?{number}月 ?{day}日",
)
"""Not 03/05/2024, which is another day in another country."""
_SOME = (
    r"{month}\.? {day}(?! ?[-–] ?\d)",
    r"(?<![-–]){day} (?:of )?{month}",
    r"{month}\.?,? {year}",
    r"{year}年(?: ?{number}月)?",
    r"{number}月 ?{day}日",
    r"(?<![.,$€£-])(?=1[5-9]|20){year}(?![.,]?\d|%)",
    r"{month}(?=\.? \d)",
)
"""Parts of a date. A range of days counts as its month."""


def _form(form: str, parts: dict[str, str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\d)(?:{form.format(**parts)})", re.IGNORECASE)


_named = {name: f"(?P<{name}>{part})" for name, part in _PARTS.items()}
_forms = [_form(form, _named) for form in (*_WHOLE, *_SOME)]
_whole = _form("|".join(_WHOLE), _PARTS)

_TIME = r"(?:[T ,|·•–—@-]*(?:at )?\d\d?[:.]\d\d[:.\d]*(?: ?[AaPp]\.?[Mm]\b\.?)?(?: ?(?:[A-Z]{1,5}\b|[+-]\d\d:?\d\d))?)?"
_AFTER = rf"{_TIME}(?:\W{{0,3}}[月火水木金土日]\W{{0,3}})?{_TIME}"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b)?"
_NAME = r"[A-Z][\w.’'-]*(?:(?:,| and| &)? [A-Z][\w.’'-]*){0,5}"
_nothing = re.compile(rf"\W*(?i:{_WEEKDAY})\W*")
_nothing_more = re.compile(rf"{_AFTER}\W*")
_says = re.compile(
    r"\W*(?:(?i:(?:first |last |originally )?(?:published|posted|updated|modified|revised|reviewed|dated|as of)"
    r"(?: (?:on|at|by))?\b|(?:date|created|written)\W*[:：]|(?:version|revision|edition|draft)\W{1,2}[\w.]{1,12}\b)"
    rf"|(?:公開|掲載|更新|作成|発行|投稿|最終更新)日?時?|日付|日時)\W*(?:{_NAME})?\W*(?i:{_WEEKDAY})\W*"
    rf"|\W*(?i:by) {_NAME}\W+(?i:{_WEEKDAY})\W*"
)
_signed = re.compile(rf"{_AFTER}\W*(?:(?i:by) {_NAME})?\W*(?:\d+ min(?:ute)?s? read)?(?:更新|公開|掲載)?\W*")
_place = re.compile(
    r"\W*[A-Z][A-Z.’'-]+(?: [A-Z][A-Z.’'-]+){0,3}(?:, [A-Z][A-Za-z. ]{1,24})?(?: \([^)]*\))?(?:,| ?[-–—]+) ?"
)
_report = re.compile(r"\W{0,2}(?:\([^)]+\)|/[^/]+/|[-–—:])")
_front_matter = re.compile(r"\s*---[ \t]*\r?\n.{0,10000}?^---[ \t]*$", re.DOTALL | re.MULTILINE)
_line = re.compile(r"\S[^\r\n]*")
_year = re.compile(r"(?<![\d.,])(?:1[5-9]|20)\d\d(?![\d%]|[.,]\d)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A date that a text names, or the part of one that it gives."""

    span: Span
    """Where it stands in the text."""
    year: int | None
    month: int | None
    day: int | None

    @property
    def parts(self) -> tuple[int | None, int | None, int | None]:
        """Year, month and day."""
        return self.year, self.month, self.day

    def date(self) -> datetime.date | None:
        """Return the day it means; None when a part is missing or there is no such day."""
        if self.year is None or self.month is None or self.day is None:
            return None
        try:
            return datetime.date(self.year, self.month, self.day)
        except ValueError:
            return None

    def excludes(self, other: Mention) -> bool:
        """Whether they cannot mean the same day: they differ in a part that both give."""
        return any(mine and its and mine != its for mine, its in zip(self.parts, other.parts, strict=True))

    def holds(self, other: Mention) -> bool:
        """Whether the other one gives the same parts, or more."""
        return all(mine in (None, its) for mine, its in zip(self.parts, other.parts, strict=True))


def mentions(text: str) -> list[Mention]:
    """Return the dates, and parts of dates, that a text names, in order; empty when it names none."""
    found: list[Mention] = []
    for form in _forms:
        found += map(_mention, form.finditer(text))
        text = form.sub(lambda match: "\0" * len(match[0]), text)
    return sorted(found, key=lambda mention: mention.span)


def _mention(match: re.Match[str]) -> Mention:
    parts = match.groupdict()
    name, day = parts.get("month"), parts.get("day")
    month = _MONTHS.index(name[:3].lower()) + 1 if name else int(parts.get("number") or 0)
    year = parts.get("year")
    return Mention(
        span=match.span(),
        year=int(year) if year else None,
        month=month or None,
        day=int(day.rstrip("stndrhSTNDRH")) if day else None,
    )


def document_date(text: str) -> datetime.date | None:
    """Return the day a document says it was last written; None when it does not say so plainly.

    It says so in front matter, in a byline or dateline among its first lines (`Published: 3 May 2024`,
    `By Ann Lee, May 3, 2024`, `OSLO, May 3, 2024 (NTB) -`), or by a date on a line of its own, when all such
    lines of the document agree.
    """
    front = _front_matter.match(text)
    head = HEAD + (front[0].count("\n") if front else 0)
    stated: set[datetime.date] = set()
    alone: set[datetime.date] = set()
    for number, line in enumerate(_line.finditer(text)):
        if number >= head and (stated or len(alone) != 1):
            break
        date, states = _dated(line[0])
        if date and states:
            stated.add(date)
        elif date:
            alone.add(date)
    found = stated or alone
    # Two may be when it was published and updated; more are a list of something.
    last = max(found) if 1 <= len(found) <= (2 if stated else 1) else None
    return None if last and _tells_of(last.year, text) else last


def _dated(line: str) -> tuple[datetime.date | None, bool]:
    """The date of a line that is little else than a date, and whether it says that something was written then."""
    match = _whole.search(line, 0, LINE)
    date = _whole_date(match[0]) if match else None
    if not match or not date:
        return None, False
    before, after = line[: match.start()], line[match.end() :]
    if _place.fullmatch(before):
        return (date, True) if _report.match(after) else (None, False)
    if len(line) > LINE or not _signed.fullmatch(after):
        return None, False
    alone = bool(_nothing.fullmatch(before))
    signed = not _nothing_more.fullmatch(after)
    if alone or _says.fullmatch(before):
        return date, signed or not alone
    return None, False


def _whole_date(text: str) -> datetime.date | None:
    forms = (form.fullmatch(text) for form in _forms)
    return next((_mention(match).date() for match in forms if match), None)


def _tells_of(year: int, text: str) -> bool:
    """Whether a text looks back on a year from a much later one."""
    return any(int(other[0]) > year + HINDSIGHT for other in _year.finditer(text))
