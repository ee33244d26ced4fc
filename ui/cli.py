"""The `footnote` command."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from index.errors import FootnoteError, LockedError
from ui import indexing

if TYPE_CHECKING:
    from rag import Answer, Assistant, SyncReport

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Ask a folder of documents; every sentence of the answer carries a footnote.",
)
CorpusOption = Annotated[
    Path | None, typer.Option("--corpus", help="Folder of documents [default: the shipped seeds].")
]
CorpusArgument = Annotated[
    Path | None, typer.Argument(metavar="[DIR]", help="Folder of documents [default: the shipped seeds].")
]
IndexDir = Annotated[Path | None, typer.Option(help="Where the index lives [default: in the user's cache].")]
Host = Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")]
Port = Annotated[int | None, typer.Option(help="Port to listen on [default: 7860].")]
FAILED = 1
PARTIAL = 3
"""Exit code of `footnote index` when documents could not be read."""
CLOSEST = 3
"""So many passages are shown when there is no answer."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def main() -> NoReturn:
    """Run the command; an error that Footnote knows is one sentence and exit code 1."""
    try:
        app()
    except FootnoteError as error:
        err.print(f"footnote: {error}", markup=False, soft_wrap=True)
    except KeyboardInterrupt:
        err.print("footnote: stopped.")
    sys.exit(FAILED)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in quotes.")],
    corpus: CorpusOption = None,
    index_dir: IndexDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
    trace: Annotated[
        bool, typer.Option(help="Also print how the answer came about: searches, prompts, replies, verdicts.")
    ] = False,
) -> None:
    """Answer one question."""
    with _assistant(corpus, index_dir) as bot:
        with indexing.progress_bars(err) as progress:
            bot.ready(progress)
        answer = _traced(bot, question) if trace else bot.ask(question)
    if as_json:
        print(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2))
    else:
        _show(answer)


@app.command()
def index(
    corpus: CorpusArgument = None,
    index_dir: IndexDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Bring the index of a folder up to date; exit code 3 if documents could not be read."""
    with _assistant(corpus, index_dir) as bot:
        with indexing.progress_bars(err) as progress:
            report = bot.sync(progress)
        if as_json:
            print(indexing.report_json(bot, report))
        else:
            indexing.show_report(bot, report, out)
    raise typer.Exit(PARTIAL if indexing.is_partial(report) else 0)


@app.command()
def publish(
    folder: Annotated[Path, typer.Argument(metavar="TO", help="Folder that the other computers read.")],
    corpus: CorpusOption = None,
    index_dir: IndexDir = None,
) -> None:
    """Bring the index up to date and write a snapshot of it for other computers."""
    with _assistant(corpus, index_dir) as bot:
        with indexing.progress_bars(err) as progress:
            indexing.show_report(bot, bot.sync(progress), out)
        out.print(f"Published: {bot.publish(folder)}", markup=False, soft_wrap=True)


@app.command()
def watch(corpus: CorpusArgument = None, index_dir: IndexDir = None) -> None:
    """Keep the index of a folder up to date until interrupted, with a line for each change."""
    news: SimpleQueue[SyncReport | FootnoteError] = SimpleQueue()
    with _until_stopped(), _assistant(corpus, index_dir) as bot:
        try:
            with indexing.progress_bars(err) as progress:
                indexing.show_report(bot, bot.sync(progress), out)
        except LockedError as error:
            news.put(error)
        bot.follow(news.put)
        while True:
            indexing.show_change(news.get(), out)


@app.command()
def chat(
    corpus: CorpusArgument = None,
    index_dir: IndexDir = None,
    host: Host = None,
    port: Port = None,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = False,
) -> None:
    """Chat with a folder in the browser."""
    _serve(corpus, index_dir, host, port, open_browser=browser)


@app.command()
def serve(
    corpus: CorpusArgument = None, index_dir: IndexDir = None, host: Host = None, port: Port = None
) -> None:
    """Serve a folder to other programs: OpenAI's protocol, MCP tools, and the page."""
    _serve(corpus, index_dir, host, port, open_browser=False)


@app.command(name="eval")
def evaluate(
    questions: Annotated[Path, typer.Argument(help="The questions, one JSON object a line.")],
    corpus: CorpusOption = None,
    index_dir: IndexDir = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything as JSON here.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write a report to look at here.")] = None,
    fail_under: Annotated[
        list[str] | None, typer.Option(metavar="FIGURE=VALUE", help="Exit with 1 when a figure is smaller.")
    ] = None,
    fail_over: Annotated[
        list[str] | None, typer.Option(metavar="FIGURE=VALUE", help="Exit with 1 when a figure is larger.")
    ] = None,
) -> None:
    """Score the answers to a file of questions; exit code 1 if a figure falls short."""
    from rag.evaluation import load_questions, read_limits
    from ui import scores

    limits, cases = read_limits(fail_under or (), fail_over or ()), load_questions(questions)
    scores.check_writable(json_file, html_file)
    with _assistant(corpus, index_dir) as bot:
        with indexing.progress_bars(err) as progress:
            bot.sync(progress)
        evaluation = scores.ask_with_progress(bot, cases, err)
    scores.print_figures(evaluation, out)
    scores.write_files(evaluation, json_file, html_file)
    if short := scores.verdict(evaluation, limits):
        raise FootnoteError(short)


@app.command()
def doctor(
    corpus: CorpusOption = None,
    index_dir: IndexDir = None,
    repair: Annotated[bool, typer.Option("--repair", help="First mend what can be mended.")] = False,
) -> None:
    """Say what is in force and whether each part works; exit code 1 if one does not."""
    from rag.doctor import examine

    healthy = True
    with _assistant(corpus, index_dir) as bot:
        if repair:
            with indexing.progress_bars(err) as progress:
                indexing.show_report(bot, bot.repair(progress), out)
        for finding in examine(bot):
            healthy &= finding.works
            out.print("[green]ok[/]  " if finding.works else "[red]bad[/] ", end="")
            out.print(f"{finding.part:<12}{finding.detail}", markup=False, soft_wrap=True)
    raise typer.Exit(0 if healthy else FAILED)


def _assistant(corpus: Path | None, index_dir: Path | None) -> Assistant:
    from rag import Assistant
    from rag.settings import misspelt

    for sentence in misspelt():
        err.print(f"footnote: {sentence}", markup=False, soft_wrap=True)
    return Assistant(corpus, index_dir=index_dir)


def _serve(
    corpus: Path | None, index_dir: Path | None, host: str | None, port: int | None, *, open_browser: bool
) -> None:
    from rag.settings import load_settings

    settings = load_settings(host=host, port=port)
    with _until_stopped(), _assistant(corpus, index_dir) as bot:
        bot.follow()
        with indexing.progress_bars(err) as progress, suppress(LockedError):
            bot.ready(progress)
        import ui

        ui.serve(bot, host=settings.host, port=settings.port, open_browser=open_browser)


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Let Ctrl-C, or a polite signal of the system, end what is inside as planned."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def _traced(bot: Assistant, question: str) -> Answer:
    """Ask, and print the steps on standard error."""
    from rag import Completed, Trace

    steps = Trace()
    *_, last = bot.stream(question, trace=steps)
    assert isinstance(last, Completed)
    for name, detail in steps:
        err.print(f"── {name}", style="bold")
        err.print(detail, markup=False, soft_wrap=True)
    err.print("── milliseconds", style="bold")
    err.print(", ".join(f"{stage} {time:.0f}" for stage, time in last.answer.timings_ms.items()))
    return last.answer


def _show(answer: Answer) -> None:
    from rich.markdown import Markdown

    out.print(Markdown(answer.text))
    if answer.query != answer.question.strip():
        out.print(f"\nSearched for: {answer.query}", markup=False)
    if answer.citations:
        out.print()
    for citation in answer.citations:
        place = f"{citation.file}, page {citation.page}" if citation.page else citation.file
        out.print(
            f"[{citation.number}] {place}: {' '.join(citation.quote.split())}", markup=False, style="dim"
        )
    if answer.status == "abstained" and answer.chunks:
        out.print("\nClosest, but not an answer:", style="dim")
        for scored in answer.chunks[:CLOSEST]:
            out.print(f"- {scored.chunk.file}: {_opening(scored.chunk.text)}", markup=False, style="dim")
    for notice in answer.notices:
        out.print(f"Note: {notice}", markup=False)


def _opening(text: str, length: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[:length].rsplit(" ", 1)[0] + " …"
