"""Whatever a model's server does: an answer in bounded time, and one sentence that says what happened."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator

import pytest

from rag import Answer, Assistant, History, Trace
from rag.doctor import examine
from rag.llm.requests import ATTEMPTS
from tests.corpora import TOWN, assistant
from tests.laws.test_answers import check
from tests.model_server import (
    ModelServer,
    Reply,
    event,
    events,
    fails,
    model_server,
    repeats,
    says,
    sends,
    stalls,
    writing,
)

QUESTION = "Who was born in Oslo in 1950?"
BORN = "Ann Lee was born in Oslo in 1950."
LIMITS = {"first_token_timeout": 0.5, "timeout": 1.5, "rewrite_timeout": 0.5}
SECONDS = 8.0
"""An answer takes at most this long here: the limits, pauses between attempts, and a crowded machine."""
BEGUN = event({"content": f"{BORN} [2] She opened"})


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    bot = assistant(tmp_path_factory.mktemp("town"), TOWN)
    with model_server() as server:
        writing(bot, server).ask(QUESTION)  # the client is imported before anything is timed
    return bot


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


def ask(bot: Assistant, question: str = QUESTION, history: History = ()) -> Answer:
    """Ask, and hold what holds for every fault."""
    started = time.monotonic()
    trace = Trace()
    *_, last = bot.stream(question, history, trace)
    assert time.monotonic() - started < SECONDS
    answer: Answer = last.answer  # type: ignore[union-attr]
    check(answer, bot.corpus)
    told = json.dumps(answer.to_dict()) + str(list(trace))
    assert "sk-canary" not in told
    assert "/secret/place" not in told
    return answer


BEFORE: dict[str, tuple[Reply, str, int]] = {
    "401": (fails(401), "OPENAI_API_KEY", 1),
    "402": (fails(402), "credit", 1),
    "403": (fails(403), "does not allow", 1),
    "404": (fails(404, "model_not_found"), "FOOTNOTE_MODEL", 1),
    "408": (fails(408), "try again", ATTEMPTS),
    "409": (fails(409), "try again", ATTEMPTS),
    "418": (fails(418), "error 418", 1),
    "429": (fails(429), "busy", ATTEMPTS),
    "429, a short pause": (fails(429, retry_after="0.01"), "busy", ATTEMPTS),
    "429, a long pause": (fails(429, retry_after="90"), "busy", 1),
    "429, a date": (fails(429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), "busy", 1),
    "429, nothing left": (fails(429, "insufficient_quota"), "credit", 1),
    "500": (fails(500), "error 500", ATTEMPTS),
    "503": (fails(503), "error 503", ATTEMPTS),
    "529": (fails(529), "error 529", ATTEMPTS),
    "400": (fails(400), "error 400", 2),
    "a redirect": (fails(307, location="/v1/elsewhere"), "elsewhere", 1),
    "no headers": (stalls(headers=False), "in time", 1),
    "silence after headers": (stalls(), "in time", 1),
    "only pings": (repeats(b": ping\n\n"), "in time", 1),
    "only empty chunks": (repeats(event({"content": ""})), "in time", 1),
    "a web page": (sends(b"<html>Welcome</html>", kind="text/html"), "protocol", 1),
    "JSON that is no answer": (sends(b'{"ok": true}', kind="application/json"), "protocol", 1),
    "JSON that is none": (sends(b"{", kind="application/json"), "protocol", 1),
    "bad JSON in the stream": (sends(b"data: {nope\n\n"), "protocol", 1),
    "not UTF-8": (sends(b"data: \xff\xfe\n\n"), "protocol", 1),
    "no choices": (sends(event(choices=[]), b"data: [DONE]\n\n"), "broke off", ATTEMPTS),
    "choices that are null": (sends(event(choices=None), b"data: [DONE]\n\n"), "broke off", ATTEMPTS),
    "a choice that is text": (sends(event(choices=["x"]), b"data: [DONE]\n\n"), "broke off", ATTEMPTS),
    "nothing at all": (sends(), "broke off", ATTEMPTS),
    "an error in the stream": (
        sends(b'data: {"error": {"message": "sk-canary"}}\n\n'),
        "reported an error",
        1,
    ),
    "an empty answer": (sends(*events([])), "empty", 1),
    "only thoughts": (sends(event({"reasoning": "Hm."}), event(finish="stop")), "empty", 1),
    "a filter": (sends(*events([], "content_filter")), "filter", 1),
    "a tool": (sends(event({"tool_calls": [{"index": 0}]}), event(finish="tool_calls")), "tool", 1),
    "too long at once": (sends(*events([], "length")), "cut", 1),
}


@pytest.mark.parametrize("fault", BEFORE)
def test_a_fault_before_any_word_leaves_the_answer_to_the_documents(
    town: Assistant, model: ModelServer, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply, told, requests = BEFORE[fault]
    model.script = [reply]
    with caplog.at_level(logging.INFO):
        answer = ask(writing(town, model, **LIMITS))
    assert (answer.status, answer.engine) == ("answered", "extractive")
    assert answer.citations[0].quote == BORN
    notice = next(notice for notice in answer.notices if "own words" in notice)
    assert told in notice
    assert len(model.asked) == requests
    assert "sk-canary" not in caplog.text


FOLLOW_UP, EARLIER = "When was she born?", [("Who opened a bakery?", "Ann Lee opened a bakery. [1]")]


@pytest.mark.parametrize("fault", BEFORE)
def test_a_fault_costs_a_follow_up_question_no_more_requests_than_any_other(
    town: Assistant, model: ModelServer, fault: str
) -> None:
    reply, told, _ = BEFORE[fault]
    model.script = [reply]
    answer = ask(writing(town, model, **LIMITS), FOLLOW_UP, EARLIER)
    assert (answer.query, answer.engine) == ("When was Ann Lee born?", "extractive")
    assert answer.citations[0].quote == BORN
    assert any(told in notice for notice in answer.notices)
    assert len(model.asked) <= ATTEMPTS


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_model_that_cannot_be_asked_for_the_rewriting_is_not_asked_for_the_answer(
    town: Assistant, model: ModelServer, status: int
) -> None:
    model.script = [fails(status)]
    ask(writing(town, model), FOLLOW_UP, EARLIER)
    assert len(model.asked) == 1


def test_after_a_fault_that_passed_there_is_still_an_answer(town: Assistant, model: ModelServer) -> None:
    model.script = [fails(503), says("When was Ann Lee born?"), says(f"{BORN} [2]")]
    answer = ask(writing(town, model), FOLLOW_UP, EARLIER)
    assert (answer.text, answer.engine) == (f"{BORN} [1]", "tiny")


def test_a_fault_of_the_answer_shares_its_requests_with_the_translation(
    town: Assistant, model: ModelServer
) -> None:
    model.script = [says("When was she born?"), says("When was Ann Lee born?"), fails(503)]
    answer = ask(
        writing(town, model), "彼女はいつ生まれましたか。", [("ベルゲンのパン屋は？", "Ann Leeです。 [1]")]
    )
    assert (answer.query, answer.engine) == ("When was Ann Lee born?", "extractive")
    assert len(model.asked) == ATTEMPTS


DURING: dict[str, tuple[Reply, str]] = {
    "silence": (stalls(BEGUN), "in time"),
    "pings": (repeats(BEGUN[:0] + BEGUN + b": ping\n\n"), "no end"),
    "a clean end without a reason": (sends(BEGUN), "broke off"),
    "half an event": (sends(BEGUN, b'data: {"choi'), ""),
    "bad JSON": (sends(BEGUN, b"data: {nope\n\n"), "protocol"),
    "an error": (sends(BEGUN, b'data: {"error": {"message": "boom", "code": 500}}\n\n'), "reported an error"),
    "length": (sends(BEGUN, event(finish="length")), "cut"),
    "a filter": (sends(BEGUN, event(finish="content_filter")), "withheld"),
    "a gigantic answer": (repeats(event({"content": f"{BORN} [2] " * 50})), "no end"),
}


@pytest.mark.parametrize("fault", DURING)
def test_a_fault_after_some_words_keeps_what_holds_and_says_that_it_broke_off(
    town: Assistant, model: ModelServer, fault: str
) -> None:
    reply, told = DURING[fault]
    model.script = [reply]
    answer = ask(writing(town, model, **LIMITS | {"timeout": 4.0}))
    assert answer.text.startswith(f"{BORN} [1]")
    assert answer.text.endswith("The answer breaks off here.")
    assert (answer.status, answer.engine) == ("partial", "tiny")
    assert any(told in notice for notice in answer.notices)
    assert len(model.asked) == 1, "what has begun is not begun again"


def test_a_slow_server_is_waited_for_no_longer_than_the_total(town: Assistant, model: ModelServer) -> None:
    model.script = [repeats(event({"reasoning_content": "Hm."}))]
    answer = ask(writing(town, model, **LIMITS))
    assert answer.engine == "extractive"


def test_a_passing_fault_passes(town: Assistant, model: ModelServer) -> None:
    model.script = [fails(503), fails(429, retry_after="0.01"), says(f"{BORN} [2]")]
    answer = ask(writing(town, model))
    assert (answer.text, answer.engine) == (f"{BORN} [1]", "tiny")


def test_a_server_that_refuses_our_options_is_asked_without(town: Assistant, model: ModelServer) -> None:
    model.script = [fails(400, "unsupported_value", "temperature is not supported"), says(f"{BORN} [2]")]
    bot = writing(town, model)
    assert ask(bot).engine == "tiny"
    assert "temperature" in model.asked[0]
    assert "temperature" not in model.asked[1]
    ask(bot)
    assert len(model.asked) == 3


@pytest.mark.parametrize(
    "message", ["This model's maximum context length is 512 tokens", "prompt is too long"]
)
def test_a_prompt_that_is_too_long_loses_passages_and_says_so(
    town: Assistant, model: ModelServer, message: str
) -> None:
    too_long = fails(400, "context_length_exceeded", message)
    model.script = [too_long, says("Ann Lee was born in Oslo in 1950.")]
    answer = ask(writing(town, model))
    assert len(model.asked) == 2
    first, second = (len(asked["messages"][1]["content"]) for asked in model.asked)
    assert second < first
    assert any("did not fit" in notice for notice in answer.notices) or answer.engine == "extractive"


def test_a_prompt_that_is_always_too_long_is_given_up(town: Assistant, model: ModelServer) -> None:
    model.script = [fails(400, "context_length_exceeded", "too long")]
    answer = ask(writing(town, model))
    assert answer.engine == "extractive"
    assert len(model.asked) <= 3


def test_no_server_at_the_address(town: Assistant, model: ModelServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = ask(writing(town, model, base_url=f"http://127.0.0.1:{port}/v1", **LIMITS))
    assert any("No model server is running" in notice for notice in answer.notices)


def test_no_machine_of_that_name(
    town: Assistant, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    answer = ask(writing(town, model, base_url="http://nowhere.invalid/v1", **LIMITS))
    assert any("no server named" in notice for notice in answer.notices)


def test_a_server_without_encryption_at_a_secure_address(town: Assistant, model: ModelServer) -> None:
    answer = ask(writing(town, model, base_url=model.url.replace("http:", "https:"), **LIMITS))
    assert any("secure connection" in notice for notice in answer.notices)


def test_doctor_says_whether_the_model_answers(town: Assistant, model: ModelServer) -> None:
    def line(bot: Assistant) -> tuple[bool, str]:
        return next((f.works, f.detail) for f in examine(bot) if f.part == "answers")

    works, detail = line(writing(town, model))
    assert works
    assert f"tiny at {model.url}" in detail
    model.offered = [{"id": "other"}]
    works, detail = line(writing(town, model))
    assert not works
    assert "other" in detail
    model.script = [fails(401)]
    works, detail = line(writing(town, model, model="other"))
    assert not works
    assert "OPENAI_API_KEY" in detail
    assert "sk-canary" not in detail
