"""What a claim is compared with, what may differ, and names in all their forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rag.checks.lexicon import PRONOUNS
from rag.checks.statement import Statement, Token

SAME_START = 4
"""Names that begin with so many equal letters and differ little after them are forms of one name."""


@dataclass(frozen=True)
class Source:
    """What a claim is compared with."""

    cited: tuple[Statement, ...]
    """The cited sentences."""
    nearby: tuple[Statement, ...]
    """The other sentences of their chunks."""
    known: tuple[Statement, ...]
    """Titles of their documents, and the question."""

    @cached_property
    def stems(self) -> frozenset[str]:
        """All words of the cited sentences."""
        return frozenset().union(*(statement.stems for statement in self.cited))

    @cached_property
    def words(self) -> frozenset[str]:
        """The same, not stemmed."""
        return frozenset().union(*(statement.words for statement in self.cited))

    @cached_property
    def refers(self) -> bool:
        """Whether a cited sentence speaks of something that it does not name."""
        return any(statement.words & PRONOUNS or not statement.names for statement in self.cited)


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


class Names:
    """The names of some statements, for finding a name in any of its forms."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.stems = frozenset().union(*(statement.stems for statement in statements))
        self.words = frozenset().union(*(statement.words for statement in statements))
        self.names = frozenset(
            token.lower
            for statement in statements
            for token in (*statement.names, *(t for t in statement.tokens if t.opens))
        )
        self.initials = frozenset().union(*(statement.initials for statement in statements))

    def has(self, token: Token, claim: Statement) -> bool:
        """Whether a name of a claim is among them: in full, as an acronym or what it stands for, or as another form."""
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
    shared = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    rests = {one[shared:], other[shared:]}
    return all(rest == "" or (rest.endswith(_ENDINGS) and len(rest) <= 5) for rest in rests)


_ENDINGS = ("n", "an", "ian", "ish", "ese", "ic", "i", "y", "a", "ia", "land", "s", "e")
