"""Any window, any name, too long a past; and questions that nothing answers, put to a model that answers all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag import Assistant
from tests.corpora import TOWN, assistant
from tests.laws.test_answers import check
from tests.model_server import Handler, ModelServer, Reply, fails, model_server, says, writing

QUESTION, BORN = "When was she born?", "Ann Lee was born in Oslo in 1950."
LONG_PAST = [("Who came " + "and went " * 20_000, "Many. [1] " * 20_000)] * 50
PAST = [*LONG_PAST, ("Who opened a bakery?", "Ann Lee opened a bakery. [1]")]
SUBJECTS = ["Napoleon", "the queen of Spain", "a solar panel", "Mozart", "the moon"]
UNANSWERED = [
    "When did {} leave Vienna?",
    "How many ships did {} lose?",
    "Why is {} so expensive?",
    "Who painted {} in the garden?",
    "What colour was {} at night?",
    "How does {} work under water?",
    "Which prize did {} win?",
    "Where is {} kept today?",
    "How heavy is {} without wheels?",
    "Who sued {} for fraud?",
]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant(tmp_path_factory.mktemp("town"), TOWN)


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


def holds(window: int) -> Reply:
    """Answer, but refuse prompts that are too long, as servers do."""

    def reply(handler: Handler) -> None:
        messages = handler.server.model.asked[-1]["messages"]
        fits = sum(len(message["content"]) for message in messages) / 4 < window
        (says(BORN) if fits else fails(400, "context_length_exceeded", "too long"))(handler)

    return reply


@pytest.mark.parametrize("name", ["gpt-99-turbo", "qwen/東京:latest ✨", "a" * 300])
@pytest.mark.parametrize("window", [4_000, 32_000, 200_000])
def test_any_window_and_any_name_do_after_the_longest_past(
    town: Assistant, model: ModelServer, window: int, name: str
) -> None:
    model.script = [holds(window)]
    answer = writing(town, model, context_window=window, model=name).ask(QUESTION, PAST)
    check(answer, town.corpus)
    assert (answer.text, answer.engine) == (f"{BORN} [1]", name)
    assert {asked["model"] for asked in model.asked} == {name}
    assert len(model.asked) <= 3


def test_a_window_smaller_than_we_were_told_is_found_in_few_requests(
    town: Assistant, model: ModelServer
) -> None:
    model.script = [holds(100)]
    answer = writing(town, model).ask(QUESTION, PAST)
    assert answer.engine == "extractive"
    assert any("does not fit" in notice for notice in answer.notices)
    assert len(model.asked) <= 3


@pytest.mark.parametrize("written", [False, True], ids=["in the documents' words", "by a model"])
def test_what_nothing_answers_is_not_answered(town: Assistant, model: ModelServer, written: bool) -> None:
    model.script = [says("Certainly: it happened in 1815 [1]. Everybody in Vienna knows that [2].")]
    bot = writing(town, model) if written else town
    questions = [form.format(subject) for form in UNANSWERED for subject in SUBJECTS]
    answers = [bot.ask(question) for question in questions]
    given = [answer.question for answer in answers if answer.status != "abstained"]
    assert len(given) <= len(questions) / 20, given
    for answer in answers:
        check(answer, town.corpus)
        assert "1815" not in answer.text
