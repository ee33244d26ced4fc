"""The MCP tools, called by a real MCP client over HTTP, in both ways that a session can begin."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.types import CallToolResult

from rag import Assistant
from tests.browser.fakes import FakeAssistant
from tests.corpora import BAKERY, TOWN, assistant
from tests.serving import serving

BORN = "Who was born in Oslo in 1950?"
QUOTE = "Ann Lee was born in Oslo in 1950."


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant(tmp_path_factory.mktemp("town"), TOWN)


@pytest.fixture(scope="module")
def town_url(town: Assistant) -> Iterator[str]:
    with serving(town) as url:
        yield url


def talk(url: str, session: Callable[[Client], Awaitable[Any]], mode: str = "auto") -> Any:
    """Open a session, talk, and return what came of it."""

    async def talking() -> Any:
        async with Client(f"{url}mcp", mode=mode) as client:
            return await session(client)

    return asyncio.run(talking())


def call(url: str, tool: str, mode: str = "auto", **arguments: Any) -> CallToolResult:
    result = talk(url, lambda client: client.call_tool(tool, arguments), mode)
    assert isinstance(result, CallToolResult)
    return result


def text_of(result: CallToolResult) -> str:
    [content] = result.content
    assert content.type == "text"
    return content.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_there_are_three_tools_that_say_what_they_take_and_give(town_url: str, mode: str) -> None:
    tools = {tool.name: tool for tool in talk(town_url, lambda client: client.list_tools(), mode).tools}
    assert list(tools) == ["ask", "retrieve", "read_passage"]
    for tool in tools.values():
        assert tool.description
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert tool.output_schema
        described = tool.input_schema["properties"]
        assert all("description" in parameter for parameter in described.values()), tool.name
    assert tools["ask"].input_schema["required"] == ["question"]
    assert {"text", "status", "citations"} <= tools["ask"].output_schema["properties"].keys()
    assert "status" in tools["ask"].output_schema["required"]
    assert tools["retrieve"].input_schema["properties"]["k"]["maximum"] == 50


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_ask_gives_the_answer_in_words_and_as_data(town_url: str, town: Assistant, mode: str) -> None:
    result = call(town_url, "ask", mode, question=BORN)
    assert text_of(result).endswith(f"---\n\n[1] bakery.txt: “{QUOTE}”")
    data = result.structured_content
    expected = town.ask(BORN).to_dict()
    assert data is not None
    assert data.keys() == expected.keys()
    assert data["citations"] == expected["citations"]
    [citation] = data["citations"]
    assert BAKERY[citation["start"] : citation["end"]] == citation["quote"] == QUOTE


def test_ask_follows_up_and_abstains(town_url: str) -> None:
    history = [{"question": BORN, "answer": "Ann Lee was born in Oslo in 1950. [1]"}]
    followed = call(town_url, "ask", question="What did she open?", history=history).structured_content
    assert followed is not None
    assert followed["query"] == "What did Ann Lee open?"
    assert "a bakery" in followed["text"]
    refused = call(town_url, "ask", question="What is the capital of Peru?").structured_content
    assert refused is not None
    assert (refused["status"], refused["citations"]) == ("abstained", [])


def test_retrieve_finds_passages(town_url: str, town: Assistant) -> None:
    result = call(town_url, "retrieve", query="ferry to Stavanger", k=1)
    assert result.structured_content == json.loads(text_of(result))
    assert result.structured_content == {"chunks": [town.retrieve("ferry to Stavanger", 1)[0].to_dict()]}
    assert call(town_url, "retrieve", query="?!").structured_content == {"chunks": []}


def test_read_passage_shows_what_stands_around_it(town_url: str) -> None:
    start = BAKERY.index(QUOTE)
    end = start + len(QUOTE)
    read = call(
        town_url, "read_passage", file="bakery.txt", start=start, end=end, around=9
    ).structured_content
    assert read == {
        "file": "bakery.txt",
        "title": "The bakery of Bergen",
        "page": None,
        "start": start,
        "end": end,
        "text": QUOTE,
        "before": BAKERY[start - 9 : start],
        "after": BAKERY[end : end + 9],
        "length": len(BAKERY),
    }


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ({}, 0, len(BAKERY)),
        ({"start": 5, "end": 10**9}, 5, len(BAKERY)),
        ({"start": 10**9}, len(BAKERY), len(BAKERY)),
    ],
)
def test_offsets_that_come_back_are_those_of_what_was_read(
    town_url: str, asked: dict[str, int], start: int, end: int
) -> None:
    read = call(town_url, "read_passage", file="bakery.txt", **asked).structured_content
    assert read is not None
    assert (read["start"], read["end"], read["text"]) == (start, end, BAKERY[start:end])


def test_a_long_document_is_read_in_parts(tmp_path: Path) -> None:
    text = "".join(f"Line {number} of a long list.\n" for number in range(3_000))
    with serving(assistant(tmp_path, {"list.txt": text})) as url:
        read, at = "", 0
        while at < len(text):
            part = call(url, "read_passage", file="list.txt", start=at).structured_content
            assert part is not None
            assert len(part["text"]) <= 20_000
            read, at = read + part["text"], part["end"]
    assert read == text


@pytest.mark.parametrize(
    "file", ["", "../corpus/bakery.txt", "/etc/passwd", "./bakery.txt", "news", "bakery.txt\0"]
)
def test_only_documents_are_read(town_url: str, town: Assistant, file: str) -> None:
    (town.corpus.parent / "outside.txt").write_text("not yours")
    for name in (file, str(town.corpus / "bakery.txt"), "../outside.txt"):
        refused = call(town_url, "read_passage", file=name)
        assert refused.is_error
        assert "no such file" in text_of(refused)
        assert str(town.corpus.parent) not in text_of(refused)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("ask", {}),
        ("ask", {"question": 7}),
        ("ask", {"question": "x", "history": [{"question": "y"}]}),
        ("retrieve", {"query": "x", "k": 0}),
        ("retrieve", {"query": "x", "k": 51}),
        ("read_passage", {"file": "bakery.txt", "start": -1}),
        ("read_passage", {"file": "bakery.txt", "start": 9, "end": 3}),
        ("read_passage", {"file": "bakery.txt", "around": 10**6}),
        ("read_passage", {"file": "x" * 5_000}),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    town_url: str, tool: str, arguments: dict[str, Any]
) -> None:
    assert call(town_url, tool, **arguments).is_error


def test_a_failure_says_nothing_of_its_cause(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        failed = call(url, "ask", question="crash now")
    assert failed.is_error
    assert text_of(failed) == "Error executing tool ask"
    assert "canary" in caplog.text, "the log has it"


def test_too_many_questions_at_once_are_sent_away(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ui import desk

    monkeypatch.setattr(desk, "WAITING", -desk.AT_ONCE)
    assert "try again" in text_of(call(url, "ask", question="When was it lit?"))


def test_nothing_is_kept_between_requests_and_nothing_else_is_served(url: str) -> None:
    headers = {"accept": "application/json, text/event-stream"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=20) as http:
        assert http.get("/mcp").status_code == 405
        assert http.delete("/mcp").status_code == 405
        assert http.post("/mcp", content=b"{").status_code == 400
        assert http.post("/mcp", content=b"x" * 1_000_001).status_code == 413
        for method in ("resources/list", "prompts/list"):
            listed = http.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": method}).json()
            assert listed["result"][method.split("/")[0]] == []


def test_a_client_that_hangs_up_stops_the_work(url: str, bot: FakeAssistant) -> None:
    bot.closed.clear()
    headers = {"accept": "application/json, text/event-stream"}
    call = {"name": "ask", "arguments": {"question": "slow answer"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{url}mcp", json=body, headers=headers, timeout=1, trust_env=False)
    assert bot.given_up()


def test_the_logging_of_the_process_is_left_alone(town: Assistant) -> None:
    from ui.desk import Desk
    from ui.tools import ToolServer

    log = logging.getLogger()
    before, level, log.handlers = log.handlers, log.level, []
    try:
        ToolServer(Desk(town))
        assert (log.handlers, log.level) == ([], level)
    finally:
        log.handlers = before
