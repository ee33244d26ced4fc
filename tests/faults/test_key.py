"""The key of the model's server is sent there and stands nowhere else, even where a server repeats it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from rag import Settings, load_settings
from rag.errors import ConfigurationError
from tests.corpora import TOWN, assistant
from tests.model_server import ModelServer, fails, model_server, writing
from tests.serving import GRADIO_WARNINGS, serving

pytestmark = GRADIO_WARNINGS
KEY = "sk-canary"
QUESTION = "Who was born in Oslo in 1950?"


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with model_server() as server:
        server.script = [fails(401)]
        yield server


@pytest.mark.parametrize(
    "arguments", [["ask", QUESTION], ["ask", QUESTION, "--json"], ["ask", QUESTION, "--trace"], ["doctor"]]
)
def test_no_command_prints_it(
    tmp_path: Path, model: ModelServer, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui.cli import app

    bot = assistant(tmp_path, TOWN)
    bot.sync()
    for name, value in {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": model.url,
        "FOOTNOTE_MODEL": "tiny",
        "FOOTNOTE_INDEX_DIR": str(tmp_path / "indexes"),
        "FOOTNOTE_CORPUS": str(bot.corpus),
    }.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, arguments)
    assert model.keys[-1] == f"Bearer {KEY}"
    assert "refused the key" in " ".join(done.output.split())
    assert KEY not in done.output


def test_it_is_in_no_log_and_no_file_of_the_index(
    tmp_path: Path, model: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        bot = writing(assistant(tmp_path, TOWN), model, context_window=None)
        bot.ask(QUESTION)
    assert model.keys
    assert KEY not in caplog.text
    assert caplog.records, "what the client logs was looked at"
    written = [path for path in bot.index_dir.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if KEY.encode() in path.read_bytes()]


def test_it_is_in_no_traceback(model: ModelServer) -> None:
    settings = model.settings()
    with pytest.raises(ConfigurationError) as raised:
        load_settings(api_key=KEY, base_url=f"http://user:{KEY}@host/v1")
    assert KEY not in "".join(traceback.format_exception(raised.value))
    assert KEY not in f"{settings!r}{settings}{Settings(api_key=KEY).model_dump()}"  # type: ignore[arg-type]


def test_the_page_and_the_protocol_do_not_tell_it(tmp_path: Path, model: ModelServer) -> None:
    bot = writing(assistant(tmp_path, TOWN), model)
    body = {"model": "footnote", "messages": [{"role": "user", "content": QUESTION}]}
    with serving(bot) as url, httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        told = [http.get(path).text for path in ("/", "/config", "/gradio_api/info", "/v1/models")]
        told.append(http.post("/v1/chat/completions", json=body).text)
        told.append(http.post("/v1/chat/completions", json=body | {"stream": True}).text)
    assert all("refused the key" in text for text in told[-2:])
    assert not [text for text in told if KEY in text]
