"""Whether a claim and what it cites agree on numbers, names, denial and degree; what differs, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from rapidfuzz.distance import Levenshtein

from rag.quantities import Quantity, close, same
from rag.statement import (
    DENIALS,
    HEDGES,
    NEGATORS,
    PARTIAL,
    PRONOUNS,
    UNIVERSAL,
    Statement,
    Token,
    is_content,
    opposites,
)

ALIKE = 0.5
"""A claim follows a sentence word by word when this share of its words stand there in the same order."""
SCOPE = 0.5
"""A claim speaks of what a sentence denies or doubts when it has this share of those words."""
SAME_START = 4
"""Names that begin with so many equal letters and differ little after them are forms of one name."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a claim is compared with."""

    cited: tuple[Statement, ...]
    """The cited sentences."""
    nearby: tuple[Statement, ...]
    """The other sentences of their chunks."""
    known: tuple[Statement, ...]
    """Titles of their documents, and the question."""

    @property
    def stems(self) -> frozenset[str]:
        """All words of the cited sentences."""
        return frozenset().union(*(statement.stems for statement in self.cited))

    @property
    def words(self) -> frozenset[str]:
        """The same, not stemmed."""
        return frozenset().union(*(statement.words for statement in self.cited))


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a claim says and its source does not."""

    kind: str
    """`number`, `name`, `opposite` or `stronger`."""
    claimed: str
    """The word or number of the claim."""
    found: str = ""
    """What the source has in its place, if anything."""
    slight: bool = False
    """Whether it leaves the claim possible: rounded, said a little more surely, a name from nearby."""


def differences(claim: Statement, source: Source) -> list[Difference]:
    """Return what differs, those that cannot be forgiven first; empty when all agrees."""
    found = chain(
        _numbers(claim, source),
        _names(claim, source),
        _slots(claim, source),
        _denials(claim, source),
        _opposites(claim, source),
        _degrees(claim, source),
    )
    return sorted(found, key=lambda difference: difference.slight)


def _numbers(claim: Statement, source: Source) -> Iterator[Difference]:
    there = [quantity for statement in source.cited for quantity in statement.quantities]
    known = [quantity for statement in source.known for quantity in statement.quantities]
    nearby = [quantity for statement in source.nearby for quantity in statement.quantities]
    for quantity in claim.quantities:
        if any(same(quantity, other) for other in chain(there, known)) or quantity.text.lower() == "one":
            continue
        slight = (
            any(close(quantity, other) for other in there)
            or any(same(quantity, other) for other in nearby)
            or quantity.loose
        )
        instead = next((other.text for other in there if other.unit == quantity.unit), "")
        yield Difference("number", quantity.text, instead, slight)


def _names(claim: Statement, source: Source) -> Iterator[Difference]:
    known = _Names(source.known)
    cited, nearby = _Names(source.cited), _Names(source.nearby)
    refers = any(statement.words & PRONOUNS or not statement.names for statement in source.cited)
    for token in chain(claim.names, _opening(claim)):
        if cited.has(token, claim) or known.has(token, claim):
            continue
        first = _first_of_known(token, claim, cited)
        yield Difference("name", token.text, slight=first or nearby.has(token, claim) and refers)


def _opening(claim: Statement) -> Iterator[Token]:
    """Words that open a sentence and are most likely a name: a verb follows and they have no common ending."""
    for place, token in enumerate(claim.tokens[:-1]):
        after = claim.tokens[place + 1].lower
        verb = after in _AUXILIARIES or (after.endswith("ed") and not after.endswith("eed"))
        if token.opens and verb and not token.lower.endswith(_COMMON) and token.text.isascii():
            yield token


_AUXILIARIES = frozenset("is was has had did does will would can could may might s".split())
_COMMON = ("s", "ion", "ing", "ment", "ness", "ity", "ly", "ism", "ance", "ence", "ure", "age", "ship", "one", "body", "thing")


def _first_of_known(token: Token, claim: Statement, cited: _Names) -> bool:
    """Whether it stands before a name that is cited: a first name added."""
    place = claim.tokens.index(token)
    after = claim.tokens[place + 1 : place + 2]
    return bool(after) and after[0].name and cited.has(after[0], claim) and not claim.text[token.start :].startswith(f"{token.text}-")


class _Names:
    """The names of some statements, for finding a name in any of its forms."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.stems = frozenset().union(*(statement.stems for statement in statements))
        self.words = frozenset().union(*(statement.words for statement in statements))
        self.names = frozenset(token.lower for statement in statements for token in (*statement.names, *(t for t in statement.tokens if t.opens)))
        self.initials = frozenset().union(*(statement.initials for statement in statements))

    def has(self, token: Token, claim: Statement) -> bool:
        if token.stem in self.stems or token.lower in self.words:
            return True
        if token.text.isupper() and token.lower in self.initials:
            return True
        if any(token.lower[0] in name and name in claim.initials for name in self.names if len(name) > 1):
            return True
        return any(_forms(token.lower, name) for name in self.names)


def _forms(one: str, other: str) -> bool:
    """Whether two words are forms of one name, as a country and its people."""
    if one[:SAME_START] != other[:SAME_START] or min(len(one), len(other)) < SAME_START:
        return False
    shared = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rests = {one[shared:], other[shared:]}
    return all(rest == "" or rest.endswith(_ENDINGS) and len(rest) <= 5 for rest in rests)


_ENDINGS = ("n", "an", "ian", "ish", "ese", "ic", "i", "y", "a", "ia", "land", "s", "e")


@dataclass(frozen=True, slots=True)
class _Slot:
    """Words of a claim where a sentence, otherwise the same there, has other words."""

    claimed: tuple[Token, ...]
    found: tuple[Token, ...]


def _aligned(claim: Statement, sentence: Statement) -> list[_Slot]:
    """Where a claim departs from a sentence that it follows word by word; empty when it does not follow it."""
    ours, theirs = claim.tokens, sentence.tokens
    codes = Levenshtein.opcodes([token.stem for token in ours], [token.stem for token in theirs])
    kept = sum(code.src_end - code.src_start for code in codes if code.tag == "equal")
    if kept < ALIKE * len(ours):
        return []
    slots: list[_Slot] = []
    joins = False
    for code in codes:
        one, other = tuple(ours[code.src_start : code.src_end]), tuple(theirs[code.dest_start : code.dest_end])
        if code.tag == "equal":
            joins = joins and all(token.lower in ("and", "or") for token in one)
            continue
        if slots and joins:
            one, other = slots[-1].claimed + one, slots[-1].found + other
            slots.pop()
        slots.append(_Slot(one, other))
        joins = True
    return slots


def _slots(claim: Statement, source: Source) -> Iterator[Difference]:
    for sentence in source.cited:
        for slot in _aligned(claim, sentence):
            if not slot.claimed or not slot.found or _moved(slot, sentence):
                continue
            yield from _other_number(slot, claim, sentence)
            yield from _other_name(slot, claim, sentence)


def _moved(slot: _Slot, sentence: Statement) -> bool:
    """Whether plain words of the claim stand elsewhere in the sentence: the order is another, not the meaning."""
    found = {token.stem for token in slot.found}
    plain = [token.stem for token in slot.claimed if is_content(token.text) and not token.name and token.text.isalpha()]
    return any(word in sentence.stems and word not in found for word in plain)


def _in(statement: Statement, tokens: Sequence[Token]) -> list[Quantity]:
    starts = {token.start for token in tokens}
    return [q for q in statement.quantities if any(q.span[0] <= start < q.span[1] for start in starts)]


def _other_number(slot: _Slot, claim: Statement, sentence: Statement) -> Iterator[Difference]:
    ours, theirs = _in(claim, slot.claimed), _in(sentence, slot.found)
    for quantity in ours:
        if theirs and not any(same(quantity, other) or close(quantity, other) for other in theirs):
            yield Difference("number", quantity.text, theirs[0].text)
            return


def _other_name(slot: _Slot, claim: Statement, sentence: Statement) -> Iterator[Difference]:
    ours = [token for token in slot.claimed if token.name or token.opens]
    theirs = [token for token in slot.found if token.name or token.opens]
    if not ours or not theirs or any(slot.claimed[0].lower in PRONOUNS for _ in (0,)):
        return
    there = _Names([_only(sentence, theirs)])
    if any(there.has(token, claim) for token in ours):
        return
    everywhere = all(token.stem in sentence.stems for token in ours)
    if everywhere and (("by" in claim.words) != ("by" in sentence.words)):
        return
    yield Difference("name", " ".join(t.text for t in ours), " ".join(t.text for t in theirs))


def _only(sentence: Statement, tokens: Sequence[Token]) -> Statement:
    return Statement(" ".join(["-", *(token.text for token in tokens)]))


def _denials(claim: Statement, source: Source) -> Iterator[Difference]:
    ours = claim.denied
    theirs = [scope for statement in source.cited for scope in statement.denied]
    denies = bool(claim.words & (NEGATORS | DENIALS))
    denied = any(statement.words & (NEGATORS | DENIALS) for statement in source.cited)
    if not denies:
        for scope in theirs:
            if len(scope & claim.stems) >= SCOPE * len(scope):
                yield Difference("opposite", " ".join(sorted(scope & claim.stems)))
                return
    for scope in ours:
        if not any(scope & other for other in theirs) and not denied and len(scope & source.stems) >= SCOPE * len(scope):
            yield Difference("opposite", " ".join(sorted(scope & source.stems)))
            return


def _opposites(claim: Statement, source: Source) -> Iterator[Difference]:
    stems = source.stems
    for token in claim.tokens:
        if token.stem in stems or token.name:
            continue
        for other in opposites().get(token.stem, ()):
            if other in stems and other not in claim.stems and not _turned(token.stem, claim) and not any(_turned(other, s) for s in source.cited):
                yield Difference("opposite", token.text, other)
                return


def _turned(word: str, statement: Statement) -> bool:
    return any(word in scope for scope in statement.denied)


def _degrees(claim: Statement, source: Source) -> Iterator[Difference]:
    words = source.words
    universal = [token for token in claim.tokens if token.lower in UNIVERSAL]
    if universal and not words & UNIVERSAL:
        partly = next((word for word in sorted(words & PARTIAL) if word not in claim.words), "")
        yield Difference("stronger", universal[0].text, partly, slight=not partly)
    if not claim.words & HEDGES:
        for statement in source.cited:
            for scope in statement.doubted:
                if len(scope & claim.stems) >= SCOPE * len(scope):
                    doubt = next(token.text for token in statement.tokens if token.lower in HEDGES)
                    yield Difference("stronger", claim.text, doubt, slight=True)
                    return
