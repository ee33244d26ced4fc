"""Embedders on a server, against a real one on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from index import Embedder, EmbedderError, make_embedder
from index.embedders import remote
from tests.model_server import Handler, ModelServer, Reply, fails, model_server, repeats, sends, stalls

KEY = "sk-canary"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(
        remote, "PATIENCE", {kind: remote.Patience(60, 3, 0.01) for kind in ("query", "document")}
    )


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        running.script = [embeds()]
        yield running


def of(server: ModelServer, name: str = "openai:tiny") -> Embedder:
    return make_embedder(name, base_url=server.url, api_key=KEY)


def embeds(backwards: bool = False, most: int = 10_000) -> Reply:
    """Reply with vectors that say which text they are of: (3, 4, its length), not of length 1."""

    def reply(handler: Handler) -> None:
        texts = handler.server.model.asked[-1]["input"]
        if len(texts) > most:
            return fails(413)(handler)
        data = [
            {"object": "embedding", "index": place, "embedding": [3.0, 4.0, float(len(text))]}
            for place, text in enumerate(texts)
        ]
        return gives(data[::-1] if backwards else data)(handler)

    return reply


def gives(data: Any) -> Reply:
    return sends(json.dumps({"object": "list", "data": data}).encode(), kind="application/json")


def vector(*numbers: Any, index: int = 0) -> dict[str, Any]:
    return {"index": index, "embedding": numbers}


def expected(texts: list[str]) -> Any:
    rows = np.array([(3, 4, len(text) or 1) for text in texts], np.float64)
    return pytest.approx(rows / np.linalg.norm(rows, axis=1, keepdims=True), abs=1e-6)


@pytest.mark.parametrize("backwards", [False, True])
def test_vectors_have_length_one_and_the_order_of_the_texts(server: ModelServer, backwards: bool) -> None:
    server.script = [embeds(backwards)]
    texts = ["a", "abc", "", "ab"]
    found = of(server).embed(texts, kind="document")
    assert found.dtype == np.float32
    assert found == expected(texts)
    assert server.asked == [{"model": "tiny", "input": ["a", "abc", " ", "ab"]}]
    assert server.keys == [f"Bearer {KEY}"]


def test_the_server_is_first_asked_when_there_is_a_text(server: ModelServer) -> None:
    embedder = of(server)
    assert embedder.id
    assert not server.asked
    assert embedder.dimensions == 3
    assert embedder.embed([], kind="document").shape == (0, 3)
    assert len(server.asked) == 1


def test_no_key_is_sent_where_none_is_given(server: ModelServer) -> None:
    make_embedder("openai:tiny", base_url=server.url).embed(["a"], kind="query")
    assert server.keys == ["None"]


def test_a_request_is_bounded_in_texts_and_characters(server: ModelServer) -> None:
    texts = ["word " * (number % 7) for number in range(2 * remote.BATCH + 1)]
    texts += ["x" * (remote.BATCH_CHARACTERS - 1), "xx", "y" * (2 * remote.BATCH_CHARACTERS)]
    assert of(server).embed(texts, kind="document") == expected(texts)
    sizes = [[len(text) for text in request["input"]] for request in server.asked]
    assert [len(size) for size in sizes] == [remote.BATCH, remote.BATCH, 1, 1, 1, 1]
    assert all(sum(size) <= remote.BATCH_CHARACTERS for size in sizes if len(size) > 1)


def test_a_server_that_takes_few_texts_at_once_gets_few(server: ModelServer) -> None:
    server.script = [embeds(most=10)]
    texts = ["a" * number for number in range(1, 2 * remote.BATCH)]
    embedder = of(server)
    assert embedder.embed(texts, kind="document") == expected(texts)
    tried = len(server.asked)
    embedder.embed(texts[:20], kind="document")
    assert [len(request["input"]) for request in server.asked[tried:]] == [8, 8, 4]


@pytest.mark.parametrize(
    "fault",
    [fails(429, retry_after="0"), fails(500), fails(503)],
    ids=["too many requests", "broken", "away"],
)
def test_a_server_that_is_busy_is_asked_again(server: ModelServer, fault: Reply) -> None:
    server.script = [fault, fault, embeds()]
    assert of(server).embed(["abc"], kind="document") == expected(["abc"])


def test_a_server_that_falls_silent_is_asked_again(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "PATIENCE", {"document": remote.Patience(0.5, 20, 0.01)})
    server.script = [stalls(headers=False), stalls(), embeds()]
    assert of(server).embed(["abc"], kind="document") == expected(["abc"])


SILENT = stalls()
HTML = sends(b"<!doctype html><title>Login</title>", kind="text/html")


@pytest.mark.parametrize(
    ("reply", "requests", "says"),
    [
        pytest.param(fails(429, retry_after="9999"), 3, r"busy.*\(HTTP 429\)", id="always busy"),
        pytest.param(fails(500), 3, r"out of order.*\(HTTP 500\)", id="broken"),
        pytest.param(SILENT, 3, "did not answer within 0.2 seconds", id="silent"),
        pytest.param(fails(401), 1, "refuses the key.*FOOTNOTE_EMBEDDER_KEY", id="wrong key"),
        pytest.param(fails(404), 1, "is not there.*FOOTNOTE_EMBEDDER_URL", id="wrong address or model"),
        pytest.param(fails(302, location="http://203.0.113.1/"), 1, r"HTTP 302", id="redirect"),
        pytest.param(fails(400), 1, r"refuses a text \(HTTP 400\)", id="refused"),
        pytest.param(HTML, 1, "does not answer in OpenAI's protocol", id="HTML"),
        pytest.param(gives(None), 1, "does not answer in OpenAI's protocol", id="no data"),
        pytest.param(gives([{"index": 0}]), 1, "does not answer in OpenAI's protocol", id="no vector"),
        pytest.param(gives([]), 1, "gave 0 vectors for 1 texts", id="too few"),
        pytest.param(gives([vector(1), vector(2, index=1)]), 1, "gave 2 vectors for 1", id="too many"),
        pytest.param(gives([vector(1, index=1)]), 1, "mixed them up", id="another text's"),
        pytest.param(gives([vector(1, float("nan"))]), 1, "not of finite numbers", id="NaN"),
        pytest.param(gives([vector(1e308, 1e308)]), 1, "not of finite numbers", id="too large"),
        pytest.param(gives([vector(0, 0)]), 1, "is zero", id="zero"),
        pytest.param(gives([vector()]), 1, "is zero", id="empty"),
        pytest.param(gives([vector("a")]), 1, "not vectors", id="words"),
        pytest.param(gives([{"index": 0, "embedding": 5}]), 1, "not vectors", id="a number"),
    ],
)
def test_what_goes_wrong_is_said_without_the_key(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, reply: Reply, requests: int, says: str
) -> None:
    if reply is SILENT:
        monkeypatch.setattr(remote, "PATIENCE", {"document": remote.Patience(0.2, 3, 0.01)})
    server.script = [reply]
    embedder = of(server)
    with pytest.raises(EmbedderError, match=says) as raised:
        embedder.embed(["some words"], kind="document")
    assert len(server.asked) == requests
    assert KEY not in str(raised.value) + repr(embedder)
    assert server.url in str(raised.value) or embedder.id in str(raised.value)


def test_a_reply_without_end_is_not_kept(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MOST_BYTES", 100_000)
    server.script = [repeats(b"x" * 1000)]
    with pytest.raises(EmbedderError, match="endless reply"):
        of(server).embed(["a"], kind="document")
    assert server.gone.wait(10)


def test_a_reply_in_drips_has_a_time_limit(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PATIENCE", {"query": remote.Patience(0.2, 1, 0.01)})
    server.script = [repeats(b" ")]
    with pytest.raises(EmbedderError, match="did not answer within"):
        of(server).embed(["a"], kind="query")


def test_vectors_of_another_length_than_before_are_refused(server: ModelServer) -> None:
    server.script = [gives([vector(1, 2)]), gives([vector(1, 2, 3)])]
    embedder = of(server)
    embedder.embed(["a"], kind="query")
    with pytest.raises(EmbedderError, match="vectors of 3 dimensions, before of 2"):
        embedder.embed(["a"], kind="query")


def test_a_server_that_does_not_run_is_named() -> None:
    with model_server() as stopped:
        embedder = of(stopped)
    with pytest.raises(EmbedderError, match=r"http://127\.0\.0\.1.*cannot be reached"):
        embedder.embed(["a"], kind="query")


@pytest.mark.parametrize(
    "url", ["localhost:11434", "ftp://here/v1", "http://", "http://me:sk-canary@here/v1"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(EmbedderError, match="address must be like") as raised:
        make_embedder("openai:tiny", base_url=url)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}…"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(EmbedderError, match="no key has") as raised:
        make_embedder("openai:tiny", base_url="http://localhost/v1", api_key=key)
    assert KEY not in str(raised.value)


def test_the_same_name_elsewhere_is_another_embedder() -> None:
    names = {
        make_embedder("openai:tiny", base_url=url, api_key=KEY).id
        for url in (None, "https://api.openai.com/v1/", "http://localhost:1/v1", "http://localhost:2/v1")
    }
    assert names == {"openai:tiny", "openai:tiny@localhost:1", "openai:tiny@localhost:2"}


def test_openai_needs_a_key() -> None:
    with pytest.raises(EmbedderError, match="openai:text-embedding-3-small needs a key"):
        make_embedder("openai:text-embedding-3-small")
