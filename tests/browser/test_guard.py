"""The page's server spoken to directly: odd hosts and origins, closed routes, junk for every handler."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import FootnoteError
from tests.browser.fakes import FakeAssistant
from ui.guard import CONTENT_POLICY

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
        yield client


def test_every_answer_carries_the_policy(http: httpx.Client) -> None:
    for path in ("/", "/config", "/nothing-here", "/gradio_api/upload"):
        headers = http.get(path).headers
        assert headers["content-security-policy"] == CONTENT_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert "unsafe-eval" not in CONTENT_POLICY


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil:7860", "", "[::1", "@localhost"]
)
@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/queue/join"])
def test_an_unknown_host_is_refused(http: httpx.Client, host: str, path: str) -> None:
    assert http.get(path, headers={"Host": host}).status_code == 421
    assert http.post(path, headers={"Host": host}, json={}).status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1"])
def test_a_foreign_origin_gets_nothing(http: httpx.Client, origin: str) -> None:
    for answer in (
        http.get("/config", headers={"Origin": origin}),
        http.post("/gradio_api/queue/join", headers={"Origin": origin}, json={}),
        http.post("/gradio_api/upload", headers={"Origin": origin}, files={"files": b"x"}),
        http.options("/config", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_the_page_itself_may_ask(http: httpx.Client, url: str) -> None:
    assert http.get("/config", headers={"Origin": url.rstrip("/")}).status_code == 200
    port = httpx.URL(url).port
    assert http.get("/config", headers={"Host": f"localhost:{port}"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://127.0.0.1:1/x",
        "/gradio_api/file=https%3A%2F%2Fexample.com",
        "/gradio_api/file%3Dhttp://example.com",
        "/gradio_api/file%253Dhttp://example.com",
        "/gradio_api/FILE=/etc/passwd",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1:1",
        "/gradio_api/upload",
        "/gradio_api/run/ask",
        "/gradio_api/runs",
        "/gradio_api/mcp",
        "/monitoring",
        "/monitoring/summary",
        "/gradio_api/monitoring/summary",
    ],
)
def test_routes_the_page_does_not_need_are_closed(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code in (403, 404, 405)
    assert http.post(path, json={"data": []}).status_code in (403, 404, 405)


def test_a_large_request_is_refused(http: httpx.Client) -> None:
    assert http.post("/gradio_api/queue/join", content=b"x" * 10_000_000).status_code == 413
    assert http.post("/gradio_api/queue/join", content=iter([b"x" * 600_000] * 3)).status_code in (400, 413)


def test_configuration_shows_no_path_and_no_handler(http: httpx.Client, bot: FakeAssistant) -> None:
    config = http.get("/config").text
    assert str(bot.corpus) not in config
    assert json.loads(config)["run_history"] is False
    assert http.get("/gradio_api/info").json() == {"named_endpoints": {}, "unnamed_endpoints": {}}


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(fn_index=st.integers(-2, 9), data=st.lists(JSON, max_size=3) | JSON)
def test_junk_for_any_handler_is_survived(http: httpx.Client, fn_index: int, data: object) -> None:
    body = {
        "data": data,
        "fn_index": fn_index,
        "session_hash": "junk",
        "event_data": data,
        "trigger_id": None,
    }
    assert http.post("/gradio_api/queue/join", json=body).status_code < 600
    assert http.get("/").status_code == 200


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "open-file-0-99",
        "open-file-0-0",
        "open-cite-1-1",
        "../../etc/passwd",
        "open-near-1-0",
        "x" * 9_999,
        None,
        7,
    ],
)
def test_a_reference_of_nobody_opens_nothing(http: httpx.Client, reference: object) -> None:
    assert "can no longer be opened" in called(http, "open", [reference, None])


def test_direct_calls_answer_and_leak_nothing(http: httpx.Client) -> None:
    assert "lighthouse" in called(http, "ask", ["plain question", None])
    crashed = called(http, "ask", ["crash now", None])
    assert "Interrupted" in crashed
    assert "secret" not in crashed
    assert "canary" not in crashed
    called(http, "stop", [None])
    called(http, "retry", [None])
    called(http, "undo", [None])
    called(http, "clear", [None])


def called(http: httpx.Client, name: str, data: list[object]) -> str:
    """Call a handler the way the browser does, in a session of its own; return all it sent."""
    functions = http.get("/config").json()["dependencies"]
    number = next(fn["id"] for fn in functions if fn["api_name"].startswith(name))
    session = f"session{os.urandom(4).hex()}"
    body = {"data": data, "fn_index": number, "session_hash": session, "event_data": None, "trigger_id": None}
    joined = http.post("/gradio_api/queue/join", json=body)
    assert joined.status_code == 200, joined.text
    sent = ""
    with http.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        for line in stream.iter_lines():
            sent += line
            if '"process_completed"' in line:
                break
    return re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), json.dumps(json.loads(json.dumps(sent))))


def test_a_port_in_use_is_one_sentence(url: str, bot: FakeAssistant) -> None:
    import ui

    with pytest.raises(
        FootnoteError, match=r"^Cannot serve the page at 127\.0\.0\.1:\d+: the port may be in use"
    ):
        ui.serve(bot, port=httpx.URL(url).port or 0)


def test_gradio_variables_have_no_effect(tmp_path: Path) -> None:
    variables = {
        "GRADIO_SHARE": "True",
        "GRADIO_MCP_SERVER": "True",
        "GRADIO_ALLOWED_PATHS": "/etc",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": "1",
        "GRADIO_ROOT_PATH": "/elsewhere",
        "GRADIO_VIBE_MODE": "1",
        "GRADIO_RUN_HISTORY": "True",
        "GRADIO_ANALYTICS_ENABLED": "True",
        "GRADIO_TEMP_DIR": str(tmp_path / "open"),
    }
    script = (
        "import os, signal, stat\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background inherits it ignored
        "from pathlib import Path\n"
        "import ui\n"
        "from tests.browser.fakes import FakeAssistant\n"
        f"page = ui.build(FakeAssistant(Path({str(tmp_path)!r})))\n"
        "folder = Path(os.environ['GRADIO_TEMP_DIR'])\n"
        "print(stat.filemode(folder.stat().st_mode), folder.parent != Path(os.environ['HOME']))\n"
        f"ui.serve(FakeAssistant(Path({str(tmp_path)!r})), port=0)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert next(process.stdout).startswith("drwx------")
        banner = next(process.stdout)
        assert "this computer only" in banner
        address = re.search(r"http://127\.0\.0\.1:\d+", banner)
        assert address, banner
        with httpx.Client(base_url=address[0], trust_env=False, timeout=20) as http:
            assert http.get("/gradio_api/mcp/sse").status_code == 404
            assert http.get("/gradio_api/file=/etc/passwd").status_code == 404
            config = http.get("/config").json()
            assert config["root"].rstrip("/") == address[0]
            assert config["run_history"] is False
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert not (tmp_path / "open").exists()
