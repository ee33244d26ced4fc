"""`footnote eval` in the terminal: progress, the table of figures, and the files that are asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from index.errors import FootnoteError
from rag.evaluation import Evaluation, Figure, Limit, Questions, evaluate, html_report, shortfalls

if TYPE_CHECKING:
    from rag import Assistant


def ask_with_progress(bot: Assistant, questions: Questions, console: Console) -> Evaluation:
    """Evaluate with a progress bar on a terminal, with nothing elsewhere."""
    columns = (TextColumn("Asking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(questions.cases))
        return evaluate(bot, questions, lambda done, _: bar.update(task, completed=done))


def print_figures(evaluation: Evaluation, console: Console) -> None:
    """Print all figures, and how each type of question fared."""
    console.print(
        f"{len(evaluation.outcomes)} questions of {evaluation.questions} about {evaluation.corpus}\n",
        markup=False,
        soft_wrap=True,
    )
    console.print(_figure_table(list(evaluation.figures.values())))
    console.print()
    console.print(_type_table(evaluation))


def write_files(evaluation: Evaluation, json_file: Path | None, html_file: Path | None) -> None:
    """Write the JSON and the HTML report where asked.

    Raises:
        FootnoteError: If one cannot be written.
    """
    if json_file:
        _write(json_file, json.dumps(evaluation.to_dict(), ensure_ascii=False, indent=1) + "\n")
    if html_file:
        _write(html_file, html_report(evaluation))


def check_writable(*files: Path | None) -> None:
    """See before a long evaluation that its files can be written after it.

    Raises:
        FootnoteError: If a file has no folder to stand in, or is a folder itself.
    """
    for file in files:
        if file and (file.is_dir() or not file.resolve().parent.is_dir()):
            reason = "it is a folder" if file.is_dir() else f"there is no folder {file.parent}"
            raise FootnoteError(f"{file} cannot be written: {reason}.")


def verdict(evaluation: Evaluation, limits: Sequence[Limit]) -> str:
    """Return a sentence that names what falls short, or nothing."""
    short = shortfalls(evaluation.figures, limits)
    return f"{'; '.join(short)}." if short else ""


def _figure_table(figures: Sequence[Figure]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("figure", "value", "95%", "n", "what it is"):
        table.add_column(
            head, justify="right" if head in ("value", "n") else "left", no_wrap=head != "what it is"
        )
    group = figures[0].group
    for figure in figures:
        if figure.group != group:
            table.add_row()
        group = figure.group
        meaning = f"{figure.meaning} (less is better)" if figure.less_is_better else figure.meaning
        table.add_row(figure.name, figure.shown, figure.interval, str(figure.n), meaning)
    return table


def _type_table(evaluation: Evaluation) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("type")
    for head in ("handled right", "wrongly refused", "evidence cited", "evidence in 8"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, figures in evaluation.types.items():
        right, n = evaluation.handled(name)
        shown = (figures[key].shown for key in ("wrongly_refused", "cited", "found_in_8"))
        table.add_row(Text(name), f"{right} of {n}", *shown)
    return table


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FootnoteError(f"{file} cannot be written: {error.strerror}.") from error
