"""Whether a claim and what it cites agree on numbers, names, denial and degree; what differs, in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from rag.checks.lexicon import AUXILIARIES, DENIALS, HEDGES, NEGATORS, PARTIAL, UNIVERSAL, opposites
from rag.checks.quantities import close, same
from rag.checks.slots import replaced
from rag.checks.sources import Difference, Names, Source
from rag.checks.statement import Statement, Token

TOUCHED = 0.4
"""Denials and doubts of a sentence touch a claim when it has this share of the claim's words."""
SCOPE = 0.5
"""A claim speaks of what a sentence denies or doubts when it has this share of those words."""
SCRIPT = 0.3
"""Difference in their shares of Latin letters that tells two scripts apart."""
STRANGE, ENGLISH = 3, 0.15
"""A claim of so many plain words with a smaller share of English function words is not English."""


def differences(claim: Statement, source: Source) -> list[Difference]:
    """Return what differs, those that cannot be forgiven first; empty when all agrees."""
    found = chain(
        _numbers(claim, source),
        _names(claim, source),
        replaced(claim, source),
        _denials(claim, source),
        _opposites(claim, source),
        _degrees(claim, source),
    )
    return sorted(found, key=lambda difference: difference.slight)


def foreign(claim: Statement, source: Source) -> bool:
    """Whether a claim is in another script or language than what it cites."""
    if any(abs(claim.latin - statement.latin) > SCRIPT for statement in source.cited):
        return True
    plain = [token.stem for token in claim.content if token.text.islower()]
    shared = any(token.name or token.counts for token in claim.tokens if token.lower in source.words)
    strange = len(plain) >= STRANGE and sum(word in source.stems for word in plain) < 0.2 * len(plain)
    spoken = all(statement.english > 2 * ENGLISH for statement in source.cited)
    return strange and shared and spoken and claim.english < ENGLISH


def foreign_difference(claim: Statement, source: Source) -> Difference | None:
    """Return the first number, or name kept in Latin letters, that a claim in another language has alone."""
    words = source.words.union(*(statement.words for statement in (*source.known, *source.nearby)))
    latin = (
        token
        for token in claim.tokens
        if token.text.isascii() and token.text.isalpha() and len(token.text) > 1
    )
    names = (
        Difference("name", token.text)
        for token in latin
        if claim.latin < 1 - SCRIPT and token.lower not in words
    )
    numbers = (found for found in _numbers(claim, source) if not found.slight)
    return next(chain(numbers, names), None)


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
    known = Names(source.known)
    cited, nearby = Names(source.cited), Names(source.nearby)
    for token in chain(claim.names, _opening(claim)):
        if cited.has(token, claim) or known.has(token, claim):
            continue
        near = nearby.has(token, claim)
        if not (near and source.refers):
            yield Difference("name", token.text, slight=near or _first_of_known(token, claim, cited))


def _opening(claim: Statement) -> Iterator[Token]:
    """Words that open a sentence and are most likely a name: a verb follows and they have no common ending."""
    for place, token in enumerate(claim.tokens[:-1]):
        after = claim.tokens[place + 1].lower
        verb = after in AUXILIARIES or (after.endswith("ed") and not after.endswith("eed"))
        if token.opens and verb and not token.lower.endswith(_COMMON) and token.text.isascii():
            yield token


_COMMON = (
    "s",
    "ion",
    "ing",
    "ment",
    "ness",
    "ity",
    "ly",
    "ism",
    "ance",
    "ence",
    "ure",
    "age",
    "ship",
    "one",
    "body",
    "thing",
)


def _first_of_known(token: Token, claim: Statement, cited: Names) -> bool:
    """Whether it stands before a name that is cited: a first name added."""
    place = claim.tokens.index(token)
    after = claim.tokens[place + 1 : place + 2]
    return (
        bool(after)
        and after[0].name
        and cited.has(after[0], claim)
        and not claim.text[token.start :].startswith(f"{token.text}-")
    )


def _denials(claim: Statement, source: Source) -> Iterator[Difference]:
    denies = NEGATORS | DENIALS
    if not claim.words & denies:
        for statement in _about(claim, source):
            for scope in statement.denied:
                if words := _said(scope, claim, source):
                    yield Difference("opposite", statement.spelt(words))
                    return
    if source.words & denies:
        return
    for scope in claim.denied:
        if len(scope & source.stems) >= SCOPE * len(scope):
            yield Difference("opposite", claim.spelt(scope & source.stems))
            return


def _about(claim: Statement, source: Source) -> Iterator[Statement]:
    """The cited sentences that have enough of a claim's words for their denials and doubts to touch it."""
    stems = {token.stem for token in claim.content}
    return (statement for statement in source.cited if len(stems & statement.stems) >= TOUCHED * len(stems))


def _said(scope: frozenset[str], claim: Statement, source: Source) -> frozenset[str]:
    """What a claim says of the words that a sentence denies or doubts; empty when it is too little.

    A word that the cited sentences also have elsewhere tells nothing.
    """
    only = frozenset(word for word in scope if sum(s.count(word) for s in source.cited) == 1)
    said = only & claim.stems
    return said if len(said) >= SCOPE * len(scope) else frozenset()


def _opposites(claim: Statement, source: Source) -> Iterator[Difference]:
    stems = frozenset().union(*(statement.stems for statement in _about(claim, source)))
    for token in claim.tokens:
        if token.stem in source.stems or token.name:
            continue
        for other in opposites().get(token.stem, ()):
            if (
                other in stems
                and other not in claim.stems
                and not _turned(token.stem, claim)
                and not any(_turned(other, s) for s in source.cited)
            ):
                yield Difference("opposite", token.text, other)
                return


def _turned(word: str, statement: Statement) -> bool:
    return any(word in scope for scope in statement.denied)


def _degrees(claim: Statement, source: Source) -> Iterator[Difference]:
    words = source.words
    universal = next((token for token in claim.tokens if token.lower in UNIVERSAL), None)
    about = frozenset().union(*claim.after(UNIVERSAL)) & source.stems
    if universal and about and not words & UNIVERSAL:
        partly = next((word for word in sorted(words & PARTIAL) if word not in claim.words), "")
        yield Difference("stronger", universal.text, partly, slight=not partly)
    if claim.words & HEDGES:
        return
    for statement in _about(claim, source):
        if any(_said(scope, claim, source) for scope in statement.doubted):
            doubt = next(token.text for token in statement.tokens if token.lower in HEDGES)
            yield Difference("stronger", claim.text, doubt, slight=True)
            return
