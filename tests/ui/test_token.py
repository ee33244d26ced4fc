"""With a token, nobody gets anything without it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import httpx2
import openai
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from openai import OpenAI

from rag import Settings
from tests.browser.fakes import FakeAssistant
from tests.serving import serving

TOKEN = "correct hörse"
KEY = {"Authorization": b"Bearer " + TOKEN.encode()}
PATHS = ["/", "/config", "/gradio_api/queue/join", "/v1/models", "/v1/chat/completions", "/mcp", "/nothing"]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("corpus")
    with serving(FakeAssistant(folder, settings=Settings(token=TOKEN))) as url:  # type: ignore[arg-type]
        yield url


@pytest.fixture(scope="module")
def http(locked: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=locked, timeout=20, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "given",
    [b"", b"Bearer", b"Bearer wrong", b"Bearer correct", b"Basic !", b"Basic " + b"x" * 40, TOKEN.encode()],
)
def test_without_it_everything_is_refused(http: httpx.Client, path: str, given: bytes) -> None:
    for method in ("GET", "POST"):
        reply = http.request(method, path, headers={"Authorization": given} if given else {})
        assert reply.status_code == 401
        assert "token" in reply.text
    program = path.startswith(("/v1", "/mcp"))
    assert reply.headers["www-authenticate"].split()[0] == ("Bearer" if program else "Basic")
    if program:
        assert reply.json()["error"]["code"] == "invalid_api_key"


def test_a_foreign_site_learns_nothing_by_it(http: httpx.Client) -> None:
    assert http.get("/v1/models", headers={**KEY, "Origin": "http://evil.example"}).status_code == 403
    assert http.get("/v1/models", headers={**KEY, "Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("path", ["/", "/config", "/v1/models"])
def test_with_it_programs_and_browsers_get_through(http: httpx.Client, path: str) -> None:
    assert http.get(path, headers=KEY).status_code == 200
    assert http.get(path, auth=httpx.BasicAuth("anybody", TOKEN)).status_code == 200


def test_openais_client_sends_it_as_its_key(locked: str) -> None:
    with OpenAI(base_url=f"{locked}v1", api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            client.models.list()
        assert refused.value.code == "invalid_api_key"


def test_an_mcp_client_sends_it_as_a_header(locked: str) -> None:
    async def names() -> list[str]:
        async with (
            httpx2.AsyncClient(headers=KEY, trust_env=False) as http,
            Client(streamable_http_client(f"{locked}mcp", http_client=http)) as client,
        ):
            return [tool.name for tool in (await client.list_tools()).tools]

    assert asyncio.run(names()) == ["ask", "retrieve", "read_passage"]
