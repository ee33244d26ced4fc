"""Stop, on the page or by going away: at once for the person, and soon for the model's server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from urllib.parse import SplitResult, urlsplit

import pytest

from rag import Assistant
from tests.corpora import TOWN, assistant
from tests.model_server import ModelServer, event, model_server, says, stalls, writing
from tests.serving import serving
from ui.conversation import Conversation, Phase

QUESTION = "Who was born in Oslo in 1950?"
EARLIER = ("Who opened a bakery?", "Ann Lee opened a bakery. [1]")
REWRITTEN = {"a follow-up": "When was she born?", "another language": "パン屋はどこにありますか。"}
"""Questions that the model is asked about before anything is searched."""


def test_stop_ends_the_request_to_a_server_that_says_nothing(tmp_path: Path) -> None:
    with model_server() as model:
        bot = writing(assistant(tmp_path, TOWN), model)
        model.script = [stalls()]
        conversation = Conversation()
        turns = conversation.ask(bot, QUESTION)
        while (turn := next(turns)).found is None:
            pass
        assert model.arrived.wait(20)
        conversation.stop()
        assert not list(turns)
        assert turn.phase is Phase.STOPPED
        assert model.gone.wait(2)


def test_what_was_shown_before_a_stop_stays(tmp_path: Path) -> None:
    with model_server() as model:
        bot = writing(assistant(tmp_path, TOWN), model)
        model.script = [stalls(event({"content": "Ann Lee was born in Oslo in 1950 [2]. She opened"}))]
        conversation = Conversation()
        turns = conversation.ask(bot, QUESTION)
        while not (turn := next(turns)).text:
            pass
        conversation.stop()
        assert not list(turns)
        assert (turn.phase, turn.text) == (Phase.STOPPED, "Ann Lee was born in Oslo in 1950. [1]")
        assert model.gone.wait(2)


def test_closing_the_page_ends_the_request_too(tmp_path: Path) -> None:
    with model_server() as model:
        bot = writing(assistant(tmp_path, TOWN), model)
        model.script = [stalls(headers=False)]
        turns = Conversation().ask(bot, QUESTION)
        while next(turns).found is None:
            pass
        assert model.arrived.wait(20)
        turns.close()
        assert model.gone.wait(2)


@pytest.mark.parametrize("question", REWRITTEN.values(), ids=REWRITTEN)
def test_stop_while_a_question_is_rewritten_ends_the_request_too(tmp_path: Path, question: str) -> None:
    with model_server() as model:
        bot = writing(assistant(tmp_path, TOWN), model, rewrite_timeout=30)
        conversation = Conversation()
        model.script = [says("NO ANSWER")]
        list(conversation.ask(bot, EARLIER[0]))
        model.arrived.clear()
        model.script = [stalls(headers=False)]
        turns = conversation.ask(bot, question)
        reading = Thread(target=list, args=(turns,), daemon=True)
        reading.start()
        assert model.arrived.wait(20)
        conversation.stop()
        assert model.gone.wait(2)
        reading.join(20)
        assert conversation.turns[-1].phase is Phase.STOPPED
        assert len(model.asked) == 2


@pytest.mark.parametrize("question", REWRITTEN.values(), ids=REWRITTEN)
def test_cancelling_while_a_question_is_rewritten_ends_the_request(tmp_path: Path, question: str) -> None:
    async def read(bot: Assistant) -> None:
        async for _ in bot.astream(question, [EARLIER]):
            pass

    async def cancel(bot: Assistant, arrived: asyncio.Future[bool]) -> None:
        reading = asyncio.create_task(read(bot))
        assert await arrived
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    with model_server() as model:
        bot = writing(assistant(tmp_path, TOWN), model, rewrite_timeout=30)
        model.script = [stalls(headers=False)]

        async def main() -> None:
            arrived = asyncio.get_running_loop().run_in_executor(None, model.arrived.wait, 20)
            await cancel(bot, arrived)
            assert await asyncio.to_thread(model.gone.wait, 2)

        asyncio.run(main())
        assert len(model.asked) == 1


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelServer, SplitResult]]:
    """A model's server, and where an assistant is served whose answers it writes."""
    with model_server() as model:
        bot = writing(assistant(tmp_path_factory.mktemp("town"), TOWN), model, rewrite_timeout=30)
        bot.sync()
        with serving(bot) as url:
            yield model, urlsplit(url)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("question", [QUESTION, *REWRITTEN.values()], ids=["an answer", *REWRITTEN])
def test_a_program_that_goes_away_ends_the_request(
    served: tuple[ModelServer, SplitResult], question: str, stream: bool
) -> None:
    model, url = served
    model.script = [stalls(headers=False)]
    model.arrived.clear()
    model.gone.clear()
    turns = zip(["user", "assistant", "user"], [*EARLIER, question], strict=True)
    body = {"model": "footnote", "messages": [{"role": r, "content": c} for r, c in turns], "stream": stream}
    client = HTTPConnection(str(url.hostname), url.port)
    client.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    assert model.arrived.wait(20)
    client.close()
    assert model.gone.wait(2)
