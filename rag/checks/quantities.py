"""Numbers, dates and units in a sentence, in a form that can be compared.

Digits and number words, ordinals, fractions, percentages, money, measures and dates are read into the same
values: `1,000`, `one thousand` and `1000` are equal, and so are `3 May 1901` and `May 3rd, 1901`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from index import Span

CLOSE = Decimal("0.05")
"""Share by which `about 500` may be off."""
EXACT = Decimal("0.02")
"""Share by which a measure may be off after it was converted to another unit."""


def _words(text: str) -> list[str]:
    return text.split()


_ONES = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
WRITTEN = _ONES[:13]
"""Words of the numbers from 0 on that are mostly written as words."""
_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = _words(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_MONTHS = _words("january february march april may june july august september october november december")
_SMALL = {word: number for number, word in enumerate(_ONES)} | {
    word: 10 * number for number, word in enumerate(_TENS, 2)
}
_ORDINAL = {word: number for number, word in enumerate(_ORDINALS)} | {
    f"{word[:-1]}ieth": 10 * number for number, word in enumerate(_TENS, 2)
}
_SCALE = {
    "hundred": 10**2, "thousand": 10**3, "k": 10**3, "million": 10**6, "mn": 10**6, "billion": 10**9,
    "bn": 10**9, "trillion": 10**12, "dozen": 12, "万": 10**4, "億": 10**8, "兆": 10**12, "亿": 10**8,
}  # fmt: skip
_MONTH = {month: number for number, month in enumerate(_MONTHS, 1)}
_MONTH |= {month[:3]: number for month, number in _MONTH.items()} | {"sept": 9}
_CURRENCY = {
    "$": "$", "dollar": "$", "usd": "$", "€": "€", "euro": "€", "eur": "€", "£": "£", "gbp": "£", "¥": "¥",
    "yen": "¥", "円": "¥", "jpy": "¥",
}  # fmt: skip
_MEASURES: dict[str, dict[str, float]] = {
    "length": {
        "mm": 0.001, "millimet": 0.001, "cm": 0.01, "centimet": 0.01, "m": 1, "met": 1, "km": 1000, "kilomet": 1000,
        "inch": 0.0254, "foot": 0.3048, "feet": 0.3048, "ft": 0.3048, "yard": 0.9144, "mile": 1609.344, "mi": 1609.344,
    },
    "mass": {
        "g": 0.001, "gram": 0.001, "kg": 1, "kilogram": 1, "kilo": 1, "ton": 1000, "tonne": 1000, "lb": 0.4536,
        "pound": 0.4536, "ounce": 0.02835, "oz": 0.02835,
    },
    "time": {
        "second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "day": 86400, "week": 604800,
        "fortnight": 1209600, "month": 2629800, "year": 31557600, "decade": 315576000, "century": 3155760000,
        "centurie": 3155760000, "年": 31557600, "月": 2629800, "日": 86400, "時間": 3600, "分": 60, "秒": 1,
    },
    "area": {"hectare": 1e4, "ha": 1e4, "acre": 4046.86, "sqkm": 1e6, "sqmi": 2.59e6, "sqm": 1, "sqft": 0.0929},
}  # fmt: skip
_UNIT = {unit: (kind, factor) for kind, units in _MEASURES.items() for unit, factor in units.items()}
_HEDGE = {
    "about": "near", "around": "near", "approximately": "near", "roughly": "near", "some": "near", "circa": "near",
    "nearly": "under", "almost": "under", "under": "under", "below": "under", "less than": "under", "fewer than": "under",
    "up to": "under", "over": "over", "more than": "over", "above": "over", "at least": "over", "exceeding": "over",
}  # fmt: skip

_word = rf"(?:{'|'.join([*sorted(_SMALL, key=len, reverse=True), 'hundred', 'thousand', 'million', 'billion', 'trillion', 'dozen'])})s?"
_ordinal = rf"(?:{'|'.join(sorted(_ORDINAL, key=len, reverse=True))})"
_month = rf"(?:{'|'.join(_MONTHS)}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?"
_digits = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d])|\d{1,3}(?: \d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?"
_day = r"(?P<{}>\d{{1,2}})(?:st|nd|rd|th)?"
_date = re.compile(
    rf"\b(?P<month1>{_month})\s*{_day.format('day1')}\b(?!\s*[:.,]\d)(?:,?\s+(?P<year1>\d{{4}})\b)?"
    rf"|\b(?:the\s+)?{_day.format('day2')}\s+(?:of\s+)?(?P<month2>{_month})(?:,?\s+(?P<year2>\d{{4}})\b)?"
    r"|\b(?P<year3>\d{4})-(?P<month3>\d{2})-(?P<day3>\d{2})\b"
    r"|(?:(?P<year4>\d{4})年)?(?P<month4>\d{1,2})月(?:(?P<day4>\d{1,2})日)?"
    rf"|\b(?P<month5>{_month})\s*(?:of\s+|,\s*)?(?P<year5>\d{{4}})\b",
    re.IGNORECASE,
)
_lone_month = re.compile(rf"\b{_month.replace('may|', '').replace('march|', '')}|\b(?:May|March)\b")
_number = re.compile(
    rf"(?P<currency>[$€£¥])?\s?(?<![A-Za-z0-9])(?P<digits>{_digits})(?P<suffix>st|nd|rd|th|'?s)?(?![A-Za-z]{{1,2}}\d)"
    rf"|\b(?P<words>(?:an?\s+(?=hundred|thousand|million|billion|dozen))?{_word}(?:(?:-|\s+|\s+and\s+){_word})*(?P<last>-{_ordinal})?)\b"
    rf"|\b(?P<ordinal>{_ordinal})(?P<part>s?)\b|\b(?P<half>half|halves|quarters?)\b",
    re.IGNORECASE,
)
_scale = re.compile(
    r"[\s-]?(?:(hundred|thousand|million|billion|trillion|dozen)s?\b|(k|bn|mn)\b|([万億兆亿]))", re.I
)
_fraction = re.compile(rf"[\s-](?P<part>{_ordinal}|half|halves|quarter)s?\b", re.IGNORECASE)
_after = re.compile(
    r"[\s-]*(?:(?P<percent>%|per\s?cent\b|percentage\s+points?\b|パーセント)|(?P<square>sq(?:uare|\.)?\s+)?(?P<unit>[A-Za-z]+|時間|[年月日分秒円]))"
)
_before = re.compile(rf"\b({'|'.join(_HEDGE)})\s+(?:the\s+|an?\s+|us)?[$€£¥]?$", re.IGNORECASE)
_roman = re.compile(r"(?<=[a-z]\s)(?=[IVX]{2})(?P<tens>X{0,3})(?P<ones>IX|IV|V?I{0,3})\b")
_ROMAN = {"": 0, "I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9}
_number_alone = re.compile(r"^[\d.,]+")
_to = re.compile(r"\s*(?:and|or|to|-)\s*")
_pronoun = re.compile(
    r"[\s-]+(?:of|another|who|that|which|or|can|must|should|may|might|would|by|such|is|was)\b|'s|\W*$", re.I
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a sentence."""

    value: Decimal
    unit: str
    """`%`, a currency sign, a kind of measure (then `value` is in its base unit), `month`, `day of 3`, or empty."""
    span: Span
    """Where it stands in the normalised sentence, its unit included."""
    text: str
    """As written."""
    hedge: str = ""
    """`near`, `over` or `under` for `about 500`, `more than 500` and `nearly 500`."""
    loose: bool = False
    """Whether it is an everyday word (`one`, `first`, `half`) that need not count anything."""


def quantities(text: str) -> list[Quantity]:
    """Return the numbers and dates of a normalised sentence, in order of position; empty when there are none."""
    found: list[Quantity] = []
    taken: list[Span] = []
    for match in _date.finditer(text):
        found += _parts_of_date(match)
        taken.append(match.span())
    for match in _lone_month.finditer(text):
        if not _inside(match.start(), taken):
            found.append(
                Quantity(Decimal(_month_number(match.group())), "month", match.span(), match.group())
            )
    for match in _roman.finditer(text):
        value = 10 * len(match["tens"]) + _ROMAN[match["ones"]]
        found.append(Quantity(Decimal(value), "", match.span(), match.group()))
    end = 0
    for match in _number.finditer(text):
        if match.start() >= end and not _inside(match.end() - 1, taken):
            found += (read := list(_read(text, match)))
            end = max((quantity.span[1] for quantity in read), default=match.end())
    found.sort(key=lambda quantity: quantity.span)
    return [_in_range(text, *pair) for pair in pairwise(found)] + found[-1:]


def _in_range(text: str, quantity: Quantity, following: Quantity) -> Quantity:
    """A number with the unit of the next one where both share it: `5 to 10 km`."""
    between = text[quantity.span[1] : following.span[0]]
    unit = _number_alone.sub("", following.text)
    if (
        quantity.unit
        or not unit
        or not _to.fullmatch(between)
        or following.unit not in (*_MEASURES, "%", *_CURRENCY)
    ):
        return quantity
    shared = quantities(quantity.text + unit)
    return replace(shared[0], span=quantity.span, text=quantity.text) if len(shared) == 1 else quantity


def _inside(place: int, spans: Sequence[Span]) -> bool:
    return any(start <= place < end for start, end in spans)


def _month_number(name: str) -> int:
    return _MONTH[name.lower().rstrip(".")]


def _parts_of_date(match: re.Match[str]) -> Iterator[Quantity]:
    parts = {key[:-1]: value for key, value in match.groupdict().items() if value}
    name = parts["month"]
    month = int(name) if name.isdigit() else _month_number(name)
    span, text = match.span(), match.group()
    yield Quantity(Decimal(month), "month", span, text)
    if "day" in parts:
        yield Quantity(Decimal(parts["day"]), f"day of {month}", span, text)
    if "year" in parts:
        yield Quantity(Decimal(parts["year"]), "", span, text)


def _read(text: str, match: re.Match[str]) -> Iterator[Quantity]:
    """The quantity at a match; a year that a range shortens (`1914-18`) is read in full."""
    start, end = match.span()
    value, loose = _value(match)
    scale = _scale.match(text, end)
    if scale and not match["ordinal"]:
        value *= _SCALE[next(filter(None, scale.groups())).lower()]
        end = scale.end()
    elif (part := _fraction.match(text, end)) and value <= 100 and not match["suffix"] and not match["half"]:
        below = part["part"].lower()
        value /= {"half": 2, "halves": 2, "quarter": 4}.get(below) or _ORDINAL[below] or 1
        end, loose = part.end(), False
    if match["words"] and match["words"].lower() == "one" and end == match.end():
        loose = True
        if _pronoun.match(text, end):
            return
    unit, end, factor = _unit(text, match, end)
    before = _before.search(text, max(0, start - 20), match.start("digits") if match["digits"] else start)
    hedge = _HEDGE[re.sub(r"\s+", " ", before[1].lower())] if before else ""
    if (
        value < 100
        and not unit
        and (year := re.search(r"\b(\d\d)(\d\d)\s?-\s?$", text[max(0, start - 8) : start]))
    ):
        value += int(year[1]) * 100 if match["digits"] and len(match["digits"]) == 2 else 0
    yield Quantity(value * factor, unit, (start, end), text[start:end].strip(), hedge, loose)


def _value(match: re.Match[str]) -> tuple[Decimal, bool]:
    if match["digits"]:
        return Decimal(match["digits"].replace(",", "").replace(" ", "")), False
    if match["ordinal"]:
        return Decimal(_ORDINAL[match["ordinal"].lower()]), match["ordinal"].lower() in ("first", "second")
    if match["half"]:
        return Decimal("0.5") if match["half"].lower().startswith("hal") else Decimal("0.25"), True
    return Decimal(_spelt(match["words"])), False


def _spelt(words: str) -> int:
    """The value of number words: `two hundred and five thousand`, `twenty-first`, `nineteen eighty-four`."""
    total = part = 0
    for word in re.findall(r"[a-z]+", words.lower()):
        stem = word if word in _SMALL or word in _SCALE or word in _ORDINAL else word.removesuffix("s")
        if stem in _SCALE:
            scaled = max(part, 1) * _SCALE[stem]
            total, part = (total, scaled) if stem == "hundred" else (total + scaled, 0)
        elif stem in _SMALL or stem in _ORDINAL:
            number = _SMALL.get(stem, _ORDINAL.get(stem, 0))
            # Two numbers side by side are the halves of a year.
            follows = part and number >= 10 and part % 100 != 0
            part = part * 100 + number if follows else part + number
    return total + part


def _unit(text: str, match: re.Match[str], end: int) -> tuple[str, int, Decimal]:
    """Unit, where it ends, and what the value is multiplied by."""
    one = Decimal(1)
    if match["currency"]:
        return match["currency"], end, one
    after = _after.match(text, end)
    if after and after["percent"]:
        return "%", after.end(), one
    if match["suffix"] in ("s", "'s"):
        return "decade of years", end, one
    word = after["unit"].lower() if after else ""
    if word == "年" and match["digits"] and len(match["digits"]) == 4:
        return "", end, one
    for stem in (word, word.removesuffix("s"), word.removesuffix("es"), re.sub(r"(?:re|er)s?$", "", word)):
        stem = (
            "sq" + {"kilomet": "km", "mile": "mi", "met": "m", "feet": "ft", "foot": "ft"}.get(stem, stem)
            if after and after["square"]
            else stem
        )
        if stem in _CURRENCY:
            return _CURRENCY[stem], after.end() if after else end, one
        if stem in _UNIT and not (match["ordinal"] or match["suffix"] or match["last"]):
            kind, factor = _UNIT[stem]
            return kind, after.end() if after else end, Decimal(str(factor))
    return "", end, one


def same(claimed: Quantity, found: Quantity) -> bool:
    """Whether two quantities are equal, in whatever way they are written."""
    if claimed.unit == found.unit:
        converted = claimed.unit in _MEASURES and claimed.text.lower() != found.text.lower()
        return _near(
            claimed.value, found.value, EXACT if converted and _unlike(claimed, found) else Decimal(0)
        )
    one, other = sorted((claimed, found), key=lambda quantity: quantity.unit)
    if one.unit:
        return False
    if other.unit == "%":
        return one.value * 100 == other.value and one.value < 1
    if other.unit in _MEASURES and not claimed.unit:
        return any(
            one.value * Decimal(str(factor)) == other.value for factor in _MEASURES[other.unit].values()
        )
    return one.value == other.value and other.unit != "month"


def _unlike(one: Quantity, other: Quantity) -> bool:
    """Whether two measures are written in different units."""
    letters = [re.sub(r"[\W\d_]+", "", quantity.text.lower()).rstrip("s") for quantity in (one, other)]
    return letters[0] != letters[1]


def close(claimed: Quantity, found: Quantity) -> bool:
    """Whether a quantity is a fair rounding of another one."""
    year = not claimed.unit and 1000 <= claimed.value <= 2100
    if claimed.unit != found.unit or year or claimed.unit.startswith(("month", "day of")):
        return False
    if found.hedge and found.value == claimed.value:
        return True
    near = _near(claimed.value, found.value, CLOSE)
    if claimed.hedge == "over":
        return near and claimed.value <= found.value
    if claimed.hedge == "under":
        return near and claimed.value >= found.value
    return near and (claimed.hedge == "near" or _rounded(claimed.value, found.value))


def _near(one: Decimal, other: Decimal, share: Decimal) -> bool:
    return abs(one - other) <= share * max(abs(one), abs(other))


def _rounded(claimed: Decimal, found: Decimal) -> bool:
    """Whether a number of at least 10,000, or with decimals, comes down to the claimed one when it is rounded."""
    digits = len(claimed.normalize().as_tuple().digits)
    large = found >= 10_000 and digits < len(found.normalize().as_tuple().digits)
    if not large or found.is_infinite():
        return False
    return Decimal(f"{found:.{max(digits - 1, 0)}e}") == claimed
