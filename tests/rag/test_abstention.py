"""The gate: what is sure enough to be said, and what a refusal tells a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import AbstainReason, Assistant, Settings
from rag.abstention import GATES, confidence_in, judge
from rag.question import understand
from rag.types import Gate
from tests.corpora import TOWN, write
from tests.rag.test_question import evidence

GATE_NAMES: list[Gate] = ["eager", "balanced", "cautious"]
chances = st.floats(0, 1)


@given(scores=st.lists(chances, max_size=5))
def test_a_more_cautious_gate_never_answers_more(scores: list[float]) -> None:
    found = [evidence(number, score) for number, score in enumerate(sorted(scores, reverse=True))]
    judged = [judge(understand("Who is it?"), found, gate) for gate in GATE_NAMES]
    answered = [judgement.reason is None for judgement in judged]
    assert answered == sorted(answered, reverse=True)
    assert len({judgement.confidence for judgement in judged}) == 1


@given(one=chances, other=chances)
def test_confidence_grows_with_the_best_sentence_and_stays_a_chance(one: float, other: float) -> None:
    low, high = sorted((one, other))
    less, more = (confidence_in(understand("Who is it?"), evidence(0, score)) for score in (low, high))
    assert 0 <= less <= more <= 1


def test_the_gates_stand_in_order() -> None:
    assert [GATES[gate] for gate in GATE_NAMES] == sorted(GATES.values())


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gate")
    write(folder / "corpus", TOWN)
    return folder


def test_a_setting_decides_how_sure_an_answer_must_be(corpus: Path) -> None:
    question = "Who built the lighthouse, and what for?"
    given = {
        gate: Assistant(corpus / "corpus", index_dir=corpus / "index", settings=Settings(gate=gate)).ask(
            question
        )
        for gate in GATE_NAMES
    }
    confidences = {answer.confidence for answer in given.values()}
    assert all(0 <= confidence <= 1 for confidence in confidences)
    claims = [len(given[gate].claims) for gate in GATE_NAMES]
    assert claims == sorted(claims, reverse=True)


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("When did Napoleon visit Bergen?", ["Napoleon"]),
        ("Which tractors did Volvo sell to Peru in 1931?", ["Volvo", "Peru", "1931"]),
        ("What did Ann Lee sing before 1931?", []),
    ],
)
def test_a_refusal_names_what_is_nowhere_in_the_documents(
    corpus: Path, question: str, named: list[str]
) -> None:
    bot = Assistant(corpus / "corpus", index_dir=corpus / "index", settings=Settings(gate="cautious"))
    answer = bot.ask(question)
    assert answer.status == "abstained"
    assert answer.abstain_reason in (AbstainReason.NOT_FOUND, AbstainReason.NOT_ANSWERED)
    assert [
        name for name in ("Napoleon", "Volvo", "Peru", "1931", "Ann", "Bergen") if name in answer.text
    ] == named
