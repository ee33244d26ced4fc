"""What a Chroma server costs a question and a replica, against Chroma in the process that asks.

Retrieval as in *growth*, at the depth that an answer asks for, of an index whose vectors are the mean of a random
vector per word. The server is `chroma run` on this machine, so the network is left out. A replica has no documents: it
takes over what the writer publishes, makes its own words and asks the server. *Recall* is the share of the first ten
of an exact search that are found.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

import numpy as np

from index import Index
from index.exact import ExactSearch
from tests.bench import library
from tests.bench.embedders import WordVectors
from tests.bench.processes import seconds
from tests.bench.results import Row, row
from tests.index.chroma_process import ChromaProcess

PARAGRAPHS = 10
QUERIES = 200
DEPTH = 100
TOP = 10


def measure(chunks: int) -> list[Row]:
    """Return the figures of an index of so many chunks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library.write(folder / "corpus", max(1, chunks // PARAGRAPHS), PARAGRAPHS)
        server = ChromaProcess(folder / "chroma")
        try:
            return _rows(folder, chunks, server.url)
        finally:
            server.kill()


def _rows(folder: Path, chunks: int, url: str) -> list[Row]:
    of = f"{chunks:,} chunks"
    local = _opened(folder, folder / "writer")
    local.sync()
    here, recall_here = _ask(local)
    local.close()
    writer = _opened(folder, folder / "writer", url)
    sent = seconds(writer.sync)
    there, recall_there = _ask(writer)
    published = seconds(lambda: writer.publish(folder / "share"))
    replica = Index(folder / "share", folder / "replica", WordVectors(), url, snapshots=True)
    first = seconds(replica.sync)
    (folder / "corpus" / library.file(0)).write_text(library.text(chunks, PARAGRAPHS), encoding="utf-8")
    writer.sync()
    writer.publish(folder / "share")
    next_time = seconds(replica.sync)
    copied, _ = _ask(replica)
    for index in (writer, replica):
        index.close()
    return [
        row(f"question, Chroma in the process, {of}: median", median(here), "ms"),
        row(
            f"question, Chroma in the process, {of}: 95 of 100", quantiles(here, n=20)[-1], "ms", goal="≤ 25"
        ),
        row(f"question, Chroma server, {of}: median", median(there), "ms", median(here)),
        row(
            f"question, Chroma server, {of}: 95 of 100",
            quantiles(there, n=20)[-1],
            "ms",
            quantiles(here, n=20)[-1],
        ),
        row(f"question, a replica of it, {of}: median", median(copied), "ms", median(here)),
        row(f"recall, Chroma in the process, {of}", recall_here, "", goal="≥ 0.99"),
        row(f"recall, Chroma server, {of}", recall_there, "", goal="≥ 0.99"),
        row(f"sending {of} to the server", sent, "s"),
        row(f"publishing {of}", published, "s"),
        row(f"a new replica of {of}", first, "s"),
        row(f"a replica of {of}, after one file has changed", next_time, "s"),
    ]


def _opened(folder: Path, where: Path, url: str | None = None) -> Index:
    return Index(folder / "corpus", where, WordVectors(), url)


def _ask(index: Index) -> tuple[list[float], float]:
    """Milliseconds of each question, and the recall of the search by meaning."""
    files = index.counts()["documents"]
    numbers = np.random.default_rng(1).integers(files, size=QUERIES).tolist()
    questions = [library.question(number)[0] for number in numbers]
    for question in questions[:20]:
        index.candidates(question, DEPTH)
    taken = []
    for question in questions:
        started = time.perf_counter()
        index.candidates(question, DEPTH)
        taken.append((time.perf_counter() - started) * 1000)
    exact = ExactSearch(index.store)
    exact.follow(0)
    found = 0
    for vector in index.embedder.embed(questions, kind="query"):
        best = exact.nearest(vector, TOP)
        found += len(set(best) & set(list(index._vectors.search(vector, DEPTH))[:TOP]))
    return taken, found / TOP / QUERIES
