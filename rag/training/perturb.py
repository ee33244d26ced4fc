"""Changes to text: noise that keeps a question's meaning, swaps that destroy it.

Noise imitates hurried and non-native typing. Swaps make near misses: the same window and almost the
same question, but about another name, another number, or the opposite.
"""

from __future__ import annotations

import random
import re

from .data import STOP, holds, whole_word

NAME = re.compile(r"(?:[A-Z][\w'’-]+)(?:\s+(?:of\s+(?:the\s+)?)?[A-Z][\w'’-]+)*")
NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
CONTENT = re.compile(r"\b[a-z]{4,}\b")
ARTICLES = re.compile(r"\b(?:the|a|an)\s+", re.IGNORECASE)
SMALL_WORDS = re.compile(r"\b(?:the|a|an|of|is|are|was|were|did|does|do|in|to|at|for)\s+", re.IGNORECASE)
WRAPPERS = (
    "tell me {}", "can you tell me {}", "do you know {}", "i want to know {}", "please, {}", "hi, {}",
    "could you explain {}", "find out {}", "quick question: {}", "{} please", "i need to know {}",
    "what do the files say: {}", "{} thanks", "ok so {}",
)  # fmt: skip
SHORT = {
    "because": "bc", "people": "ppl", "government": "govt", "you": "u", "are": "r", "and": "&",
    "with": "w/", "number": "no.", "company": "co.", "university": "univ", "versus": "vs",
    "united states": "US", "united kingdom": "UK", "first": "1st", "second": "2nd", "third": "3rd",
    "what is": "whats", "who is": "whos", "what's": "whats", "percent": "%", "year": "yr",
}  # fmt: skip
NON_NATIVE = (
    (r"^(when|where|why|how) (?:did|does|do) ", r"\1 "),
    (r"^(what|who|which|when|where) (?:is|was|are|were) ", r"\1 "),
    (r"\b(?:did|does|do) ", ""),
    (r"\bhas been\b", "is"),
    (r"\bmany\b", "much"),
    (r"^(what|which) (\w+) ", r"what is the \2 that "),
    (r"\b(in|on|at)\b", "in"),
)
OPPOSITES = (
    "first last", "largest smallest", "biggest smallest", "highest lowest", "oldest newest",
    "most least", "more less", "before after", "north south", "northern southern", "east west",
    "eastern western", "increase decrease", "increased decreased", "won lost", "win lose",
    "began ended", "begin end", "start stop", "started stopped", "born died", "male female",
    "men women", "early late", "earlier later", "maximum minimum", "best worst", "longest shortest",
    "always never", "public private", "above below", "inside outside", "support oppose",
    "supported opposed", "accepted rejected", "allowed forbade", "strong weak", "high low",
    "long short", "large small", "new old", "major minor", "many few", "internal external",
    "positive negative", "common rare", "rich poor", "easy hard", "father mother", "king queen",
    "import export", "buy sell", "bought sold", "founded closed", "built destroyed", "same different",
)  # fmt: skip
OPPOSITE = {a: b for pair in OPPOSITES for a, b in (pair.split(), pair.split()[::-1])}


def typo(rng: random.Random, word: str) -> str:
    """One slip of the fingers inside a word: drop, double, transpose or hit a neighbour."""
    if len(word) < 4:
        return word
    n = rng.randrange(1, len(word) - 1)
    return rng.choice(
        (
            word[:n] + word[n + 1 :],
            word[:n] + word[n] + word[n:],
            word[:n] + word[n + 1] + word[n] + word[n + 2 :],
            word[:n] + rng.choice("abcdefghijklmnoprstuvwy") + word[n + 1 :],
        )
    )


def noisy(rng: random.Random, question: str) -> str:
    """The same question as hurried or non-native people type it: one to three changes."""
    text = question.strip()
    for change in rng.sample(range(8), rng.choice((1, 2, 2, 3))):
        if change == 0 or change == 1:  # typos, the commonest
            words = text.split()
            for n in rng.sample(range(len(words)), min(len(words), rng.choice((1, 1, 2)))):
                words[n] = typo(rng, words[n])
            text = " ".join(words)
        elif change == 2:
            text = text.lower()
        elif change == 3:
            text = re.sub(r"[?,.'\"]", "", text)
        elif change == 4:
            text = ARTICLES.sub("", text)
        elif change == 5:  # keywords only
            text = SMALL_WORDS.sub("", text.rstrip("?"))
        elif change == 6:
            pattern, new = rng.choice(NON_NATIVE)
            text = re.sub(pattern, new, text, count=1, flags=re.IGNORECASE)
            for long, short in rng.sample(sorted(SHORT.items()), 6):
                text = re.sub(rf"\b{long}\b", short, text, flags=re.IGNORECASE)
        else:
            text = rng.choice(WRAPPERS).format(text[:1].lower() + text[1:])
    return text.strip() or question


def other_number(rng: random.Random, number: str) -> str:
    """Another number of the same shape: a year stays near, the rest changes freely."""
    digits = number.replace(",", "")
    if re.fullmatch(r"1\d{3}|20\d\d", digits):
        return str(int(digits) + rng.choice((-1, 1)) * rng.randint(1, 40))
    changed = "".join(str(rng.randint(1, 9)) if c.isdigit() else c for c in number)
    return changed if changed != number else number + "5"


def names_in(text: str) -> list[str]:
    """Capitalised runs that do not merely open a sentence."""
    found = [m for m in NAME.finditer(text) if m.start() > 0 or " " in m.group()]
    return [m.group() for m in found if m.group().lower() not in STOP and len(m.group()) > 2]


def swap_pair(rng: random.Random, question: str, window: str, elsewhere: str) -> tuple[str, str] | None:
    """(what to change, into what): something that the question asks about and the window holds.

    The replacement is of the same kind and comes from ``elsewhere``, other text of the same article.
    """
    pairs: list[tuple[str, str]] = []
    shared = [n for n in names_in(question) if holds(window, n)]
    if shared:
        others = [n for n in names_in(elsewhere) if n not in window and n not in question]
        if others:
            pairs += [(rng.choice(shared), rng.choice(others))] * 3
    numbers = [n for n in NUMBER.findall(question) if holds(window, n)]
    if numbers:
        pairs += [(n := rng.choice(numbers), other_number(rng, n))] * 3
    plain = [w for w in CONTENT.findall(question) if w not in STOP and holds(window, w)]
    if plain:
        others = [w for w in CONTENT.findall(elsewhere) if w not in window and w not in STOP]
        same_end = [w for w in others if w[-2:] == (chosen := plain[-1])[-2:]]
        if same_end:
            pairs.append((chosen, rng.choice(same_end)))
    return rng.choice(pairs) if pairs else None


def replaced(text: str, old: str, new: str) -> str:
    """The text with every ``old`` turned into ``new``."""
    return whole_word(old).sub(lambda _: new, text)


def opposite(rng: random.Random, question: str) -> str | None:
    """The question with one word turned into its opposite, if it has such a word."""
    present = [w for w in re.findall(r"[a-z]+", question) if w in OPPOSITE]
    if not present:
        return None
    word = rng.choice(present)
    return replaced(question, word, OPPOSITE[word])
