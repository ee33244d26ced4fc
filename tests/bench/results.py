"""The figures of all runs, kept with the machine they were measured on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

Row = dict[str, Any]
"""Figures by name; the first names the row, so a later run's row of that name replaces it."""
PACKAGES = (
    "chromadb",
    "onnxruntime",
    "tantivy",
    "numpy",
    "llama-index-core",
    "sentence-transformers",
    "torch",
)


def row(what: str, figure: float, unit: str, baseline: float | None = None, goal: str = "") -> Row:
    """Return one figure, by how much it differs from a baseline of the same unit, and what it is to be."""
    ratio = f"{figure / baseline:.2f} ×" if baseline else ""
    return {"what": what, "figure": figure, "unit": unit, "of the baseline": ratio, "goal": goal}


def append(file: Path, part: str, rows: Sequence[Row], load: float = 0.0) -> None:
    """Add the rows of a part to a file of results, with the load of the machine when the measuring began."""
    entry = {
        "part": part,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": load,
        "machine": machine(),
    }
    results = [*read(file), entry | {"rows": list(rows)}]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(file: Path) -> list[dict[str, Any]]:
    """Return all results of a file, oldest first; none when it is missing."""
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []


def latest(results: Sequence[dict[str, Any]], part: str) -> list[Row]:
    """Return the newest row of each name, by what it was measured on being the newest machine."""
    entries = [entry for entry in results if entry["part"] == part]
    rows = {
        next(iter(row.values())): row
        for entry in entries
        if entry["machine"]["processor"] == entries[-1]["machine"]["processor"]
        for row in entry["rows"]
    }
    return list(rows.values())


def machine() -> dict[str, Any]:
    """Describe this machine and what runs on it."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "commit": _commit(),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()
