"""OpenAI's protocol, spoken by OpenAI's own client to the real server."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionChunk

from tests.browser.fakes import KEEPER, LIGHTHOUSE, FakeAssistant
from tests.corpora import TOWN, assistant
from tests.serving import serving

NOBODY = "nobody checks this"
BORN = "Who was born in Oslo in 1950?"


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[OpenAI]:
    with _client(url) as client:
        yield client


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
        yield client


def _client(url: str) -> OpenAI:
    return OpenAI(base_url=f"{url}v1", api_key=NOBODY, max_retries=0, timeout=30)


def said(role: str, content: object) -> Any:
    return {"role": role, "content": content}


def ask(client: OpenAI, question: object, *before: Any, **more: Any) -> Any:
    messages = [*before, said("user", question)]
    return client.chat.completions.create(model="footnote", messages=messages, **more)


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


# Answers


def test_an_answer_comes_with_its_passages_and_everything_else_that_is_known(client: OpenAI) -> None:
    reply = ask(client, "When was it lit?")
    [choice] = reply.choices
    assert choice.finish_reason == "stop"
    assert choice.message.role == "assistant"
    text, footer = choice.message.content.split("\n\n---\n\n")
    assert text == reply.footnote["text"]
    assert footer == f"[1] harbour/log.txt: “{LIGHTHOUSE}”\n\n[2] harbour/log.txt: “{KEEPER}”"
    first = reply.footnote["citations"][0]
    assert (first["file"], first["quote"], first["end"] - first["start"]) == (
        "harbour/log.txt",
        LIGHTHOUSE,
        len(LIGHTHOUSE),
    )
    assert reply.footnote["status"] == "answered"
    assert reply.usage.total_tokens == 0


def test_a_stream_says_the_same_bit_by_bit(client: OpenAI) -> None:
    whole = ask(client, "When was it lit?")
    chunks = list(ask(client, "When was it lit?", stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert text_of(chunks) == whole.choices[0].message.content
    assert len([chunk for chunk in chunks if text_of([chunk])]) > 10
    *_, last, usage = chunks
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 2) + ["stop"]
    assert last.footnote == whole.footnote  # type: ignore[attr-defined]
    assert usage.choices == []
    assert usage.usage is not None
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_is_server_sent_events_with_an_end(http: httpx.Client) -> None:
    body = {"model": "footnote", "stream": True, "messages": [said("user", "When was it lit?")]}
    reply = http.post("/v1/chat/completions", json=body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    *events, end, rest = reply.text.split("\n\n")
    assert (end, rest) == ("data: [DONE]", "")
    for event in events:
        chunk = json.loads(event.removeprefix("data: "))
        assert chunk["object"] == "chat.completion.chunk"
        assert "usage" not in chunk, "nobody asked for it"


@pytest.mark.parametrize("stream", [False, True])
def test_an_abstention_is_an_answer_without_passages(client: OpenAI, stream: bool) -> None:
    reply = ask(client, "none of this", stream=stream)
    if stream:
        chunks = list(reply)
        assert (text_of(chunks), chunks[-1].footnote["status"]) == ("The files do not say.", "abstained")
    else:
        assert reply.choices[0].message.content == "The files do not say."
        assert reply.footnote["abstain_reason"] == "not_answered"


def test_notices_are_told(client: OpenAI) -> None:
    content = ask(client, "part of it").choices[0].message.content
    assert content.endswith(f"“{KEEPER}”\n\nNote: One file was skipped.")


# The conversation


def test_earlier_turns_are_the_history_without_what_was_put_under_them(
    client: OpenAI, bot: FakeAssistant
) -> None:
    first = ask(client, "When was it lit?")
    ask(
        client,
        [{"type": "text", "text": "And who"}, {"type": "text", "text": "kept it?"}],
        said("system", "Answer as a pirate."),
        said("user", "This was never answered."),
        said("user", "When was it lit?"),
        said("assistant", first.choices[0].message.content),
        said("developer", "Or as a parrot."),
    )
    assert bot.histories[-1] == [("When was it lit?", first.footnote["text"])]
    assert bot.questions[-1] == "And who\nkept it?"


def test_what_follows_the_last_question_does_not_count(client: OpenAI, bot: FakeAssistant) -> None:
    messages = [said("user", "When was it lit?"), said("assistant", "It was")]
    client.chat.completions.create(model="footnote", messages=messages)
    assert (bot.questions[-1], bot.histories[-1]) == ("When was it lit?", [])


def test_what_has_no_meaning_here_is_ignored(client: OpenAI) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    reply = ask(client, "When was it lit?", tools=[tool], temperature=2, seed=1, max_tokens=1, n=1)
    assert reply.choices[0].message.tool_calls is None
    assert LIGHTHOUSE in reply.choices[0].message.content


def test_follow_ups_and_refusals_of_the_real_assistant(tmp_path: Any) -> None:
    with serving(assistant(tmp_path, TOWN)) as url, _client(url) as client:
        first = ask(client, BORN)
        assert "[1] bakery.txt: “Ann Lee was born in Oslo in 1950.”" in first.choices[0].message.content
        before = [said("user", BORN), said("assistant", first.choices[0].message.content)]
        second = ask(client, "What did she open?", *before)
        assert second.footnote["query"] == "What did Ann Lee open?"
        assert "a bakery" in second.choices[0].message.content
        assert ask(client, "What is the capital of Peru?").footnote["status"] == "abstained"
        assert ask(client, "").footnote["abstain_reason"] == "empty_question"
        assert ask(client, "x" * 6_000).footnote["abstain_reason"] == "question_too_long"


# The model


def test_there_is_one_model(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["footnote"]
    assert client.models.retrieve("footnote").id == "footnote"
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("another")
    assert refused.value.code == "model_not_found"


# What is refused

ASK = [said("user", "When was it lit?")]
PICTURE = [{"type": "image_url", "image_url": {"url": "http://example.com/x.png"}}]


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"model": "another", "messages": ASK}, 404, "model", "model_not_found"),
        ({"messages": ASK}, 400, "model", None),
        ({"model": "footnote"}, 400, "messages", None),
        ({"model": "footnote", "messages": []}, 400, "messages", None),
        ({"model": "footnote", "messages": [said("assistant", "Hello.")]}, 400, "messages", None),
        ({"model": "footnote", "messages": "Hello."}, 400, "messages", None),
        ({"model": "footnote", "messages": ASK * 1_001}, 400, "messages", None),
        ({"model": "footnote", "messages": [said("pirate", "Arr.")]}, 400, "messages.0.role", None),
        ({"model": "footnote", "messages": [said("user", PICTURE)]}, 400, "messages.0.content", None),
        ({"model": "footnote", "messages": ASK, "n": 2}, 400, "n", None),
        ({"model": "footnote", "messages": ASK, "stream": "perhaps"}, 400, "stream", None),
        (
            {"model": "footnote", "messages": ASK, "response_format": {"type": "json_object"}},
            400,
            "response_format",
            None,
        ),
        ([1], 400, None, None),
    ],
)
def test_what_cannot_be_answered_is_refused_the_way_clients_expect(
    http: httpx.Client, body: object, status: int, param: str | None, code: str | None
) -> None:
    reply = http.post("/v1/chat/completions", json=body)
    assert reply.status_code == status
    error = reply.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert error["message"].endswith(".")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (
            b'{"model": "footnote", "messages": [{"role": "user", "content": "\\ud800"}]}',
            "application/json",
            400,
        ),
        (b"[" * 100_000, "application/json", 400),
        (json.dumps({"model": "footnote", "messages": ASK}).encode(), "text/plain", 415),
        (b"x" * 1_000_001, "application/json", 413),
    ],
)
def test_what_is_no_request_is_refused(http: httpx.Client, content: bytes, kind: str, status: int) -> None:
    reply = http.post("/v1/chat/completions", content=content, headers={"content-type": kind})
    assert reply.status_code == status
    assert reply.json()["error"]["message"]


def test_a_body_of_unsaid_length_is_bounded_too(http: httpx.Client) -> None:
    headers = {"content-type": "application/json"}
    reply = http.post("/v1/chat/completions", content=iter([b" " * 600_000] * 3), headers=headers)
    assert reply.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/embeddings", 404),
        ("GET", "/v1/", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
    ],
)
def test_there_is_nothing_else(http: httpx.Client, method: str, path: str, status: int) -> None:
    reply = http.request(method, path)
    assert reply.status_code == status
    assert reply.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions", "/mcp"])
@pytest.mark.parametrize(
    "header", [{"origin": "http://evil.example"}, {"host": "evil.example"}, {"origin": "null"}]
)
def test_other_sites_get_nothing(http: httpx.Client, path: str, header: dict[str, str]) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        reply = http.request(method, path, headers=header)
        assert reply.status_code in (403, 421)
        assert reply.json()["error"]["message"]
        assert "access-control-allow-origin" not in reply.headers


# What goes wrong


def test_a_failure_is_a_number_in_the_log(client: OpenAI, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(openai.InternalServerError) as failed:
        ask(client, "crash now")
    _assert_hidden(failed.value, caplog)


def test_a_failure_in_a_stream_does_not_look_like_its_end(
    client: OpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    chunks: list[ChatCompletionChunk] = []
    with caplog.at_level(logging.ERROR), pytest.raises(openai.APIError) as failed:
        chunks.extend(ask(client, "crash now", stream=True))
    _assert_hidden(failed.value, caplog)
    with pytest.raises(openai.APIError):
        list(ask(client, "cut now", stream=True))


def _assert_hidden(error: openai.APIError, caplog: pytest.LogCaptureFixture) -> None:
    assert error.type == "server_error"
    assert "canary" not in str(error.body)
    assert "secret" not in str(error.body)
    found = re.search(r"Error (\w{8}) in the log", error.message)
    assert found
    assert f"error {found[1]}: " in caplog.text
    assert "canary" in caplog.text


def test_too_many_questions_at_once_are_sent_away(client: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    from ui import desk

    monkeypatch.setattr(desk, "WAITING", -desk.AT_ONCE)
    with pytest.raises(openai.RateLimitError):
        ask(client, "When was it lit?")


# Side by side


def test_two_programs_are_answered_at_once(client: OpenAI, bot: FakeAssistant) -> None:
    one, other = (iter(ask(client, f"slow {name}", stream=True)) for name in ("one", "other"))
    assert next(one).choices[0].delta.role == next(other).choices[0].delta.role == "assistant"
    bot.step(200)
    assert "You asked: slow one" in text_of(list(one))
    assert "You asked: slow other" in text_of(list(other))
    bot.rest()


def test_a_stream_that_is_closed_stops_the_work(client: OpenAI, bot: FakeAssistant) -> None:
    bot.closed.clear()
    stream = ask(client, "slow stream", stream=True)
    bot.step()
    events = iter(stream)
    while not text_of([next(events)]):
        pass
    stream.close()
    assert bot.given_up()


def test_a_client_that_hangs_up_stops_the_work(http: httpx.Client, bot: FakeAssistant) -> None:
    bot.closed.clear()
    body = {"model": "footnote", "messages": [said("user", "slow whole")]}
    with pytest.raises(httpx.ReadTimeout):
        http.post("/v1/chat/completions", json=body, timeout=1)
    assert bot.given_up()
