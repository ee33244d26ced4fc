"""Fit how likely a claim is supported, on claims made from the articles that are not held out.

    python -m rag.training.fit_verification --squad DIR --clapnq DIR

Prints the weights of `rag.checks.support` and, for several thresholds, how many true and false claims pass.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.checks.agreement import differences
from rag.checks.sources import Source
from rag.checks.statement import Statement
from rag.checks.support import features

from .claims import Pair, pairs
from .data import clapnq_half, detokenised, sentences_of
from .fit import logistic_fit

PER_KIND = 150
RIDGE = 3.0
SEED = 3
SHARES = {
    "answered by a person": 4, "question answered": 3, "twisted question": 2, "another sentence": 2,
    "answer of another": 2, "crossed": 2, "detail added": 2,
}  # fmt: skip
"""How much a kind counts; those nearest to what language models write count most."""


@dataclass
class Measured:
    """A pair, and the features where numbers, names and polarity agree."""

    pair: Pair
    features: np.ndarray | None


def sample(squad: Path, held: bool, per_kind: int = PER_KIND) -> list[Pair]:
    """At most so many claims of each kind."""
    kinds: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs(squad, held):
        kinds[pair.kind].append(pair)
    rng = random.Random(SEED)
    return [
        pair for kind in sorted(kinds) for pair in rng.sample(kinds[kind], min(per_kind, len(kinds[kind])))
    ]


def answered(clapnq: Path, held: bool) -> Iterator[Pair]:
    """Sentences of the answers that people wrote, citing the sentences they marked, or others of the passage."""
    rng = random.Random(SEED)
    lines = (clapnq / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    corpus = {row["id"]: row for row in map(json.loads, lines)}
    for line in (clapnq / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        q = json.loads(line)
        if not q["answerable"] or clapnq_half(q["id"]) != held:
            continue
        passage = corpus[q["gold_ids"][0]]
        raw = passage.get("sentences") or sentences_of(passage["text"])
        sentences = tuple(detokenised(s) for s in raw)
        marked = {span["text"].strip() for span in q["gold_spans"]}
        gold = tuple(n for n, s in enumerate(raw) if s.strip() in marked)
        rest = [n for n in range(len(raw)) if n not in gold]
        for claim in sentences_of(detokenised(q["answers"][0])) if gold else ():
            if len(claim.split()) < 4:
                continue
            yield Pair("answered by a person", True, claim, passage["title"], sentences, gold, q["question"])
            if rest:
                other = tuple(sorted(rng.sample(rest, min(len(gold), len(rest), 2))))
                yield Pair(
                    "another sentence", False, claim, passage["title"], sentences, other, q["question"]
                )


def measure(some: Sequence[Pair]) -> list[Measured]:
    """Compare each claim with what it cites."""
    measured = []
    for number, pair in enumerate(some):
        claim = Statement(pair.claim)
        asked = Statement(pair.question if number % 2 else "")  # Not everyone who checks knows the question.
        cited = [pair.sentences[n] for n in pair.cited]
        nearby = tuple(Statement(s) for n, s in enumerate(pair.sentences) if n not in pair.cited)
        source = Source(tuple(map(Statement, cited)), (*nearby, asked), (Statement(pair.title),))
        found = differences(claim, source)
        measured.append(Measured(pair, None if found else features(claim, source)))
    return measured


def fit(measured: Sequence[Measured]) -> np.ndarray:
    """Weights and, last, the constant; kinds count by `SHARES`, true and false claims the same."""
    rows = [m for m in measured if m.features is not None]
    kinds = Counter(m.pair.kind for m in rows)
    weights = np.array([SHARES.get(m.pair.kind, 1) / kinds[m.pair.kind] for m in rows])
    y = np.array([m.pair.true for m in rows], float)
    for side in (0, 1):
        weights[y == side] *= 500 / weights[y == side].sum()
    x = np.array([m.features for m in rows])
    return logistic_fit(x, y, weights, RIDGE)


def passing(measured: Sequence[Measured], w: np.ndarray, threshold: float) -> dict[str, float]:
    """Share of each kind whose chance is at least the threshold."""
    passed: dict[str, list[bool]] = defaultdict(list)
    for m in measured:
        sure = m.features is not None and 1 / (1 + np.exp(-(m.features @ w[:-1] + w[-1]))) >= threshold
        passed[f"{'true ' if m.pair.true else 'false'} {m.pair.kind}"].append(sure)
    return {kind: float(np.mean(values)) for kind, values in sorted(passed.items())}


def main() -> None:
    """Read the arguments, measure, fit, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("squad", "clapnq"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    measured = measure([*sample(args.squad, held=False), *answered(args.clapnq, held=False)])
    w = fit(measured)
    print(np.round(w, 2).tolist())
    tables = [passing(measured, w, threshold) for threshold in (0.2, 0.3, 0.4, 0.5, 0.6)]
    for kind in tables[0]:
        print(f"{kind:30}", *(f"{table[kind]:6.2f}" for table in tables))


if __name__ == "__main__":
    main()
