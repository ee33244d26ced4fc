"""Stop, on the page: at once for the person, and soon for the model's server."""

from __future__ import annotations

from pathlib import Path

from tests.corpora import TOWN, assistant
from tests.model_server import event, model_server, stalls, writing
from ui.conversation import Conversation, Phase

QUESTION = "Who was born in Oslo in 1950?"


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
