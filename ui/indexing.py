"""What the terminal shows of indexing: how far it is, what was done, what was skipped and why."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from index.errors import FootnoteError

if TYPE_CHECKING:
    from rich.console import Console

    from index.types import OnProgress, Progress
    from rag import Assistant, SyncReport

_LISTED = 20
"""Skipped files are listed one by one up to so many; more are grouped by reason."""
_STAGES = {"checking": "Checking files", "reading": "Reading files", "embedding": "Embedding passages"}


@contextmanager
def progress_bars(console: Console) -> Iterator[OnProgress]:
    """Show on a terminal a bar for each stage, with its rate and the time left; elsewhere nothing."""
    from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[file]}", style="dim"),
    )
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:

        def show(step: Progress) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bars.add_task(_STAGES[step.stage], total=step.total, rate="", file="")
            task = tasks[step.stage]
            speed = bars.tasks[task].speed
            bars.update(
                task,
                completed=step.done,
                total=step.total,
                visible=step.total > 0,
                rate=f"{speed:,.0f}/s" if speed else "",
                file=escape(step.file),
            )

        yield show


def show_report(bot: Assistant, report: SyncReport, console: Console) -> None:
    """Print what a sync did, and a table of what it skipped."""
    console.print(
        f"{bot.corpus}: {changes(report)}, {report.unchanged:,} unchanged, {len(report.skipped):,} skipped "
        f"in {report.seconds:.1f} s.",
        markup=False,
        soft_wrap=True,
    )
    if report.skipped:
        console.print(_table(report.skipped))


def report_json(bot: Assistant, report: SyncReport) -> str:
    """Return the same for machines, with what the index holds now."""
    counts = bot.index.counts()
    found = {"corpus": str(bot.corpus), "index": str(bot.index_dir), **asdict(report), **counts}
    return json.dumps({**found, "pending": bot.index.pending()}, indent=2)


def is_partial(report: SyncReport) -> bool:
    """Return whether a file was skipped that should have been read: one of a known format."""
    from index import format_of

    return any(map(format_of, report.skipped))


def changes(report: SyncReport) -> str:
    """Return what a sync changed in the index, in a few words."""
    return f"{report.added:,} added, {report.changed:,} changed, {report.removed:,} removed"


def show_change(news: SyncReport | FootnoteError, console: Console) -> None:
    """Print, as one line with the time, what changed in a folder that is followed, or what went wrong."""
    said = str(news) if isinstance(news, FootnoteError) else f"{changes(news)} in {news.seconds:.1f} s."
    console.print(f"{time.strftime('%H:%M:%S')} {said}", markup=False, soft_wrap=True)


def _table(skipped: dict[str, str]) -> Table:
    if len(skipped) <= _LISTED:
        table = Table("skipped", "why", box=None)
        for file, reason in skipped.items():
            table.add_row(escape(file), escape(reason))
        return table
    groups: dict[str, list[str]] = {}
    for file, reason in skipped.items():
        groups.setdefault(reason, []).append(file)
    table = Table("skipped", "why", "for instance", box=None)
    for reason, files in sorted(groups.items(), key=lambda group: -len(group[1])):
        table.add_row(f"{len(files):,}", escape(reason), escape(files[0]))
    return table
