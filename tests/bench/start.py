"""How long a person waits: for the first answer of a fresh process, and for the next ones.

The baseline of a process is one that only imports LlamaIndex and Chroma; of a question, the first one of the same
process. *Fresh* is a folder of made-up texts that was never indexed: from the start of the process to the answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

from rag import Assistant, shipped_seeds
from tests.bench import library
from tests.bench.processes import seconds
from tests.bench.results import Row, row

ROUNDS = 3
PARAGRAPHS = 2
BASELINE = "import llama_index.core, chromadb"
ABOUT = ["Shigeru Ishiba", "Howard Lutnick", "Toshimitsu Shigemura", "Suga", "tariffs", "the G20 summit"]
ABOUT += ["defence spending", "the phone call", "Australia", "the White House"]
QUESTIONS = [
    form.format(name) for form in ("Who or what is {}?", "What do the files say about {}?") for name in ABOUT
]


def measure(files: int) -> list[Row]:
    """Return the figures: of the seeds, and of a fresh folder of so many files."""
    with tempfile.TemporaryDirectory() as folder:
        index_dir = Path(folder, "seeds")
        return [*starting(index_dir), *asking(index_dir), *fresh(Path(folder), files)]


def starting(index_dir: Path) -> list[Row]:
    """Fresh processes that ask the seeds, without and with an index."""
    command = ask(QUESTIONS[0], shipped_seeds(), index_dir)
    none = seconds(lambda: run(command))
    own, baseline, bare, imported = [], [], [], []
    for _ in range(ROUNDS):
        baseline.append(seconds(lambda: run([sys.executable, "-c", BASELINE])))
        own.append(seconds(lambda: run(command)))
        bare.append(seconds(lambda: run([sys.executable, "-c", "pass"])))
        imported.append(seconds(lambda: run([sys.executable, "-c", "import rag"])))
    return [
        row(f"baseline: python -c '{BASELINE}'", median(baseline), "s"),
        row("footnote ask, no index yet", none, "s", median(baseline)),
        row("footnote ask, index ready", median(own), "s", median(baseline)),
        row("import rag", median(imported) - median(bare), "s", median(baseline)),
    ]


def asking(index_dir: Path) -> list[Row]:
    """Questions to one process."""
    bot = Assistant(shipped_seeds(), index_dir=index_dir)
    first, second, *others = [1000 * seconds(lambda q=question: bot.ask(q)) for question in QUESTIONS * 2]
    later = others[-len(QUESTIONS) :]
    return [
        row("first question of a process", first, "ms"),
        row("second question", second, "ms", first),
        row(f"{len(later)} questions: median", median(later), "ms", first),
        row(f"{len(later)} questions: 95 of 100 within", quantiles(later, n=20)[-1], "ms", first),
    ]


def fresh(folder: Path, files: int) -> list[Row]:
    """A fresh process that asks a fresh folder, about a file that has been read when it answers."""
    library.write(folder / "fresh", files, PARAGRAPHS)
    question, person = library.question(files // 10)
    replies: list[str] = []
    command = [*ask(question, folder / "fresh", folder / "fresh-index"), "--json"]
    taken = seconds(lambda: replies.append(run(command)))
    if person not in json.loads(replies[0])["text"]:
        raise AssertionError(f"{question} is not answered with {person}: {replies[0]}")
    baseline = seconds(lambda: run([sys.executable, "-c", BASELINE]))
    return [row(f"first answer from {files:,} fresh files", taken, "s", baseline, goal="≤ 15")]


def ask(question: str, corpus: Path, index_dir: Path) -> list[str]:
    """Return the command that asks a question."""
    footnote = str(Path(sys.executable).with_name("footnote"))
    return [footnote, "ask", question, "--corpus", str(corpus), "--index-dir", str(index_dir)]


def run(command: list[str]) -> str:
    """Run a command and return what it prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
