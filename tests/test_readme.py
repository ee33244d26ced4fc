"""What the README says can be done can be done."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving import GRADIO_WARNINGS, serving

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "http://127.0.0.1:7860/"
TEXT = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the repository, with an index of its own."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FOOTNOTE_INDEX_DIR", str(tmp_path / "index"))


@pytest.fixture
def served(at_home: None) -> Iterator[str]:
    """Where `make chat` has been run, though at another port."""
    from rag import Assistant

    with serving(Assistant()) as url:
        yield url


pytestmark = GRADIO_WARNINGS


def test_its_python_runs_from_top_to_bottom(served: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    found = blocks("python")
    assert found
    for block in found:
        exec(compile(block.replace(ADDRESS, served), "README.md", "exec"), names)
    assert capsys.readouterr().out


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")
def test_its_requests_are_answered(served: str) -> None:
    [request] = [block for block in blocks("sh") if "curl" in block]
    script = request.replace(ADDRESS, served)
    sent = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=True).stdout
    assert '"finish_reason": "stop"' in sent
    assert sent.endswith("data: [DONE]\n\n")


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("footnote ")]


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("line", COMMANDS)
def test_its_commands_work(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ui import cli

    monkeypatch.setattr(sys, "argv", shlex.split(line))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake (?!PYTHON)([a-z]+)\b", TEXT))))
def test_its_make_targets_exist_and_are_listed(target: str) -> None:
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert target == "lock" or f"make {target} " in listed


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?://)([^)#]+)\)", TEXT))
def test_its_links_and_images_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:index|rag|ui|tests|seeds)/[\w./]*)`", TEXT))))
def test_the_files_it_names_exist(path: str) -> None:
    assert (ROOT / path).exists()


def test_its_settings_are_the_settings() -> None:
    from rag import Settings

    table = TEXT.split("## Settings")[1].split("##")[0]
    for name in Settings.model_fields:
        assert f"`{name}`" in table
        assert f"`FOOTNOTE_{name.upper()}`" in table
