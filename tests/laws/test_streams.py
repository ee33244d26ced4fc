"""What holds for every reply of a model, however its bytes arrive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import Answer, Assistant, Completed, TextDelta
from tests.corpora import TOWN, assistant
from tests.laws.test_answers import check
from tests.model_server import ModelServer, events, model_server, sends, writing

QUESTION = "Who was born in Oslo in 1950, and what does the bakery sell?"
REPLY = """**Ann Lee** was born in Oslo in 1950 [2][77]. She opened a bakery in Bergen in 1982.[3] In 1983 it burnt [3].

The bakery sells:
- rye bread [4](http://evil.example/x)
- purple cakes 【4】
- cinnamon buns ［４］ ![x](http://evil.example/i.png)

パン屋は12人を雇っている。[5] The passages do not say what it sells."""
WORDS = [
    "Ann Lee",
    "was born",
    "in Oslo",
    "in 1950",
    "a bakery",
    "Bergen",
    "1982",
    "[2]",
    "[3, 4]",
    "[1-9]",
    "[99]",
]
WORDS += [
    ". ",
    "! ",
    "\n- ",
    "\n\n",
    " ",
    ":\n",
    "**",
    "`",
    "[",
    "]",
    "](http://x)",
    "NO ANSWER",
    "<b>",
    "石破",
    "。",
    "】",
]
REPLIES = st.one_of(
    st.just(REPLY), st.lists(st.sampled_from(WORDS), max_size=40).map("".join), st.text(max_size=80)
)
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Assistant:
    return writing(assistant(tmp_path_factory.mktemp("town"), TOWN), model)


def lasting(answer: Answer) -> dict[str, Any]:
    """All of an answer but how long it took."""
    return {name: value for name, value in answer.to_dict().items() if name != "timings_ms"}


def ask(bot: Assistant, model: ModelServer, *parts: bytes) -> Answer:
    """Ask while the server sends these bytes, and hold what holds for every stream."""
    model.script = [sends(*parts)]
    shown = ""
    for item in bot.stream(QUESTION):
        if isinstance(item, TextDelta):
            shown += item.text
            unknown = re.findall(r"(?<!\\)\[(\d+)\]", shown)
            assert all(int(number) <= 9 for number in unknown)
        if isinstance(item, Completed):
            assert shown == item.answer.text, "what was shown is what is left"
            check(item.answer, bot.corpus)
            assert not re.search(r"(?<!\\)!?\[[^\]]*\]\(|(?<!\\)<\w", item.answer.text), (
                "no image, link or HTML"
            )
            return item.answer
    raise AssertionError("the stream ends with an answer")


@few
@given(REPLIES, st.data())
def test_cutting_the_bytes_anywhere_gives_the_same_answer(
    bot: Assistant, model: ModelServer, reply: str, data: st.DataObject
) -> None:
    whole = ask(bot, model, *events([reply]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(reply)), max_size=8)))
    pieces = [reply[start:end] for start, end in zip([0, *cuts], [*cuts, len(reply)], strict=True)]
    sent = b"".join(events(pieces))
    places = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    parts = [sent[start:end] for start, end in zip([0, *places], [*places, len(sent)], strict=True)]
    assert lasting(ask(bot, model, *parts)) == lasting(whole)


def test_one_character_and_one_byte_at_a_time(bot: Assistant, model: ModelServer) -> None:
    whole = ask(bot, model, *events([REPLY]))
    sent = b"".join(events(list(REPLY)))
    assert lasting(ask(bot, model, *(sent[at : at + 1] for at in range(len(sent))))) == lasting(whole)
    assert "evil" not in whole.text
    assert "Ann Lee" in whole.text
