"""Fit what `rag.evidence` and `rag.abstention` make of the reader's opinion, on questions it was not trained on.

    python -m rag.training.fit --held DIR

`--held` is what `rag.training.split` wrote. Every question is searched and read as the product does
it. The questions of SQuAD 1.1 count twice: as they are, and with the sentences that answer taken out
of what was found. Prints the weights in force and those fitted now and, with each, of every set: how often
the best sentence, and one of the best three, answers; how well the confidence tells answerable from
unanswerable questions (AUROC) and how far it is from the share that is right (ECE); and what each gate
lets through: of the answerable questions the share answered right, of the answers the share right.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from index import ScoredChunk
from rag.abstention import CALIBRATION, GATES, OFFSET
from rag.assistant import Assistant
from rag.evaluation import metrics
from rag.evidence import BIAS, WEIGHTS, features
from rag.question import understand
from rag.reader import Reading, read

QUESTIONS = 300  # of each set
RIDGE = 30.0  # on the weights of standardised features
ROUNDS = 40  # Newton steps
SEED = 11
SHARES = {"SQuAD 1.1": 0.25, "SQuAD 1.1, taken out": 0.25, "SQuAD 2.0": 0.5, "CLAPnq": 1.0}
"""How much each set counts for the confidence: as many people's questions as annotators' exercises."""


@dataclass
class Asked:
    """A question of a set, with what would answer it."""

    text: str
    answers: list[str]
    document: str
    answerable: bool


@dataclass
class Read:
    """A question after reading: features, similarity of the chunk and rightness of each sentence."""

    answerable: bool
    features: np.ndarray
    similarity: np.ndarray
    right: np.ndarray

    def best(self, weights: np.ndarray) -> tuple[float, float, bool]:
        """Log-odds of the best sentence, the similarity of its chunk, and whether it is right."""
        odds = self.features @ weights[:-1] + weights[-1]
        top = int(np.argmax(odds))
        return float(odds[top]), float(self.similarity[top]), bool(self.right[top])


def normal(text: str) -> str:
    """Lower case, words only, without articles: how answers are compared."""
    words = re.sub(r"[^\w\s]", "", text.lower()).split()
    return " ".join(word for word in words if word not in ("a", "an", "the"))


def load_squad(file: Path) -> tuple[dict[str, str], list[Asked]]:
    """Documents by name, one a paragraph, and the questions about them."""
    documents, questions = {}, []
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            name = f"{re.sub(r'[^A-Za-z]+', '-', article['title'])}-{number}.txt"
            documents[name] = f"{article['title'].replace('_', ' ')}\n\n{paragraph['context']}\n"
            for qa in paragraph["qas"]:
                answers = [normal(answer["text"]) for answer in qa["answers"]]
                questions.append(Asked(qa["question"], answers, name, not qa.get("is_impossible", False)))
    return documents, questions


def load_clapnq(folder: Path) -> tuple[dict[str, str], list[Asked]]:
    """The same of CLAPnq, where whole sentences answer."""
    lines = (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    passages = {row["id"]: row for row in map(json.loads, lines)}
    names = {key: f"passage-{number}.txt" for number, key in enumerate(passages)}
    documents = {names[key]: f"{row['title']}\n\n{row['text']}\n" for key, row in passages.items()}
    lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [
        Asked(
            row["question"],
            [normal(span["text"]) for span in row.get("gold_spans") or [] if len(span["text"]) > 25],
            names.get((row.get("gold_ids") or [""])[0], ""),
            row["answerable"],
        )
        for row in map(json.loads, lines)
    ]
    return documents, questions


def is_right(asked: Asked, reading: Reading) -> bool:
    """Whether a sentence of the right document holds an answer or is part of one."""
    text = normal(reading.text)
    held = any(answer in text or (len(text) > 15 and text in answer) for answer in asked.answers)
    return asked.answerable and reading.source.chunk.file == asked.document and held


def without(chunks: list[ScoredChunk], answers: list[str]) -> list[ScoredChunk]:
    """The chunks with every sentence taken out that holds one of the answers."""
    left = []
    for scored in chunks:
        chunk = scored.chunk
        kept = tuple(
            span for span in chunk.sentences if not any(a in normal(chunk.sentence(span)) for a in answers)
        )
        if kept:
            left.append(replace(scored, chunk=replace(chunk, sentences=kept)))
    return left


def ask_all(documents: dict[str, str], questions: list[Asked], take_out: bool = False) -> Iterator[Read]:
    """Search and read a fixed sample of the questions as the product does."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        for name, text in documents.items():
            (corpus / name).write_text(text, encoding="utf-8")
        bot = Assistant(corpus, index_dir=Path(folder, "index"))
        sample = random.Random(SEED).sample(questions, min(QUESTIONS, len(questions)))
        for asked in sample:
            question = understand(asked.text)
            found = bot.retrieve(question.query, k=2 * bot.settings.chunks)
            if take_out:
                found = without(found, asked.answers)
                asked = replace(asked, answerable=False)
            readings = read(question.query, found[: bot.settings.chunks])
            if readings:
                yield Read(
                    asked.answerable,
                    np.array([features(question, reading) for reading in readings]),
                    np.array([reading.source.similarity for reading in readings]),
                    np.array([is_right(asked, reading) for reading in readings]),
                )


def fit_sentences(sets: list[list[Read]]) -> np.ndarray:
    """`WEIGHTS` and `BIAS`: which sentences are right, every set counting the same."""
    x = np.concatenate([r.features for reads in sets for r in reads])
    y = np.concatenate([r.right for reads in sets for r in reads])
    sizes = [sum(len(r.right) for r in reads) for reads in sets]
    return logistic_fit(x, y, np.concatenate([np.full(size, 1000 / size) for size in sizes]), RIDGE)


def fit_confidence(sets: dict[str, list[Read]], weights: np.ndarray) -> np.ndarray:
    """`CALIBRATION` and `OFFSET`: which best sentences are right."""
    rows = [(*r.best(weights), SHARES[name] / len(reads)) for name, reads in sets.items() for r in reads]
    odds, similarity, right, shares = np.array(rows).T
    return logistic_fit(np.c_[odds, similarity], right, 300 * shares, 3.0)


def logistic_fit(x: np.ndarray, y: np.ndarray, shares: np.ndarray, ridge: float) -> np.ndarray:
    """Weights and, last, the constant of a logistic model; Newton's method, a ridge on standardised weights."""
    mean, scale = x.mean(0), x.std(0) + 1e-6
    z = np.c_[(x - mean) / scale, np.ones(len(x))]
    w, penalty = np.zeros(z.shape[1]), np.r_[np.full(x.shape[1], ridge), 0.0]
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-z @ w))
        curve = (z * (shares * p * (1 - p))[:, None]).T @ z + np.diag(penalty + 1e-9)
        w -= np.linalg.solve(curve, z.T @ (shares * (p - y)) + penalty * w)
    return np.r_[w[:-1] / scale, w[-1] - (w[:-1] * mean / scale).sum()]


def report(name: str, reads: list[Read], weights: np.ndarray, calibration: np.ndarray) -> None:
    """Print how the weights do on a set."""
    line = f"{name:22} n {len(reads):4}"
    yes = [r for r in reads if r.answerable]
    if yes:
        order = [np.argsort(-(r.features @ weights[:-1]), kind="stable") for r in yes]
        ranked = [r.right[o] for r, o in zip(yes, order, strict=True)]
        line += f"  best {np.mean([x[0] for x in ranked]):.3f}  in three {np.mean([x[:3].any() for x in ranked]):.3f}"
    best = [r.best(weights) for r in reads]
    given = [(1 / (1 + np.exp(-(np.dot(calibration, (*b[:2], 1))))), b[2]) for b in best]
    print(f"{line}  ECE {metrics.calibration_error(metrics.calibration(given)):.3f}", end="")
    if yes and len(yes) < len(reads):
        asked = [(c, r.answerable) for (c, _), r in zip(given, reads, strict=True)]
        auroc = metrics.auroc([c for c, a in asked if a], [c for c, a in asked if not a])
        curve = metrics.risk_coverage(given, len(yes))
        print(f"  AUROC {auroc:.3f}  coverage at 90 % {metrics.coverage_at(curve, 0.9):.2f}", end="")
        for gate, least in GATES.items():
            let = [right for c, right in given if c >= least]
            print(f"  {gate} {sum(let) / len(yes):.2f} {np.mean(let or [0]):.2f}", end="")
    print()


def main() -> None:
    """Read the arguments, ask, fit, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--held", type=Path, required=True)
    held = parser.parse_args().held
    one, two = (load_squad(held / f"squad-v{version}-held.json") for version in ("1.1", "2.0"))
    sets = {
        "SQuAD 1.1": list(ask_all(*one)),
        "SQuAD 1.1, taken out": list(ask_all(*one, take_out=True)),
        "SQuAD 2.0": list(ask_all(*two)),
        "CLAPnq": list(ask_all(*load_clapnq(held / "clapnq-held"))),
    }
    fitted = fit_sentences(list(sets.values()))
    pairs = {
        "in force": (np.r_[WEIGHTS, BIAS], np.r_[CALIBRATION, OFFSET]),
        "fitted": (fitted, fit_confidence(sets, fitted)),
    }
    for title, (weights, calibration) in pairs.items():
        print(f"{title}: {np.round(weights, 3).tolist()} {np.round(calibration, 3).tolist()}")
        for name, reads in sets.items():
            report(name, reads, weights, calibration)


if __name__ == "__main__":
    main()
