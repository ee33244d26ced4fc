"""How long starting, asking and indexing take; starting against the libraries it cannot do without."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from index import MiniLM
from rag import Assistant, shipped_seeds

ROUNDS = 3
COPIES = 20
"""The seeds are indexed so many times over, each copy under a title of its own so that none is skipped."""
BASELINE = "import llama_index.core, chromadb"
ABOUT = ["Shigeru Ishiba", "Howard Lutnick", "Toshimitsu Shigemura", "Suga", "tariffs", "the G20 summit"]
ABOUT += ["defence spending", "the phone call", "Australia", "the White House"]
QUESTIONS = [
    form.format(name) for form in ("Who or what is {}?", "What do the files say about {}?") for name in ABOUT
]


def measure() -> list[dict[str, Any]]:
    """Return the figures, one row each."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [*starting(Path(folder, "seeds")), *asking(Path(folder, "seeds")), *indexing(Path(folder))]
    return [{"what": what, "figure": figure, "unit": unit} for what, figure, unit in rows]


Row = tuple[str, float, str]


def starting(index_dir: Path) -> list[Row]:
    Assistant(shipped_seeds(), index_dir=index_dir).sync()
    command = [str(Path(sys.executable).with_name("footnote")), "ask", QUESTIONS[0]]
    command += ["--corpus", str(shipped_seeds()), "--index-dir", str(index_dir)]
    own, baseline, bare, imported = [], [], [], []
    for _ in range(ROUNDS):
        baseline.append(seconds(lambda: run([sys.executable, "-c", BASELINE])))
        own.append(seconds(lambda: run(command)))
        bare.append(seconds(lambda: run([sys.executable, "-c", "pass"])))
        imported.append(seconds(lambda: run([sys.executable, "-c", "import rag"])))
    return [
        ("import rag", median(imported) - median(bare), "s"),
        (f'baseline: python -c "{BASELINE}"', median(baseline), "s"),
        ("footnote ask, index up to date", median(own), "s"),
        ("footnote ask against the baseline", median(own) / median(baseline), "times"),
    ]


def asking(index_dir: Path) -> list[Row]:
    bot = Assistant(shipped_seeds(), index_dir=index_dir)
    first, second, *others = [1000 * seconds(lambda q=question: bot.ask(q)) for question in QUESTIONS * 2]
    later = others[-len(QUESTIONS) :]
    return [
        ("first question of a process", first, "ms"),
        ("second question", second, "ms"),
        (f"{len(later)} questions: median", median(later), "ms"),
        (f"{len(later)} questions: 95 of 100 within", quantiles(later, n=20)[-1], "ms"),
    ]


def indexing(folder: Path) -> list[Row]:
    corpus = folder / "copies"
    corpus.mkdir()
    for seed in shipped_seeds().glob("*.txt"):
        for number in range(COPIES):
            (corpus / f"{number}-{seed.name}").write_text(
                f"Copy {number}\n\n{seed.read_text(encoding='utf-8')}"
            )
    report = Assistant(corpus, index_dir=folder / "copies-index").sync()
    embedder = MiniLM()
    embedder.embed(["warm"], kind="query")
    one = [seconds(lambda q=question: embedder.embed([q], kind="query")) for question in QUESTIONS]
    return [
        ("indexing", report.embedded / report.seconds, "chunks/s"),
        ("one query embedding", 1000 * median(one), "ms"),
    ]


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
