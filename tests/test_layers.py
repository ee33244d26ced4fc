"""The shape of the code: layers, sizes, public names, and what importing costs."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["index", "rag", "ui"]
MODULES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "training" not in path.parts  # a recipe to run once, not part of the program
]
HEAVY = [
    "llama_index",
    "chromadb",
    "gradio",
    "mcp",
    "onnxruntime",
    "openai",
    "tantivy",
    "pydantic_settings",
    "onnx",
]
MAX_MODULE, MAX_FUNCTION = 400, 60
named = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())


def test_the_layers_hold() -> None:
    linter = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert linter.returncode == 0, linter.stdout


@named
def test_a_module_and_its_functions_can_be_read_in_one_go(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION, node.name


@named
def test_the_environment_is_read_in_one_place(path: Path) -> None:
    """`rag/settings.py` reads it; `ui/environment.py` only takes Gradio's variables out of it."""
    if path.relative_to(ROOT).as_posix() not in ("rag/settings.py", "ui/environment.py"):
        assert not re.search(r"\benviron\b|\bgetenv\b", path.read_text())


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_exist_and_say_what_they_are(package: str) -> None:
    module = importlib.import_module(package)
    names: list[str] = module.__all__
    assert len(names) == len(set(names))
    assert module.__doc__
    for name in names:
        value = getattr(module, name)
        if isinstance(value, type) or (callable(value) and hasattr(value, "__name__")):
            assert (value.__doc__ or "").strip(), name
            assert not (value.__doc__ or "").startswith(f"{name}("), f"{name} has no docstring of its own"


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    import rag

    with pytest.raises(AttributeError, match="nonsense"):
        _ = rag.nonsense


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import rag", HEAVY),
        ("import ui", HEAVY),
        ("import ui.cli", ["llama_index", "chromadb", "gradio", "mcp", "openai", "onnxruntime", "onnx"]),
        ("from rag import Assistant", ["chromadb", "gradio", "openai", "onnxruntime", "onnx"]),
    ],
)
def test_an_import_loads_nothing_heavy(statement: str, unwanted: list[str]) -> None:
    code = f"import sys; {statement}; print(*[name for name in {unwanted} if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == []
