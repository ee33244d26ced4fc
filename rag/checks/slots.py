"""Where a claim follows a sentence word by word: what stands in it instead of the sentence's own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from rapidfuzz.distance import Levenshtein

from rag.checks.lexicon import HEDGES, NEGATORS, PARTIAL, PRONOUNS, UNIVERSAL, is_content, opposites
from rag.checks.quantities import Quantity, close, same
from rag.checks.sources import Difference, Names, Source
from rag.checks.statement import Statement, Token

ALIKE = 0.4
"""A claim follows a sentence word by word when this share of its words stand there in the same order."""
COPIED = 0.75
"""And is a copy of it from this share on, where even the order of its names counts."""


def replaced(claim: Statement, source: Source) -> Iterator[Difference]:
    """Yield another number or name, an opposite, a denial or a higher degree in the place of the sentence's own."""
    for sentence in source.cited:
        share, slots = _aligned(claim, sentence)
        for slot in slots:
            if share >= ALIKE and slot.claimed and slot.found and not slot.plain:
                yield from _other_number(slot, claim, sentence, share)
                yield from _other_name(slot, claim, source)
        if share >= COPIED:
            yield from chain.from_iterable(map(_turned_in, slots))
            if (claim.endings + sentence.endings) % 2:
                yield Difference("opposite", claim.text)
        if share >= ALIKE:
            yield from _exchanged(claim, sentence)


@dataclass(frozen=True, slots=True)
class _Slot:
    """Words of a claim where a sentence, otherwise the same there, has other words."""

    claimed: tuple[Token, ...]
    found: tuple[Token, ...]

    @property
    def plain(self) -> bool:
        """Whether the two differ in plain words, too: then something else is said, not said of another."""
        one, other = ({t.stem for t in tokens if _is_plain(t)} for tokens in (self.claimed, self.found))
        return one != other


def _is_plain(token: Token) -> bool:
    return is_content(token.text) and token.text.isalpha() and not (token.name or token.opens or token.counts)


def _aligned(claim: Statement, sentence: Statement) -> tuple[float, list[_Slot]]:
    """Which share of a claim stands in a sentence in the same order, and where the two differ."""
    ours, theirs = claim.tokens, sentence.tokens
    codes = Levenshtein.opcodes([token.stem for token in ours], [token.stem for token in theirs])
    kept = sum(code.src_end - code.src_start for code in codes if code.tag == "equal")
    slots: list[_Slot] = []
    joins = False
    for code in codes:
        one, other = (
            tuple(ours[code.src_start : code.src_end]),
            tuple(theirs[code.dest_start : code.dest_end]),
        )
        if code.tag == "equal":
            joins = joins and all(token.lower in ("and", "or") for token in one)
            continue
        if joins:
            last = slots.pop()
            one, other = last.claimed + one, last.found + other
        slots.append(_Slot(one, other))
        joins = True
    return kept / max(1, len(ours)), slots


def _other_number(slot: _Slot, claim: Statement, sentence: Statement, share: float) -> Iterator[Difference]:
    ours, theirs = _in(claim, slot.claimed), _in(sentence, slot.found)
    for quantity in ours:
        if not theirs or any(same(quantity, other) or close(quantity, other) for other in theirs):
            continue
        if share >= COPIED or not any(same(quantity, other) for other in sentence.quantities):
            yield Difference("number", quantity.text, theirs[0].text)
            return


def _in(statement: Statement, tokens: Sequence[Token]) -> list[Quantity]:
    starts = [token.start for token in tokens]
    return [q for q in statement.quantities if any(q.span[0] <= start < q.span[1] for start in starts)]


def _other_name(slot: _Slot, claim: Statement, source: Source) -> Iterator[Difference]:
    ours = [token for token in slot.claimed if token.name or token.opens]
    theirs = [token for token in slot.found if token.name or token.opens]
    if (
        not ours
        or not theirs
        or slot.claimed[0].lower in PRONOUNS
        or all(t.stem in source.stems for t in ours)
    ):
        return
    there = Names([Statement(" ".join(["-", *(token.text for token in theirs)]))])
    if not any(there.has(token, claim) for token in ours):
        yield Difference("name", _spelt(ours), _spelt(theirs))


def _turned_in(slot: _Slot) -> Iterator[Difference]:
    """A denial put in or left out, a word turned into its opposite, or a degree raised, and little else changed."""
    ours, theirs = ({token.lower for token in tokens} for tokens in (slot.claimed, slot.found))
    denials = [token for token in slot.claimed + slot.found if token.lower in NEGATORS]
    others = [t for t in slot.claimed + slot.found if (_is_plain(t) or t.name) and t.lower not in NEGATORS]
    if len(denials) % 2 and not others:
        yield Difference("opposite", _spelt(slot.claimed), _spelt(slot.found))
    for token in slot.claimed if len(others) <= 2 else ():
        turned = opposites().get(token.stem, frozenset())
        yield from (
            Difference("opposite", token.text, other.text) for other in slot.found if other.stem in turned
        )
    if ours & UNIVERSAL and not theirs & UNIVERSAL:
        yield Difference(
            "stronger", _spelt(slot.claimed), _spelt(slot.found), slight=not theirs & (PARTIAL | HEDGES)
        )
    elif {"one", "of"} <= theirs and not ours & {"one", "of"}:
        yield Difference("stronger", _spelt(slot.claimed), _spelt(slot.found), slight=True)


@dataclass(frozen=True, slots=True)
class _Place:
    """A name, and the words before and after it."""

    name: tuple[Token, ...]
    before: str
    after: str

    def shares(self, other: _Place) -> bool:
        """Whether the two names have a word in common."""
        return bool({token.stem for token in self.name} & {token.stem for token in other.name})


def _exchanged(claim: Statement, sentence: Statement) -> Iterator[Difference]:
    """A name that stands, in a claim that follows a sentence, between the words that are around another name there."""
    there = _places(sentence)
    for place in _places(claim):
        own = [other for other in there if other.shares(place)]
        kept = any(place.before == other.before or place.after == other.after for other in own)
        if not own or kept or {place.before, place.after} & {"and", "or"}:
            continue
        for other in there:
            if other not in own and (other.before, other.after) == (place.before, place.after):
                yield Difference("name", _spelt(place.name), _spelt(other.name))
                return


def _places(statement: Statement) -> list[_Place]:
    """Where the names of a statement stand; articles before them do not count."""
    found = []
    tokens = [token for token in statement.tokens if token.lower not in ("the", "a", "an")]
    first = 0
    while first < len(tokens):
        end = first
        while end < len(tokens) and (_is_name(tokens[end]) or (end > first and tokens[end].lower == "of")):
            end += 1
        if end > first:
            before = tokens[first - 1].stem if first else ""
            after = tokens[end].stem if end < len(tokens) else ""
            found.append(_Place(tuple(tokens[first:end]), before, after))
        first = max(end, first + 1)
    return found


def _is_name(token: Token) -> bool:
    return token.name or token.opens


def _spelt(tokens: Iterable[Token]) -> str:
    return " ".join(token.text for token in tokens)
