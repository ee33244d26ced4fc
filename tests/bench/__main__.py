"""Measure and print: `python -m tests.bench [FOLDER[:QRELS] …] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import retrieval, speed

console = Console()


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows that have the same keys as a table."""
    table = Table(title=title, title_justify="left")
    for name, value in rows[0].items():
        table.add_column(name, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "sets",
        nargs="*",
        metavar="FOLDER[:QRELS]",
        help="judged collection: corpus.jsonl, queries.jsonl and judgments in qrels/ (named when there are several)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    arguments = parser.parse_args()
    collections = [retrieval.Collection.parse(given) for given in arguments.sets]
    figures: dict[str, list[dict[str, Any]]] = {}
    for collection in collections:
        title = f"Retrieval: {collection.name}"
        figures[title] = retrieval.measure(collection)
        show(title, figures[title])
    figures["Speed"] = speed.measure()
    show("Speed", figures["Speed"])
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
