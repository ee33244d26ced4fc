"""What a sentence says, in a form that can be compared: its words, names, numbers, denials and doubts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from rag.checks.lexicon import BREAKS, HEDGES, NEGATORS, PARTIAL, TITLES, UNIVERSAL, is_content, stem
from rag.checks.quantities import Quantity, quantities

NEAR = 3
"""How many words after `not` or `may` are taken to be what it denies or doubts."""

_unspaced = "぀-ヿ㐀-䶿一-鿿豈-﫿"
_word = re.compile(rf"[{_unspaced}]|[^\W_{_unspaced}]+")
_initials = re.compile(r"\b(?:[A-Z]\.){2,}")
_apart = re.compile(r"n't\b", re.IGNORECASE)
_denying = re.compile(r"(?<![少危])(?:ない|なかった|ません|無い)|ず(?=[、。に])")
_break = re.compile(r"[,;:.()!?]")
_space = re.compile(r"\s+")
_dashes = str.maketrans("‘’–—−‐‑‒", "''------")
_opens = re.compile(r"(?:^|[.!?:;\"“”(\[*•#>-])\W*$")


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
    counts: bool
    """Whether it belongs to a number or date."""


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
        headline = capitals > 5 and capitals > 0.9 * sum(is_content(word) for word, _ in found)
        tokens = []
        for place, (word, start) in enumerate(found):
            following = found[place + 1][0] if place + 1 < len(found) else ""
            counts = self._counted(start)
            name = not headline and not counts and self._is_name(word, start, following)
            opens = not (name or counts) and self._may_be_name(word) and self._opens(start)
            tokens.append(Token(word, word.lower(), stem(word), start, name, opens, counts))
        return tokens

    @staticmethod
    def _may_be_name(word: str) -> bool:
        return word[0].isupper() and is_content(word) and word.lower() not in UNIVERSAL | PARTIAL

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
        return (
            not self._opens(start)
            or word[1:] != word[1:].lower()
            or (following[:1].isupper() and following != "I")
        )

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
        for token in [*self.tokens, Token("", "", "", 0, False, False, False)]:
            if token.text[:1].isupper():
                run += token.text[0].lower()
            elif token.lower not in ("of", "the", "and", "for", "in"):
                found |= {
                    run[start:end]
                    for start in range(len(run))
                    for end in range(start + 2, min(len(run), start + 6) + 1)
                }
                run = ""
        return frozenset(found)

    def count(self, word: str) -> int:
        """Return how often a stem occurs."""
        return sum(token.stem == word for token in self.tokens)

    def spelt(self, stems: Iterable[str]) -> str:
        """Return the words with these stems, as they are written, in order."""
        wanted = set(stems)
        return " ".join(token.text for token in self.tokens if token.stem in wanted)

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
        return (
            (token.lower == "not" and after == "only")
            or (token.text == "No" and after.isdigit())
            or token.text == "May"
        )

    @cached_property
    def denied(self) -> tuple[frozenset[str], ...]:
        """Stems of what it denies, for each denial."""
        return self.after(NEGATORS)

    @cached_property
    def doubted(self) -> tuple[frozenset[str], ...]:
        """Stems of what it calls possible only, for each doubt."""
        return self.after(HEDGES)

    @cached_property
    def endings(self) -> int:
        """How many Japanese endings it has that deny."""
        return len(_denying.findall(self.text))

    @cached_property
    def latin(self) -> float:
        """Share of its letters that are Latin; 1 without letters."""
        letters = [letter for letter in self.text if letter.isalpha()]
        return sum(letter < "\u0250" for letter in letters) / len(letters) if letters else 1.0

    @cached_property
    def english(self) -> float:
        """Share of its words that are English function words."""
        return 1 - len(self.content) / max(1, len(self.tokens))
