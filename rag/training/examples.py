"""One epoch of training examples, drawn anew each time."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .data import (
    STOP,
    Document,
    Example,
    Question,
    holds,
    whole_word,
    window_around,
    words_of,
)
from .perturb import names_in, noisy, opposite, replaced, swap_pair

POINTERS = ("he", "she", "it", "they", "that", "this", "him", "them", "there")
SAID_CHARACTERS = 300  # how much of an earlier turn the product takes along


@dataclass(frozen=True)
class Recipe:
    """How often each thing happens. The first three weigh the kinds of near miss of an answerable one."""

    removed: float = 0.55
    swapped: float = 0.38
    far: float = 0.07
    retrieved: float = 0.8  # chance of one more near miss: a window that retrieval found
    followed: float = 0.15  # chance that a question leans on an earlier one
    noise: float = 0.28  # chance that a question is noisy
    titled: float = 0.8  # chance that the window comes with its title
    renamed: float = 0.08  # chance that a positive has a name changed in question and window alike
    long_copies: int = 3  # CLAPnq is small: this many windows of each of its questions
    words: tuple[int, int] = (20, 90)  # window size, uniform


def finish(rng: random.Random, recipe: Recipe, example: Example, said: str) -> Example:
    """Noise, a lean on ``said``, title or none: the same chances for positives and negatives."""
    question, lean = example.question, ""
    if said and rng.random() < recipe.followed:
        question, lean = leaning(rng, question, said)
    if rng.random() < recipe.noise:
        question = noisy(rng, question)
    question += lean
    title = example.title if rng.random() < recipe.titled else ""
    return replace(example, question=question, title=title)


def join(sentences: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The window's text and where each sentence stands in it."""
    places, at = [], 0
    for s in sentences:
        places.append((at, at + len(s)))
        at += len(s) + 1
    return " ".join(sentences), places


def gold_window(rng: random.Random, recipe: Recipe, q: Question, d: Document) -> Example:
    """A window that holds an answering sentence, at any place in it."""
    centre = rng.choice(q.gold)
    first, last = window_around(rng, list(d.sentences), centre, rng.randint(*recipe.words))
    window, places = join(d.sentences[first:last])
    support = tuple(places[g - first] for g in q.gold if first <= g < last)
    if not q.answers:
        return Example(q.text, d.title, window, support, support)
    answer = next(a for a in q.answers if holds(d.sentences[centre], a))  # commonest first
    at = places[centre - first][0]
    found = whole_word(answer).finditer(d.sentences[centre])
    spans = tuple((at + m.start(), at + m.end()) for m in found)
    unsure = tuple(
        (a, b)
        for n, (a, b) in enumerate(places, first)
        if n not in q.gold and any(holds(window[a:b], x) for x in q.answers)
    )
    return Example(q.text, d.title, window, spans, support, unsure)


def removed(rng: random.Random, recipe: Recipe, q: Question, d: Document) -> Example | None:
    """The gold window without the sentences that answer or repeat the answer."""
    gone = {n for n, s in enumerate(d.sentences) if any(holds(s, a) for a in q.answers)}
    gone |= set(q.gold)
    kept = [n for n in range(len(d.sentences)) if n not in gone]
    if not kept:
        return None
    centre = min(range(len(kept)), key=lambda k: abs(kept[k] - rng.choice(q.gold)))
    rest = [d.sentences[n] for n in kept]
    first, last = window_around(rng, rest, centre, rng.randint(*recipe.words))
    return Example(q.text, d.title, " ".join(rest[first:last]), (), (), kind="removed")


def swapped(rng: random.Random, example: Example, elsewhere: str) -> Example | None:
    """A gold example that no longer matches: the question or the window was changed."""
    if rng.random() < 0.25 and (turned := opposite(rng, example.question)):
        return replace(example, question=turned, spans=(), support=(), unsure=(), kind="swapped")
    pair = swap_pair(rng, example.question, example.window, elsewhere)
    if pair is None:
        return None
    no = replace(example, spans=(), support=(), unsure=(), kind="swapped")
    if rng.random() < 0.35:
        return replace(no, window=replaced(no.window, *pair), title=replaced(no.title, *pair))
    return replace(no, question=replaced(no.question, *pair))


def renamed(rng: random.Random, example: Example, elsewhere: str) -> Example:
    """A gold example with the same change in question and window: still answered."""
    pair = swap_pair(rng, example.question, example.window, elsewhere)
    if pair is None or not example.spans:
        return example
    marks = sorted({p for s in (*example.spans, *example.support, *example.unsure) for p in s})
    pieces = [example.window[a:b] for a, b in zip([0, *marks], [*marks, None], strict=True)]
    pieces = [replaced(p, *pair) for p in pieces]
    moved = dict(zip(marks, np.cumsum([len(p) for p in pieces]).tolist(), strict=False))
    shift = lambda spans: tuple((moved[a], moved[b]) for a, b in spans)  # noqa: E731
    return replace(
        example,
        question=replaced(example.question, *pair),
        title=replaced(example.title, *pair),
        window="".join(pieces),
        spans=shift(example.spans),
        support=shift(example.support),
        unsure=shift(example.unsure),
    )


def written(rng: random.Random, recipe: Recipe, q: Question, d: Document) -> Example:
    """An unanswerable question with the part of its passage that looks most like an answer."""
    asked = set(words_of(q.text)) - STOP
    near = [len(asked & set(words_of(s))) for s in d.sentences]
    centre = max(range(len(near)), key=near.__getitem__)
    if rng.random() < 0.3:
        centre = rng.randrange(len(near))
    first, last = window_around(rng, list(d.sentences), centre, rng.randint(*recipe.words))
    return Example(q.text, d.title, " ".join(d.sentences[first:last]), (), (), kind="written")


def leaning(rng: random.Random, question: str, said: str) -> tuple[str, str]:
    """The question as a follow-up, a name said before left out, and what was said, in brackets."""
    known = [n for n in names_in(question) if holds(said, n)]
    if known:
        question = replaced(question, rng.choice(known), rng.choice(POINTERS))
    return question, f" ({said[:SAID_CHARACTERS]})"


def near_miss(
    rng: random.Random, recipe: Recipe, q: Question, d: Document, gold: Example, elsewhere: str, far: Document
) -> Example | None:
    """One window that looks as if it answered, or none where the drawn kind cannot be made."""
    kind = rng.choices(("removed", "swapped", "far"), (recipe.removed, recipe.swapped, recipe.far))[0]
    if kind == "removed":
        return removed(rng, recipe, q, d)
    if kind == "swapped":
        return swapped(rng, gold, elsewhere)
    return replace(written(rng, recipe, q, far), kind="far") if far.group != d.group else None


def epoch(
    rng: random.Random,
    recipe: Recipe,
    documents: list[Document],
    questions: list[Question],
    retrieved: dict[str, list[Example]],
) -> list[Example]:
    """All examples of one pass: of each answerable question a gold window and near misses of it."""
    group: dict[str, list[int]] = defaultdict(list)
    for n, d in enumerate(documents):
        group[d.group].append(n)
    beside: dict[int, list[Question]] = defaultdict(list)
    for q in questions:
        beside[q.document].append(q)
    out: list[Example] = []
    for q in questions:
        d = documents[q.document]
        drawn: list[Example | None] = []
        for _ in range(1 if q.answers or not (q.gold or d.group == q.id) else recipe.long_copies):
            if q.answerable:
                gold = gold_window(rng, recipe, q, d)
                near = group[d.group] if len(group[d.group]) > 1 else range(len(documents))
                elsewhere = " ".join(documents[rng.choice(near)].sentences)
                drawn.append(renamed(rng, gold, elsewhere) if rng.random() < recipe.renamed else gold)
                drawn.append(near_miss(rng, recipe, q, d, gold, elsewhere, rng.choice(documents)))
            else:
                drawn.append(written(rng, recipe, q, d))
            if q.id in retrieved and rng.random() < recipe.retrieved / (1 if q.answerable else 2):
                drawn.append(rng.choice(retrieved[q.id]))
        earlier = rng.choice(beside[q.document])
        said = " ".join([earlier.text, *(d.sentences[g] for g in earlier.gold[:1])])
        said = said if earlier.id != q.id else ""
        out += [finish(rng, recipe, e, said) for e in drawn if e]
    rng.shuffle(out)
    return out
