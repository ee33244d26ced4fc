"""The English words that turn, weaken or strengthen a statement, and how words are compared."""

from __future__ import annotations

from functools import cache, lru_cache

from index.text import content_terms, terms


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEGATORS = _words(
    """
    not no never none nobody nothing neither nor nowhere without cannot cant wont hardly barely scarcely
    rarely seldom
    """
)
"""Words that deny."""
DENIALS = _words(
    """
    fail failed fails deny denied denies refuse refused refuses reject rejected rejects lack lacked
    lacks unable
    """
)
"""Verbs that deny what follows them, which other sentences may put with `not`."""
HEDGES = _words(
    """
    may might could possibly perhaps probably likely potentially allegedly reportedly apparently
    seemingly suspected rumored rumoured presumably supposedly suggest suggests suggested believed
    thought expected estimated claimed alleged appear appears appeared seem seems seemed should hope
    hopes hoped plan plans planned consider considers considered considering propose proposes proposed
    speculated unclear uncertain whether
    """
)
"""Words that call something possible only."""
PARTIAL = _words(
    """
    some many most several few often sometimes usually generally typically largely mostly mainly partly
    partially nearly almost majority half part occasionally frequently
    """
)
"""Words that say it of some, or of some times."""
UNIVERSAL = _words(
    """
    all every each always entirely completely everyone everybody everything whole only exclusively
    solely entire everywhere any
    """
)
"""Words that say it of all, or of nothing else."""
TITLES = _words(
    """
    mr mrs ms miss dr sir lord lady dame prof professor president prime minister king queen prince
    princess pope saint st general captain colonel senator governor mayor judge chancellor secretary
    chairman director ceo coach rev father sister emperor duke earl count chief officer doctor bishop
    archbishop cardinal the of and university college city county state river lake mount church street
    road company inc corp ltd north south east west northern southern eastern western
    """
)
"""Words of rank and kind that stand with a name and may be left out or added."""
BREAKS = _words(
    """
    but although though while because whereas however unless
    """
)
"""Words at which what is denied or doubted ends."""
PRONOUNS = _words(
    """
    he she it they his her hers its their theirs him them this these those such who which latter former
    """
)
"""Words that stand for something named before."""
_LIGHT = _words(
    """
    he she him her his hers i me my we us our you your them its who whom whose which what when where why
    how been being am were has have had having do does did done would could should can may might also
    however moreover additionally furthermore so than then there here from about s t re ve ll d m
    """
)
AUXILIARIES = _words(
    """
    can could did does had has is may might s was will would
    """
)
"""Verbs that follow the name or noun that opens a sentence."""
_OPPOSITES = (
    "increase decrease | rise fall | rose fell | grow shrink | first last | large small | big small | "
    "high low | old new | oldest newest | more less | more fewer | most least | before after | north "
    "south | northern southern | east west | eastern western | win lose | won lost | begin end | "
    "began ended | start stop | born died | male female | man woman | men women | early late | "
    "maximum minimum | best worst | long short | longest shortest | largest smallest | biggest "
    "smallest | highest lowest | always never | public private | above below | inside outside | "
    "support oppose | accept reject | allow forbid | allow ban | strong weak | major minor | many few "
    "| internal external | positive negative | common rare | rich poor | easy difficult | easy hard | "
    "hot cold | warm cool | father mother | son daughter | brother sister | king queen | husband wife "
    "| import export | buy sell | bought sold | open close | built destroyed | create destroy | same "
    "different | left right | up down | gain loss | success failure | successful unsuccessful | legal "
    "illegal | true false | guilty innocent | alive dead | agree disagree | approve reject | upper "
    "lower | remember forget | arrive depart | enter leave | attack defend | victory defeat | "
    "majority minority | full empty | wide narrow | fast slow | urban rural | superior inferior | "
    "possible impossible | likely unlikely | able unable | well badly | with without | include "
    "exclude | for against | love hate | heavy light | thick thin | deep shallow | increase reduce | "
    "raise lower | rise drop | up fall"
)


@cache
def opposites() -> dict[str, frozenset[str]]:
    """Return the words that mean the opposite of a word, both as stems."""
    found: dict[str, set[str]] = {}
    for pair in _OPPOSITES.split(" | "):
        one, other = map(stem, pair.split())
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return a word as it is compared: lower case, without accents, stemmed."""
    found = terms(word)
    return found[0] if found else word.lower()


@lru_cache(maxsize=50_000)
def is_content(word: str) -> bool:
    """Whether a word carries meaning of its own."""
    return bool(content_terms(word)) and len(word) + (not word.isascii()) > 1 and word.lower() not in _LIGHT
