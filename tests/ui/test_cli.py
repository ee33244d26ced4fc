"""The `footnote` command: what it prints, and that its errors are one sentence and an exit code."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from filelock import FileLock
from openai import OpenAI
from rich.console import Console
from typer.testing import CliRunner

from index import Progress
from rag import Assistant, load_settings
from tests.corpora import TOWN, write
from tests.fakes import HashEmbedder
from tests.model_server import model_server, says
from ui import cli, indexing

ROOT = Path(__file__).parents[2]
QUESTION = "Who was born in Oslo in 1950?"
COMMANDS = {c.name or c.callback.__name__: c.callback for c in cli.app.registered_commands if c.callback}


class Run:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """Run `footnote` in this process, with vectors that take no model."""
    monkeypatch.setattr("index.core.MiniLM", HashEmbedder)

    def footnote(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["footnote", *map(str, arguments)])
        monkeypatch.setattr(cli, "out", Console(highlight=False, width=100))
        monkeypatch.setattr(cli, "err", Console(highlight=False, width=100, stderr=True))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return Run(int(ended.value.code or 0), captured.out, captured.err)

    return footnote


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOOTNOTE_INDEX_DIR", str(tmp_path / "index"))
    return write(tmp_path / "corpus", TOWN)


def index_of(corpus: Path) -> Path:
    return load_settings().index_folder(corpus)


def assert_one_sentence(ended: Run, *named: str) -> None:
    assert ended.code == 1
    assert ended.out == ""
    assert ended.err.startswith("footnote: ")
    assert ended.err.count("\n") == 1
    assert ended.err.rstrip().endswith(".")
    assert "Traceback" not in ended.err
    for name in named:
        assert name in ended.err


# Asking


def test_an_answer_is_shown_with_its_footnotes(run, corpus) -> None:  # type: ignore[no-untyped-def]
    ended = run("ask", QUESTION, "--corpus", corpus)
    assert ended.code == 0
    assert "Ann Lee was born in Oslo in 1950." in ended.out
    assert "[1] bakery.txt: Ann Lee was born in Oslo in 1950." in ended.out
    assert ended.err == ""


def test_an_abstention_offers_the_closest_passages(run, corpus) -> None:  # type: ignore[no-untyped-def]
    ended = run("ask", "What is the boiling point of tungsten?", "--corpus", corpus)
    assert ended.code == 0
    assert "Closest, but not an answer:" in ended.out
    assert "- news/harbour.md: " in ended.out


def test_what_was_searched_is_shown_when_it_is_not_what_was_typed(run, corpus) -> None:  # type: ignore[no-untyped-def]
    assert (
        "Searched for: Who built the lighthouse?"
        in run("ask", "Who built the lighthuose?", "--corpus", corpus).out
    )
    assert "Searched for" not in run("ask", f" {QUESTION}", "--corpus", corpus).out


def test_json_is_the_answer_and_nothing_else(run, corpus) -> None:  # type: ignore[no-untyped-def]
    ended = run("ask", QUESTION, "--json", "--corpus", corpus)
    expected = Assistant(corpus).ask(QUESTION).to_dict()
    printed = json.loads(ended.out)
    assert printed.keys() == expected.keys()
    assert (printed["text"], printed["citations"]) == (expected["text"], expected["citations"])


def test_a_trace_shows_the_search_the_prompt_the_reply_and_the_verdicts(run, corpus, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    with model_server() as model:
        model.script = [says("Ann Lee was born in Oslo in 1950 [2]. She was a [bold]queen[/bold].")]
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
        ended = run("ask", QUESTION, "--trace", "--corpus", corpus)
    assert ended.code == 0
    assert "Ann Lee was born in Oslo in 1950. [1]" in ended.out
    for said in (
        "── search",
        "bakery.txt",
        "── prompt",
        "── reply",
        "[bold]queen",
        "supported:",
        "verification",
    ):
        assert said in ended.err
    assert "sk-canary" not in ended.out + ended.err


def test_an_empty_question_and_an_empty_folder_are_answered_in_words(run, tmp_path, corpus) -> None:  # type: ignore[no-untyped-def]
    assert run("ask", "", "--corpus", corpus).out.startswith("There is no question")
    (tmp_path / "nothing").mkdir()
    assert run("ask", QUESTION, "--corpus", tmp_path / "nothing").out.startswith(
        "There are no readable documents"
    )


def test_markup_in_files_and_names_is_shown_as_it_is(run, corpus) -> None:  # type: ignore[no-untyped-def]
    write(corpus, {"[red]x[/red].md": "The mayor of Odda is [bold]Liv Dahl[/bold].", "[b].pdf": "x"})
    ended = run("ask", "Who is the mayor of Odda?", "--corpus", corpus)
    assert "[1] [red]x[/red].md: The mayor of Odda is [bold]Liv Dahl[/bold]." in ended.out
    assert "[b].pdf" in run("index", corpus).out


# Indexing


def test_index_says_what_it_did_and_what_it_skipped(run, corpus) -> None:  # type: ignore[no-untyped-def]
    write(corpus, {"nothing.txt": ""})
    first = run("index", corpus)
    assert first.code == 3, "scripts see that it is not all"
    assert "2 added, 0 changed, 0 removed, 0 unchanged, 1 skipped" in first.out
    assert re.search(r"nothing\.txt +\S", first.out)
    assert "0 added, 0 changed, 0 removed, 2 unchanged, 1 skipped" in run("index", corpus).out
    (corpus / "nothing.txt").rename(corpus / "nothing.png")
    other = run("index", corpus)
    assert "1 skipped" in other.out
    assert other.code == 0, "a picture is no document that is missing"


def test_index_as_json_is_for_machines(run, corpus) -> None:  # type: ignore[no-untyped-def]
    write(corpus, {"[nothing].txt": ""})
    ended = run("index", corpus, "--json")
    assert (ended.code, ended.err) == (3, "")
    done = json.loads(ended.out)
    assert (done["added"], done["documents"], done["pending"]) == (2, 2, 0)
    assert done["skipped"].keys() == {"[nothing].txt"}


def test_many_skipped_files_are_grouped_by_reason(run, corpus) -> None:  # type: ignore[no-untyped-def]
    write(corpus, {f"[{number}].txt": "" for number in range(30)})
    ended = run("index", corpus)
    assert re.search(r"30 .+\[0\]\.txt", ended.out)
    assert "[7].txt" not in ended.out


def test_on_a_terminal_each_stage_has_a_bar(corpus) -> None:  # type: ignore[no-untyped-def]
    console = Console(force_terminal=True, width=100, file=io.StringIO())
    with indexing.progress_bars(console) as progress, Assistant(corpus, embedder=HashEmbedder()) as bot:
        bot.sync(progress)
        progress(Progress("embedding", 1_000, 4_000, "[b]odd[/b].txt"))
        console.file.seek(0)  # type: ignore[attr-defined]
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Reading files" in shown
    assert "1,000 of 4,000" in shown
    assert "[b]odd[/b].txt" in shown


def test_publish_writes_what_others_ask_without_the_documents(run, corpus, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    ended = run("publish", tmp_path / "shared", "--corpus", corpus)
    assert ended.code == 0
    assert "2 added" in ended.out
    assert Path(ended.out.splitlines()[-1].removeprefix("Published: ")).is_file()
    monkeypatch.setenv("FOOTNOTE_SNAPSHOTS", str(tmp_path / "shared"))
    asked = run("ask", QUESTION, "--index-dir", tmp_path / "other")
    assert "[1] bakery.txt: Ann Lee was born in Oslo in 1950." in asked.out
    assert run("doctor", "--index-dir", tmp_path / "other").code == 0


# Watching


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_watch_tells_each_change_until_it_is_stopped(corpus: Path, end: signal.Signals) -> None:
    with running("watch", str(corpus), "--index-dir", str(corpus.parent / "real")) as (process, lines):
        assert "2 added" in next(lines)
        write(corpus, {"new.txt": "The mayor of Odda is Liv Dahl."})
        assert re.fullmatch(r"\d\d:\d\d:\d\d 1 added, 0 changed, 0 removed in \d+\.\d s\.\n", next(lines))
        (corpus / "new.txt").unlink()
        assert "0 added, 0 changed, 1 removed" in next(lines)
        corpus.rename(corpus.with_name("away"))
        assert "There is no folder" in next(lines)
        corpus.with_name("away").rename(corpus)
        process.send_signal(end)
        assert process.wait(timeout=60) == 0
        assert list(lines) == []


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
    """Run the command in a process of its own; gives the process, and its lines of both kinds."""
    default = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{default}; from ui.cli import main; main()", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        try:
            yield process, iter(process.stdout)
        finally:
            process.kill()


# What goes wrong


def test_a_missing_folder(run, tmp_path) -> None:  # type: ignore[no-untyped-def]
    for command in (["ask", QUESTION, "--corpus"], ["index"], ["doctor", "--corpus"], ["chat"]):
        assert_one_sentence(run(*command, tmp_path / "nowhere"), "nowhere")


def test_a_file_as_folder(run, corpus) -> None:  # type: ignore[no-untyped-def]
    assert_one_sentence(run("index", corpus / "bakery.txt"), "bakery.txt")


def test_an_index_that_another_process_is_writing(run, corpus, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("index.core.LOCK_SECONDS", 0.05)
    run("index", corpus)
    with FileLock(index_of(corpus) / "writer.lock"):
        assert_one_sentence(run("index", corpus), "updating the index")
        asked = run("ask", QUESTION, "--corpus", corpus)
    assert asked.code == 0, "what is there already is still answered from"
    assert "Note: Changes in the folder may be missing here." in asked.out


@pytest.mark.parametrize("damage", [b"this is no database" * 99, b"SQLite format 3\0" + b"\xff" * 5000])
def test_an_index_that_is_garbage(run, corpus, damage) -> None:  # type: ignore[no-untyped-def]
    write(index_of(corpus), {"store.sqlite": damage})
    assert_one_sentence(run("ask", QUESTION, "--corpus", corpus), "store.sqlite")


def test_a_setting_that_cannot_work(run, corpus, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    assert_one_sentence(run("chat", corpus, "--port", 99_999), "port", "99999")
    monkeypatch.setenv("FOOTNOTE_CHUNKS", "0")
    assert_one_sentence(run("ask", QUESTION, "--corpus", corpus), "chunks")


@pytest.mark.parametrize(
    "arguments", [["ask"], ["ask", "a", "b"], ["chat", "--port", "web"], ["sing"], ["ask", "a", "--jsn"]]
)
def test_a_command_line_that_makes_no_sense(run, arguments) -> None:  # type: ignore[no-untyped-def]
    ended = run(*arguments)
    assert ended.code == 2
    assert "Usage:" in ended.err
    assert "Traceback" not in ended.err


def test_control_c_stops_without_a_traceback(run, corpus, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rag.Assistant.ready", interrupted)
    ended = run("ask", QUESTION, "--corpus", corpus)
    assert ended.code in (1, 130)
    assert "Traceback" not in ended.err


def test_a_port_that_is_taken_is_named(corpus: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = footnote("chat", str(corpus), "--port", port, "--index-dir", str(corpus.parent / "real"))
    assert_one_sentence(ended, port)


def test_serve_answers_programs_that_know_the_token_until_it_is_stopped(corpus: Path) -> None:
    script = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from ui.cli import main; main()"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            script,
            "serve",
            str(corpus),
            "--port",
            "0",
            "--index-dir",
            str(corpus.parent / "real"),
        ],
        cwd=ROOT,
        env=os.environ | {"FOOTNOTE_TOKEN": "open sesame"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert process.stdout is not None
        banner = [next(process.stdout), next(process.stdout)]
        assert "this computer only" in banner[0]
        address = re.search(r"http://127\.0\.0\.1:\d+/v1", banner[1])
        assert address, banner
        with OpenAI(base_url=address[0], api_key="open sesame", max_retries=0) as client:
            messages: Any = [{"role": "user", "content": QUESTION}]
            reply: Any = client.chat.completions.create(model="footnote", messages=messages)
        assert reply.footnote["citations"][0]["file"] == "bakery.txt"
        assert httpx.get(f"{address[0]}/models", trust_env=False).status_code == 401
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "")


# Doctor


def test_doctor_is_content_with_a_healthy_folder(run, corpus) -> None:  # type: ignore[no-untyped-def]
    assert run("doctor", "--corpus", corpus).code == 0, "nothing is indexed yet, which is no fault"
    run("index", corpus)
    ended = run("doctor", "--corpus", corpus)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    parts = ("version", "settings", "corpus", "embedder", "index", "search", "watching", "answers", "page")
    assert tuple(line.split()[1] for line in lines) == parts
    assert "equal to the folder, 2 chunks, 2 vectors" in ended.out


@pytest.mark.parametrize(
    ("setting", "value", "part"),
    [
        ("FOOTNOTE_CHROMA_URL", "http://127.0.0.1:9", "search"),
        ("FOOTNOTE_EMBEDDER_URL", "http://127.0.0.1:9/v1", "embedder"),
    ],
)
def test_doctor_names_a_server_that_does_not_answer(run, corpus, monkeypatch, setting, value, part) -> None:  # type: ignore[no-untyped-def]
    run("index", corpus)
    monkeypatch.setenv(setting, value)
    monkeypatch.setenv("FOOTNOTE_EMBEDDER", "openai:any" if part == "embedder" else "minilm")
    ended = run("doctor", "--corpus", corpus)
    assert ended.code == 1
    assert [line.split()[1] for line in ended.out.splitlines() if line.startswith("bad")] == [part]
    assert "127.0.0.1:9" in ended.out


def test_doctor_compares_every_byte_and_repair_mends(run, corpus) -> None:  # type: ignore[no-untyped-def]
    run("index", corpus)
    secretly(corpus / "bakery.txt", "1950", "1951")
    write(corpus, {"new.txt": "New."})
    ended = run("doctor", "--corpus", corpus)
    assert ended.code == 1
    assert "differs from the folder in bakery.txt, new.txt" in ended.out
    mended = run("doctor", "--repair", "--corpus", corpus)
    assert mended.code == 0
    assert "1 added, 1 changed" in mended.out
    assert (
        "Ann Lee was born in Oslo in 1951." in run("ask", "Where was Ann Lee born?", "--corpus", corpus).out
    )


def secretly(path: Path, old: str, new: str) -> None:
    """Change a file without a trace in its size and times, as a failing disk may."""
    before = path.stat()
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_misspelt_variable_is_told_by_every_command(run, corpus, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("FOOTNOTE_CHUNK", "3")
    for command in (["index", corpus], ["ask", QUESTION, "--corpus", corpus]):
        ended = run(*command)
        assert ended.code == 0
        assert ended.err == "footnote: There is no setting FOOTNOTE_CHUNK: did you mean FOOTNOTE_CHUNKS?\n"
    ended = run("doctor", "--corpus", corpus)
    assert ended.code == 1
    assert any(line.startswith("bad settings") for line in ended.out.splitlines())


def test_doctor_names_what_is_broken(run, corpus) -> None:  # type: ignore[no-untyped-def]
    write(index_of(corpus), {"store.sqlite": b"this is no database" * 99})
    ended = run("doctor", "--corpus", corpus)
    assert ended.code == 1
    assert any(line.startswith("bad index") and "store.sqlite" in line for line in ended.out.splitlines())
    assert "ok  version" in ended.out


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does_and_the_readme_names_it(command: str) -> None:
    shown = CliRunner().invoke(cli.app, [command, "--help"], env={"COLUMNS": "200"}).output
    summary = (COMMANDS[command].__doc__ or "").split(".")[0]
    assert summary
    assert summary in shown
    assert f"footnote {command}" in " ".join((ROOT / "README.md").read_text().split())


def test_the_commands_of_the_contract_are_there() -> None:
    assert {"ask", "index", "chat", "doctor"} <= COMMANDS.keys()


# The real thing


def footnote(*arguments: str) -> Run:
    """Run the installed command in a process of its own."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("footnote")), *arguments],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "100"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = process.communicate(timeout=240)
    return Run(process.returncode, out, err)


def test_the_installed_command_answers_from_the_seeds(tmp_path: Path) -> None:
    ended = footnote("ask", "Who is Howard Lutnick?", "--json", "--index-dir", str(tmp_path))
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["status"] == "answered"
