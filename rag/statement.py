"""What a sentence says, in a form that can be compared: its words, names, numbers, denials and doubts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

from index.text import content_terms, terms
from rag.quantities import Quantity, quantities

NEAR = 3
"""How many words after `not` or `may` are taken to be what it denies or doubts."""

_word = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿]|[^\W_]+")
_initials = re.compile(r"\b(?:[A-Z]\.){2,}")
_apart = re.compile(r"n't\b", re.IGNORECASE)
_break = re.compile(r"[,;:.()!?]")
_space = re.compile(r"\s+")
_dashes = str.maketrans("‘’–—−‐‑‒", "''------")
_opens = re.compile(r"(?:^|[.!?:;\"“”(\[*•#>-])\W*$")

NEGATORS = frozenset(
    "not no never none nobody nothing neither nor nowhere without cannot cant wont hardly barely scarcely rarely seldom".split()
)
DENIALS = frozenset("fail failed fails deny denied denies refuse refused refuses reject rejected rejects lack lacked lacks unable".split())
"""Verbs that deny what follows them, which other sentences may put with `not`."""
HEDGES = frozenset(
    "may might could possibly perhaps probably likely potentially allegedly reportedly apparently seemingly suspected "
    "rumored rumoured presumably supposedly suggest suggests suggested believed thought expected estimated claimed alleged "
    "appear appears appeared seem seems seemed should hope hopes hoped plan plans planned consider considers considered "
    "considering propose proposes proposed speculated unclear uncertain whether".split()
)
PARTIAL = frozenset("some many most several few often sometimes usually generally typically largely mostly mainly partly partially nearly almost majority half part occasionally frequently".split())
UNIVERSAL = frozenset("all every each always entirely completely everyone everybody everything whole only exclusively solely entire everywhere any".split())
TITLES = frozenset(
    "mr mrs ms miss dr sir lord lady dame prof professor president prime minister king queen prince princess pope saint st "
    "general captain colonel senator governor mayor judge chancellor secretary chairman director ceo coach rev father sister "
    "emperor duke earl count chief officer doctor bishop archbishop cardinal the of and university college city county state "
    "river lake mount church street road company inc corp ltd north south east west northern southern eastern western".split()
)
"""Words of rank and kind that stand with a name and may be left out or added."""
BREAKS = frozenset("but although though while because whereas however unless".split())
"""Words at which what is denied or doubted ends."""
PRONOUNS = frozenset("he she it they his her hers its their theirs him them this these those such who which latter former".split())
WEEKDAYS = {day[:3]: day for day in "monday tuesday wednesday thursday friday saturday sunday".split()}
_pairs = (
    "increase decrease|rise fall|rose fell|grow shrink|first last|large small|big small|high low|old new|oldest newest|more less|more fewer|"
    "most least|before after|north south|northern southern|east west|eastern western|win lose|won lost|begin end|began ended|"
    "start stop|born died|male female|man woman|men women|early late|maximum minimum|best worst|long short|longest shortest|"
    "largest smallest|biggest smallest|highest lowest|always never|public private|above below|inside outside|support oppose|"
    "accept reject|allow forbid|allow ban|strong weak|major minor|many few|internal external|positive negative|common rare|"
    "rich poor|easy difficult|easy hard|hot cold|warm cool|father mother|son daughter|brother sister|king queen|husband wife|import export|"
    "buy sell|bought sold|open close|built destroyed|create destroy|same different|left right|up down|gain loss|success failure|"
    "successful unsuccessful|legal illegal|true false|guilty innocent|alive dead|agree disagree|approve reject|upper lower|"
    "remember forget|arrive depart|enter leave|attack defend|victory defeat|majority minority|full empty|wide narrow|fast slow|"
    "urban rural|superior inferior|possible impossible|likely unlikely|able unable|well badly|with without|include exclude|"
    "for against|love hate|heavy light|thick thin|deep shallow|increase reduce|raise lower|rise drop|up fall"
)


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in _pairs.split("|"):
        one, other = (stem(word) for word in pair.split())
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


@lru_cache(maxsize=1)
def opposites() -> dict[str, frozenset[str]]:
    """Return the words that mean the opposite of a word, both as stems."""
    return _opposites()


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return a word as it is compared: lower case, without accents, stemmed."""
    found = terms(word)
    return found[0] if found else word.lower()


@lru_cache(maxsize=50_000)
def is_content(word: str) -> bool:
    """Whether a word carries meaning of its own."""
    return bool(content_terms(word)) and len(word) + (not word.isascii()) > 1 and word.lower() not in _light


_light = frozenset(
    "he she him her his hers i me my we us our you your them its who whom whose which what when where why how been being "
    "am were has have had having do does did done would could should can may might also however moreover additionally "
    "furthermore so than then there here from about s t re ve ll d m".split()
)


def normal(text: str) -> str:
    """Return a sentence in one spelling: NFKC, plain quotes and dashes, `U.S.` as `US`, single spaces."""
    flat = unicodedata.normalize("NFKC", text).translate(_dashes)
    flat = _initials.sub(lambda match: match.group().replace(".", ""), flat)
    return _space.sub(" ", _apart.sub(" not", flat)).strip()


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a sentence."""

    text: str
    lower: str
    stem: str
    start: int
    name: bool
    """Whether it is, or is part of, a name."""
    opens: bool
    """Whether it may be a name, but opens a sentence, where every word has a capital."""


class Statement:
    """A sentence, read once."""

    def __init__(self, text: str) -> None:
        self.text = normal(text)
        self.quantities: list[Quantity] = quantities(self.text)
        self.tokens = self._read()
        self.stems = frozenset(token.stem for token in self.tokens)
        self.words = frozenset(token.lower for token in self.tokens)

    def _read(self) -> list[Token]:
        found = [(match.group(), match.start()) for match in _word.finditer(self.text)]
        capitals = sum(word[0].isupper() for word, _ in found if is_content(word))
        headline = len(found) > 5 and capitals > 0.7 * sum(is_content(word) for word, _ in found)
        tokens = []
        for place, (word, start) in enumerate(found):
            following = found[place + 1][0] if place + 1 < len(found) else ""
            name = not headline and not self._counted(start) and self._is_name(word, start, following)
            opens = not name and word[0].isupper() and is_content(word) and self._opens(start)
            tokens.append(Token(word, word.lower(), stem(word), start, name, opens))
        return tokens

    def _counted(self, place: int) -> bool:
        return any(quantity.span[0] <= place < quantity.span[1] for quantity in self.quantities)

    def _opens(self, place: int) -> bool:
        return bool(_opens.search(self.text, max(0, place - 4), place))

    def _is_name(self, word: str, start: int, following: str) -> bool:
        if word[0].isdigit():
            return False
        if len(word) > 1 and word.isupper() and word.isascii():
            return True
        if len(word) > 1 and any(letter.isdigit() for letter in word):
            return True
        if not word[0].isupper() or word == "I" or not is_content(word):
            return False
        return not self._opens(start) or word[1:] != word[1:].lower() or (following[:1].isupper() and following != "I")

    @cached_property
    def content(self) -> tuple[Token, ...]:
        """The words that carry meaning, in order."""
        return tuple(token for token in self.tokens if is_content(token.text))

    @cached_property
    def names(self) -> tuple[Token, ...]:
        """The words of its names, in order, without ranks and kinds."""
        return tuple(token for token in self.tokens if token.name and token.lower not in TITLES)

    @cached_property
    def initials(self) -> frozenset[str]:
        """The initials of its names of several words, as acronyms are made."""
        found, run = set(), ""
        for token in [*self.tokens, Token("", "", "", 0, False, False)]:
            if token.text[:1].isupper():
                run += token.text[0].lower()
            elif token.lower not in ("of", "the", "and", "for", "in"):
                found |= {run[start:end] for start in range(len(run)) for end in range(start + 2, min(len(run), start + 6) + 1)}
                run = ""
        return frozenset(found)

    def after(self, markers: frozenset[str]) -> tuple[frozenset[str], ...]:
        """Return, for each marker that stands in it, the stems of the content words that closely follow."""
        return tuple(
            scope
            for place, token in enumerate(self.tokens)
            if token.lower in markers and not self._idle(place) and (scope := self._scope(place, markers))
        )

    def _scope(self, place: int, markers: frozenset[str]) -> frozenset[str]:
        end = self.tokens[place].start + len(self.tokens[place].text)
        found: list[str] = []
        for token in self.tokens[place + 1 : place + 9]:
            if _break.search(self.text, end, token.start) or token.lower in BREAKS or len(found) == NEAR:
                break
            if is_content(token.text) and token.lower not in markers:
                found.append(token.stem)
            end = token.start + len(token.text)
        return frozenset(found)

    def _idle(self, place: int) -> bool:
        """Whether a marker denies nothing here: `not only`, `No. 5`, `in May`."""
        token, following = self.tokens[place], self.tokens[place + 1 : place + 2]
        after = following[0].lower if following else ""
        return (token.lower == "not" and after == "only") or (token.text == "No" and after.isdigit()) or token.text == "May"

    @cached_property
    def denied(self) -> tuple[frozenset[str], ...]:
        """Stems of what it denies, for each denial."""
        return self.after(NEGATORS)

    @cached_property
    def doubted(self) -> tuple[frozenset[str], ...]:
        """Stems of what it calls possible only, for each doubt."""
        return self.after(HEDGES)

    @cached_property
    def unspaced(self) -> float:
        """Share of its letters that are Chinese or Japanese."""
        letters = [letter for letter in self.text if letter.isalpha()]
        return sum(letter >= "぀" for letter in letters) / max(1, len(letters))
