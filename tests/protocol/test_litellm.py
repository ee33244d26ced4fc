"""Another implementation of OpenAI's protocol, started for real: LiteLLM's proxy with replies made up by itself."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import Assistant, load_settings
from rag.llm.model import ServerModel
from tests.corpora import TOWN, assistant
from tests.laws.test_answers import check

LITELLM = Path(__file__).resolve().parents[2] / ".venv-protocol" / "bin" / "litellm"
QUESTION = "Who was born in Oslo in 1950?"
BORN = "Ann Lee was born in Oslo in 1950."
REPLIES = {
    "right": f"{BORN} [2] She lived in 1717 [2].",
    "garbage": "Zyx wvu tsr qpo nml [3]. Kji hgf edc [99]. [1][2][3]",
    "declines": "NO ANSWER",
}

pytestmark = pytest.mark.skipif(not LITELLM.exists(), reason="`make protocol` installs LiteLLM and runs this")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("litellm")
    models = [
        {
            "model_name": name,
            "litellm_params": {"model": "openai/none", "api_key": "none", "mock_response": said},
        }
        for name, said in REPLIES.items()
    ]
    config = {"model_list": models, "general_settings": {"master_key": "sk-canary"}}
    (folder / "config.yaml").write_text(json.dumps(config))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [LITELLM, "--config", folder / "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
    quiet = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "DO_NOT_TRACK": "1"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--telemetry", "False"], cwd=folder, env=quiet, stdout=log, stderr=log
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health/liveliness", process, folder / "log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).read()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)  # there is no other way to learn that a foreign program listens
    pytest.fail(f"LiteLLM did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant(tmp_path_factory.mktemp("town"), TOWN)


@pytest.mark.parametrize(
    ("model", "key", "engine", "told"),
    [
        ("right", "sk-canary", "right", "left out"),
        ("garbage", "sk-canary", "extractive", "own words"),
        ("declines", "sk-canary", "declines", ""),
        ("unknown", "sk-canary", "extractive", "own words"),
        ("right", "sk-wrong", "extractive", "own words"),
    ],
)
def test_its_replies_and_its_errors_are_understood(
    town: Assistant, proxy: str, model: str, key: str, engine: str, told: str
) -> None:
    settings = load_settings(base_url=proxy, model=model, api_key=key)
    town.settings, town.model = settings, ServerModel(settings)
    answer = town.ask(QUESTION)
    check(answer, town.corpus)
    assert answer.engine == engine
    assert told in " ".join(answer.notices)
    assert "1717" not in answer.text
    assert "canary" not in json.dumps(answer.to_dict())
    if model != "declines":
        assert answer.citations[0].quote == BORN
