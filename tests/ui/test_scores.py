"""`footnote eval`: what it prints and writes, and when it fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.corpora import TOWN, write
from tests.fakes import HashEmbedder
from ui import cli

QUESTIONS = [
    {
        "question": "Who was born in Oslo in 1950?",
        "answerable": True,
        "contains": ["Ann Lee"],
        "evidence": [{"file": "bakery.txt", "quote": "Ann Lee was born in Oslo in 1950."}],
        "type": "[red]who[/red]",
    },
    {"question": "What is the boiling point of tungsten?", "answerable": False},
]
Footnote = Callable[..., tuple[int, str, str]]


@pytest.fixture
def footnote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Footnote:
    """Run `footnote eval` over a small corpus; gives the exit code, standard output and standard error."""
    monkeypatch.setattr("index.core.MiniLM", HashEmbedder)
    monkeypatch.setenv("FOOTNOTE_INDEX_DIR", str(tmp_path / "index"))
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "corpus", TOWN)
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in QUESTIONS))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["footnote", "eval", *arguments, "--corpus", "corpus"])
        monkeypatch.setattr(cli, "out", Console(highlight=False, width=120))
        monkeypatch.setattr(cli, "err", Console(highlight=False, width=120, stderr=True))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def test_it_prints_every_figure_and_type(footnote: Footnote) -> None:
    code, out, err = footnote("q.jsonl")
    assert (code, err) == (0, "")
    shown = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "100.0%" in shown["refused"]
    for name in ("right", "auroc", "ece", "mrr", "median_ms", "quoted_words", "[red]who[/red]"):
        assert name in shown


def test_it_writes_json_and_html(footnote: Footnote, tmp_path: Path) -> None:
    assert footnote("q.jsonl", "--json", "all.json", "--html", "report.html")[0] == 0
    assert json.loads((tmp_path / "all.json").read_text())["figures"]["refused"]["value"] == 1
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_a_figure_that_falls_short_is_one_sentence_and_exit_code_1(
    footnote: Footnote, tmp_path: Path
) -> None:
    limits = ("--fail-under", "refused=1", "--fail-under", "auroc=1.5", "--fail-over", "median_ms=-1")
    code, out, err = footnote("q.jsonl", *limits, "--json", "all.json")
    assert code == 1
    assert "refused" in out, "the figures are shown all the same"
    assert (tmp_path / "all.json").exists()
    assert err.count("\n") == 1
    assert err.startswith("footnote: auroc is ")
    assert ", below 1.5; median_ms is " in err
    assert err.endswith(", above -1.\n")
    assert "refused" not in err


def test_limits_that_hold_are_exit_code_0(footnote: Footnote) -> None:
    code, _, err = footnote("q.jsonl", "--fail-under", "refused=1", "--fail-over", "quoted_words=500")
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.jsonl"], "none.jsonl"),
        (["q.jsonl", "--fail-under", "rihgt=1"], "rihgt"),
        (["q.jsonl", "--json", "no/where.json"], "where.json"),
        (["q.jsonl", "--html", "corpus"], "it is a folder"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(
    footnote: Footnote, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.setattr("rag.Assistant.ready", lambda *_: pytest.fail("the index was opened"))
    code, out, err = footnote(*arguments)
    assert (code, out) == (1, "")
    assert said in err
    assert err.count("\n") == 1
