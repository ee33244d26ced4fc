"""Follow-up questions to standalone queries, without a model.

A question that stands alone passes unchanged: words of earlier turns make its retrieval worse. One that
leans on the last turn is completed in the surest way that there is:

- "And Oslo?" puts the new name where the earlier question had one;
- "he" or "her" becomes the one name that it can stand for;
- else the earlier question is taken along in brackets, with the first sentence of its answer. More of an
  answer, or more turns, makes retrieval worse.
"""

from __future__ import annotations

import re

from index.text import content_terms, sentences
from rag.names import names
from rag.types import History

QUESTION_CHARACTERS = 300
ANSWER_CHARACTERS = 150
"""How much of an earlier question and of its answer is taken along at most; the rest is cut at a word."""
MAX_DEPTH = 3
"""How many follow-ups in a row are traced back."""

_BE = "is|are|was|were"
_VERBS = rf"{_BE}|has|have|had|can|could|will|would|do|does|did|should"
_ASKING = "who|whom|whose|what|when|where|why|which|how"
_SORTS = (
    "age|city|colou?r|company|country|date|day|firm|kind|language|man|month|name|newspaper|number|paper|part"
    "|party|people|person|place|reason|sort|state|street|team|time|town|type|week|woman|year"
)

_pronouns = re.compile(
    r"\b(?:he|she|they|him|her|hers|them|his|their|theirs|its|it|that|those|this|these|there|then|latter|former"
    r"|(?:which|this|that|the|first|second|last|next|other)\s+ones?)\b",
    re.IGNORECASE,
)
_expletives = re.compile(
    rf"\b(?:{_BE}|be|been|has|have|had)(?:n['’]t)?\s+there\b|\bthere\s+(?:{_BE}|has|have|had|will)(?:n['’]t)?\b"
    # "is it possible to", "it rains"
    rf"|\b(?:it\s+(?:{_BE})|(?:{_BE})\s+it)\s+(?:\w+\s+)?(?:true|possible|known|likely|correct|important|necessary"
    r"|safe|legal|illegal|common|normal|better|best|good|bad|hard|harder|difficult|easy|easier|worth|dangerous)\b"
    r"|\bit\s+(?:rains?|snows?)\b"
    # "these documents", "that 'Ann' is", "those in Oslo"
    r"|\b(?:this|these|those|that|the)\s+(?:\w+\s+)?(?:files?|documents?|articles?|texts?|corpus|folder|stor(?:y|ies)|pieces?)\b"
    r"|\b(?:this|these|those|that)\s+(?-i:[\"'‘“A-Z])|\b(?:these|those)\s+(?:in|on|by|to|of|who|which)\b|\bone\s+of\b"
    # "a scam that they saw"
    rf"|\b(?!(?:{_VERBS}|{_ASKING}|and|but|for|with|about|after|before)\b)\w{{3,}}\s+that\s+"
    rf"(?=(?:\w+\s+)?(?:{_VERBS}|may|must|he|she|they|it|we|you|i|the|an?)\b)",
    re.IGNORECASE,
)
_openers = re.compile(r"^\W*(?:(?:and|but|so|or|then|also|(?:what|how)\s+about)\b[\s,]*)+", re.IGNORECASE)
_clause = re.compile(
    r".*(?:[,;?.!]|\b(?:and|but|or|if|when|because|that|while|who|which)\b)", re.IGNORECASE | re.DOTALL
)
_complete = re.compile(
    rf"\b(?:{_ASKING}|{_VERBS}|tell|list|show|explain|describe|sum|summari[sz]e|give|name|compare|find)\b",
    re.IGNORECASE,
)
_chooses = re.compile(rf"^\W*which\s+(?:{_VERBS}|came|comes)\b", re.IGNORECASE)
_defines = re.compile(rf"^\W*(?:what|who)(?:['’]s|\s+(?:{_BE}))\s+(?!the\b)", re.IGNORECASE)
_sort = re.compile(rf"\b(?:which|what)\s+(?:{_SORTS})s?\b", re.IGNORECASE)
_asks_for_name = re.compile(r"\b(?:who|whom|whose|which|name)\b", re.IGNORECASE)
_about_name = re.compile(rf"\bwho(?:['’]s|\s+(?:{_BE}))\s+$", re.IGNORECASE)
_place = re.compile(r"\b(?:in|at|to|from|near|on|of|the)\s+$", re.IGNORECASE)
_person = re.compile(r"\b(he|she|him|her|hers|his)\b(\s+\w+)?", re.IGNORECASE)
_instead = re.compile(r"(?:(in|at|on|for|from|to|of|with|by)\s+)?(.*?)[\s?.!]*", re.IGNORECASE)
_markup = re.compile(r"\[\d+\]|\*\*|[()]")
_question_words = frozenset(
    content_terms("who whom whose what which when where why how did does do much many i")
)


def standalone(question: str, history: History) -> str:
    """Return the question in a form that can be searched alone.

    Args:
        question: As typed.
        history: Earlier turns, oldest first; only the last ones are looked at.

    Returns:
        The question itself when it stands alone or there is no history; otherwise completed from the
        earlier turns: names in place of what stands for them, or what it refers to in brackets.
    """
    question = question.strip()
    if not history or not leans(question):
        return question
    asked, answered = (_plain(text[: 10 * QUESTION_CHARACTERS]) for text in history[-1])
    earlier = standalone(_cut(asked, QUESTION_CHARACTERS), history[-MAX_DEPTH:-1])
    if len(own_terms(asked)) > 1:  # Then what it leaned on in its turn is no longer needed.
        earlier = earlier.partition(" (")[0]
    said = _cut(_first_sentence(answered), ANSWER_CHARACTERS)
    completed = _swapped(question, earlier) or _named(question, earlier, said)
    return f"{completed} ({_plain(f'{earlier} {said}')})" if leans(completed) else completed


def own_terms(question: str) -> list[str]:
    """Return the terms of a question that say what it is about, without `who`, `which city` and the like."""
    return [word for word in content_terms(_sort.sub(" ", question)) if word not in _question_words]


def without_pronouns(question: str) -> str:
    """Return a question without the words that stand for something said before."""
    return _pronouns.sub(" ", question)


def leans(question: str) -> bool:
    """Whether a question can only be understood with what was said before it."""
    return _cut_short(question) or bool(_openers.match(question)) or _points_back(question)


def _cut_short(question: str) -> bool:
    """Whether most of a question was left out: "where?", "fishing boats?", "which is larger?"."""
    own = len(own_terms(question))
    if own == 2:
        named = any(name.sure for name in names(question))
        return not named and (bool(_chooses.match(question)) or not _complete.search(question))
    return own == 0 or (own == 1 and not _defines.match(question))


def _points_back(question: str) -> bool:
    """Whether it has a pronoun with nothing before it, in the question, to stand for."""
    text = _expletives.sub(lambda match: " " * len(match.group()), question)
    first = _pronouns.search(text)
    return first is not None and not _mentions(question[: first.start()])


def _mentions(text: str) -> bool:
    """Whether a later pronoun can stand for something in a text: a name, or what a whole clause is about."""
    clause = _clause.match(text)
    return bool(names(text)) or bool(clause and len(own_terms(clause.group())) > 1)


def _swapped(question: str, earlier: str) -> str:
    """The earlier question about the name in "and Oslo?"; empty when it is not clear what it replaces.

    After a preposition it replaces the name after the same one, else the only name.
    """
    opener = _openers.match(question)
    asked = _instead.fullmatch(question[opener.end() :]) if opener else None
    if not asked or [name.text for name in names(asked[2])] != [asked[2]]:
        return ""
    before = f" {asked[1].lower()} " if asked[1] else ""
    old = [name for name in names(earlier) if earlier[: name.start].lower().endswith(before)]
    return f"{earlier[: old[0].start]}{asked[2]}{earlier[old[0].end :]}" if len(old) == 1 else ""


def _named(question: str, earlier: str, said: str) -> str:
    """The question with `he` or `her` replaced, when only one person named before can be meant."""
    about = [name for name in names(earlier) if _about_name.search(earlier[: name.start])]
    source = said if _asks_for_name.search(earlier) and not about else earlier
    people = [name for name in names(source) if not _place.search(source[: name.start])]
    if names(question) or len({name.text for name in people}) != 1 or not people[0].sure:
        return question

    def name_in_place(match: re.Match[str]) -> str:
        pronoun, following = match[1].lower(), match[2] or ""
        owns = pronoun in ("his", "hers") or (pronoun == "her" and content_terms(following))
        return f"{people[0].text}{'’s' if owns else ''}{following}"

    return _person.sub(name_in_place, question, count=1)


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[:characters].rsplit(" ", 1)[0]


def _plain(text: str) -> str:
    return " ".join(_markup.sub("", text).split())


def _first_sentence(text: str) -> str:
    return next((text[start:end] for start, end in sentences(text)), "")
