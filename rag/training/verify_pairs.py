"""How well claims are verified: by kind of claim, on articles that nothing was fitted on.

    python -m rag.training.verify_pairs --squad DIR [--clapnq DIR] [--each 150]

Each claim is checked as the product does it, with the chunks of its paragraph as what was retrieved, but
counts as passed only when the sentences it cites are found to support it. Prints per kind the shares of the
three verdicts, then false alarms, swaps caught and balanced accuracy, taking `weak` as passed and as not.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from index import Chunk, ScoredChunk, Span
from rag.evidence import BIAS, WEIGHTS, Evidence, features, logistic
from rag.question import understand
from rag.reader import read
from rag.verification import Verifier

from .claims import Pair
from .fit_verification import answered, sample

SWAPS = ("number changed", "date changed", "name changed")
VERDICTS = ("supported", "weak", "unsupported")


def chunk_of(pair: Pair) -> ScoredChunk:
    """The paragraph of a pair as one chunk."""
    spans: list[Span] = []
    text = ""
    for sentence in pair.sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += f"{sentence} "
    chunk = Chunk(
        id=1, file="1.txt", title=pair.title, start=0, end=len(text), text=text, sentences=tuple(spans)
    )
    return ScoredChunk(chunk=chunk, score=1.0, similarity=0.0, bm25=0.0)


def check(some: Sequence[Pair]) -> dict[tuple[bool, str], Counter[str]]:
    """Count the verdicts of each kind."""
    counts: dict[tuple[bool, str], Counter[str]] = defaultdict(Counter)
    for pair in some:
        source = chunk_of(pair)
        cited = [(source, source.chunk.sentences[n]) for n in pair.cited]
        found = Verifier([source], pair.question, evidence(pair.question, source)).verify(pair.claim, cited)
        kept = set(found.passages) == set(cited)
        counts[pair.true, pair.kind][found.verdict if kept else "unsupported"] += 1
    return counts


def evidence(question: str, source: ScoredChunk) -> list[Evidence]:
    """What the reader makes of a question, as the product hands it over; nothing without a question."""
    return [
        Evidence(
            source=source,
            span=reading.span,
            answer=reading.answer,
            score=logistic(features(understand(question), reading) @ WEIGHTS + BIAS),
            coverage=0.0,
        )
        for reading in (read(question, [source]) if question else ())
    ]


def mean(
    counts: dict[tuple[bool, str], Counter[str]], kinds: list[tuple[bool, str]], verdicts: Sequence[str]
) -> float:
    """Share of these verdicts, each kind counting the same."""
    return sum(sum(counts[kind][v] for v in verdicts) / counts[kind].total() for kind in kinds) / max(
        1, len(kinds)
    )


def report(counts: dict[tuple[bool, str], Counter[str]]) -> None:
    """Print the table and the figures."""
    print(f"{'claim':34}{'n':>6}" + "".join(f"{verdict:>13}" for verdict in VERDICTS))
    for true, kind in sorted(counts, key=lambda key: (not key[0], key[1])):
        row = counts[true, kind]
        shares = "".join(f"{row[verdict] / row.total():13.3f}" for verdict in VERDICTS)
        print(f"{'true' if true else 'false'}: {kind:27}{row.total():>6}{shares}")
    true, false = ([key for key in counts if key[0] is side] for side in (True, False))
    for name, passed in (("weak passes", ("supported", "weak")), ("weak does not pass", ("supported",))):
        refused = [verdict for verdict in VERDICTS if verdict not in passed]
        alarms = mean(counts, true, refused)
        caught = mean(counts, false, refused)
        print(
            f"{name:20} false alarms {alarms:.3f}  caught {caught:.3f}  balanced {(1 - alarms + caught) / 2:.3f}",
            end="  ",
        )
        print(
            "swaps caught",
            *(f"{mean(counts, [(False, kind)], refused):.3f}" for kind in SWAPS if (False, kind) in counts),
        )


def main() -> None:
    """Read the arguments, check, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--squad", type=Path, required=True)
    parser.add_argument("--clapnq", type=Path)
    parser.add_argument("--each", type=int, default=150, help="claims of each kind")
    args = parser.parse_args()
    some = sample(args.squad, True, args.each) + (list(answered(args.clapnq, True)) if args.clapnq else [])
    random.Random(1).shuffle(some)
    began = time.process_time()
    counts = check(some)
    report(counts)
    print(f"{1000 * (time.process_time() - began) / len(some):.1f} ms of processor time per claim")


if __name__ == "__main__":
    main()
