"""The figures as a page of the documentation, written from the kept results and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.results import Row, latest, read

HEAD = """# Benchmarks

Written by `make bench` from [bench.json](bench.json): run it, do not edit this. Each figure stands beside a baseline
of the same run where there is one. `make bench` takes some minutes, `make bench ALL=1` about two hours;
`PARTS="{parts}"` chooses, `SIZES="1000 1000000"` sets the numbers of chunks of the growth, `SETS="DIR …"` gives
judged collections for the retrieval (a folder with corpus.jsonl, queries.jsonl and qrels/, as BEIR has them).
"""


def write(file: Path, results: Path, about: Mapping[str, str]) -> None:
    """Write the page, and the plot beside it.

    Args:
        file: The page.
        results: The kept results.
        about: For each part, in order, a title, a dot and what is said about it.
    """
    kept = read(results)
    parts = [HEAD.format(parts=" ".join(about))]
    for part, text in about.items():
        entries = [entry for entry in kept if entry["part"] == part]
        if entries:
            rows, picture = latest(kept, part), []
            if part == "growth":
                rows.sort(key=lambda row: row["chunks"])
                picture = [_plot(file.with_name("growth.svg"), rows)]
            parts += [f"## {part.capitalize()}", text, *picture, table(rows), _place(entries[-1])]
    file.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")


def table(rows: Sequence[Row]) -> str:
    """Return rows that have the same keys as a Markdown table."""
    names = [name for name in rows[0] if any(row[name] not in ("", None) for row in rows)]
    lines = [names, ["---" if isinstance(rows[0][name], str) else "--:" for name in names]]
    lines += [[shown(row[name]) for name in names] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(value: Any) -> str:
    """Return a value with as many digits as matter."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _place(entry: Mapping[str, Any]) -> str:
    machine = entry["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"{entry['date'][:10]}, commit {machine['commit']}: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}; {packages}. "
        f"Load when it began: {entry['load']:.1f}."
    )


def _plot(file: Path, rows: Sequence[Row]) -> str:
    """Draw time and memory over the number of chunks; return the Markdown that shows it."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "footnote"
    from matplotlib import pyplot

    of_size = {row["chunks"]: row for row in rows}
    ordered = [of_size[chunks] for chunks in sorted(of_size)]
    figure, (times, memories) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axes, names, label in (
        (times, ("p50 ms", "p95 ms", "exact p50 ms"), "milliseconds a query"),
        (memories, ("querying: MB", "indexing: MB"), "resident memory, MB"),
    ):
        for name in names:
            axes.plot(
                [row["chunks"] for row in ordered], [row[name] for row in ordered], marker="o", label=name
            )
        axes.set(xscale="log", xlabel="chunks", ylabel=label, ylim=(0, None))
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
    return f"![Time and memory over the number of chunks]({file.name})"
