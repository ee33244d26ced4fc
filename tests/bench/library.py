"""A made-up library of any size: every text is a function of its number, so that runs are alike.

The words are English function words among made-up ones, some general (a few very common, as in any language)
and some of the text's topic, so that texts of a topic are neighbours by meaning and share words. Each text
holds one fact that no other holds.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TOPICS, TOPIC_WORDS, GENERAL_WORDS = 200, 30, 4_000
SENTENCES, WORDS = 5, 10
"""Of a paragraph: it fills one chunk, and two do not fit into one."""
FOLDER = 1_000
"""Files in a folder."""
FUNCTION_WORDS = ["the", "of", "and", "in", "to", "a", "with", "for", "on", "by", "from", "as"]
ROLES = ["keeper", "builder", "founder", "painter", "owner", "gardener", "printer", "physician"]
ONSETS = [*"bcdfghklmnprstvw", "br", "dr", "gr", "st", "tr"]
VOWELS = [*"aeiou", "ai", "ea", "or", "un", "el"]
SYLLABLES = [onset + vowel for onset in ONSETS for vowel in VOWELS]
ENDINGS = "nsrl"
NAMES, STRIDE = len(SYLLABLES) ** 3, 48_271
NAME = re.compile(rf"({'|'.join(SYLLABLES)})" * 3)
Words = NDArray[np.object_]


def write(folder: Path, files: int, paragraphs: int) -> None:
    """Put texts number 0 to `files` - 1 into a folder, which is made.

    Args:
        folder: Where they go, a thousand to a folder.
        files: How many.
        paragraphs: Of each text, about 350 characters each; with none a text is its fact alone.
    """
    for number in range(files):
        path = folder / file(number)
        if number % FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.write_text(text(number, paragraphs), encoding="utf-8")


def file(number: int) -> str:
    """Return the path of a text below its folder."""
    return f"{number // FOLDER:04}/{number:07}.txt"


def text(number: int, paragraphs: int) -> str:
    """Return a text: its place for a title, its fact, and paragraphs of its topic."""
    rng = np.random.default_rng(number)
    drawn = _draw(rng, number % TOPICS, paragraphs * SENTENCES * WORDS).reshape(paragraphs, SENTENCES, WORDS)
    sentences = [[f"{' '.join(words).capitalize()}." for words in paragraph] for paragraph in drawn]
    place, role, person = _fact(number)
    fact = f"The {role} of {place} was {person}."
    if sentences:
        sentences[rng.integers(paragraphs)][0] = fact
    return "\n\n".join([place, *map(" ".join, sentences or [[fact]])]) + "\n"


def question(number: int) -> tuple[str, str]:
    """Return a question about the fact of a text, and the words that answer it."""
    place, role, person = _fact(number)
    return f"Who was the {role} of {place}?", person


def keywords(number: int) -> str:
    """Return a query in words of a text's topic, with a common word or two."""
    rng = np.random.default_rng([number, 1])
    return " ".join(_draw(rng, number % TOPICS, WORDS))


def topic(word: str) -> int | None:
    """Return the topic that a word, in lower case, belongs to; None for general words.

    A place belongs to that of its text, as the name of a real one says what is around it.
    """
    if place := NAME.fullmatch(word):
        digits = [SYLLABLES.index(syllable) for syllable in place.groups()]
        number = sum(digit * len(SYLLABLES) ** power for power, digit in enumerate(digits))
        return number * pow(STRIDE, -1, NAMES) % NAMES % TOPICS
    return _topics().get(word)


@cache
def _topics() -> dict[str, int]:
    _, special = _vocabulary()
    return {word: number for number, words in enumerate(special) for word in words}


def _draw(rng: np.random.Generator, topic: int, count: int) -> Words:
    """Words as a text of a topic has them: a quarter function words, the others of the topic or general."""
    general, special = _vocabulary()
    kind = rng.random(count)
    # One over the rank plus twenty: the commonest word is in one paragraph of seven.
    rank = (20 * (1 + GENERAL_WORDS / 20) ** rng.random(count) - 20).astype(int)
    words = np.where(kind < 0.6, general[rank], special[topic][rng.integers(TOPIC_WORDS, size=count)])
    functional = np.array(FUNCTION_WORDS, object)[rng.integers(len(FUNCTION_WORDS), size=count)]
    return np.where(kind < 0.25, functional, words)


def _fact(number: int) -> tuple[str, str, str]:
    """Place, role and person; no two texts have the same place or the same person."""
    person = f"{_name(number % 50 + 5_003)} {_name(number + 3_000_017)}"
    return _name(number), ROLES[number % len(ROLES)], person


def _name(number: int) -> str:
    """A name of its own for each number below `NAMES`, neighbours unlike each other."""
    return "".join(_syllables(number * STRIDE % NAMES, 3)).capitalize()


def _syllables(number: int, count: int) -> list[str]:
    digits = [number // len(SYLLABLES) ** place % len(SYLLABLES) for place in range(count)]
    return [SYLLABLES[digit] for digit in digits]


@cache
def _vocabulary() -> tuple[Words, Words]:
    """The general words, commonest first, and those of each topic, one row each."""
    count = GENERAL_WORDS + TOPICS * TOPIC_WORDS
    numbers = np.random.default_rng(0).choice(len(SYLLABLES) ** 2 * len(ENDINGS), count, replace=False)
    made = ["".join(_syllables(n // len(ENDINGS), 2)) + ENDINGS[n % len(ENDINGS)] for n in numbers.tolist()]
    words = np.array(made, object)
    return words[:GENERAL_WORDS], words[GENERAL_WORDS:].reshape(TOPICS, TOPIC_WORDS)
