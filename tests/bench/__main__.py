"""Measure, print, keep and write down: `python -m tests.bench [PART …]`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.table import Table

from tests.bench import embedding, growth, incremental, report, results, retrieval, server, start, starter

DOCS = Path(__file__).resolve().parents[2] / "docs"
MODULES: dict[str, ModuleType] = {
    "embedding": embedding,
    "start": start,
    "starter": starter,
    "growth": growth,
    "incremental": incremental,
    "server": server,
    "retrieval": retrieval,
}
console = Console(width=None if sys.stdout.isatty() else 160)


def main() -> None:
    chosen = _arguments()
    measures = _measures(chosen)
    for part in chosen.parts or measures:
        console.print(f"[bold]{part}[/] …")
        started, load = time.perf_counter(), os.getloadavg()[0]
        rows = measures[part]()
        if rows:
            results.append(chosen.json, part, rows, load)
            show(part, rows)
        console.print(f"{part} took {time.perf_counter() - started:.0f} s", style="dim")
    report.write(chosen.docs, chosen.json, {name: module.__doc__ or "" for name, module in MODULES.items()})
    console.print(f"Written: {chosen.docs}, {chosen.json}")


def _measures(chosen: argparse.Namespace) -> dict[str, Callable[[], list[results.Row]]]:
    def files(few: int, many: int) -> int:
        return chosen.files or (many if chosen.all else few)

    sizes = chosen.sizes or [1_000, 10_000] + [100_000, 200_000] * chosen.all
    return {
        "embedding": lambda: embedding.measure(900 if chosen.all else 300),
        "start": lambda: start.measure(files(1_000, 10_000)),
        "starter": lambda: starter.measure(files(100, 500)),
        "growth": lambda: growth.measure(sizes, chosen.real),
        "incremental": lambda: incremental.measure(files(10_000, 100_000), chosen.real or chosen.all),
        "server": lambda: server.measure(100_000 if chosen.all else 5_000),
        "retrieval": lambda: [row for given in chosen.sets for row in retrieval.measure(given)],
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(MODULES)}; all when none is named"
    )
    parser.add_argument("--all", action="store_true", help="at full size")
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N", help="numbers of chunks of the growth")
    parser.add_argument("--files", type=int, metavar="N", help="number of files of the other parts")
    parser.add_argument("--real", action="store_true", help="embed everything with the real model")
    parser.add_argument(
        "--sets",
        nargs="+",
        default=[],
        type=retrieval.Collection.parse,
        metavar="FOLDER[:QRELS]",
        help="judged collection: corpus.jsonl, queries.jsonl and judgments in qrels/ (named when there are several)",
    )
    parser.add_argument("--json", type=Path, default=DOCS / "bench.json", metavar="FILE", help="kept results")
    parser.add_argument(
        "--docs", type=Path, default=DOCS / "benchmarks.md", metavar="FILE", help="page to write"
    )
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - MODULES.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return chosen


def show(title: str, rows: list[results.Row]) -> None:
    """Print rows that have the same keys as a table."""
    table = Table(title=title, title_justify="left")
    for name, value in rows[0].items():
        table.add_column(name, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*map(report.shown, row.values()))
    console.print(table)


if __name__ == "__main__":
    main()
