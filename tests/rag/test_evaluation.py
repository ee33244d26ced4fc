"""Scoring: metrics worked out by hand, what is judged right, the questions file, JSON and limits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import AbstainReason, Answer, Chunk, Citation, Claim, ConfigurationError, ScoredChunk
from rag.errors import QuestionsError
from rag.evaluation import Evaluation, evaluate, load_questions, read_limits, shortfalls
from rag.evaluation.judging import plain
from rag.evaluation.metrics import (
    Point,
    area,
    auroc,
    brier,
    calibration,
    calibration_error,
    coverage_at,
    reciprocal_rank,
    risk_coverage,
    wilson,
)
from tests.conftest import SEEDS
from tests.corpora import BAKERY, TOWN, write

ROOT = Path(__file__).parents[2]
BORN = "Ann Lee was born in Oslo in 1950."
OPENED = "She opened a bakery in Bergen in 1982."
BREAD = "The bakery sells rye bread and cinnamon buns."


# Metrics


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_intervals_of_the_literature(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nothing_can_be_anything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_in_its_interval(of: tuple[int, int]) -> None:
    hits, n = of
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n + 1e-9
    assert hits / n - 1e-9 <= high <= 1


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        ([0.9, 0.8], [0.1, 0.2], 1.0),
        ([0.1], [0.9], 0.0),
        ([0.5, 0.5], [0.5], 0.5),
        ([0.9, 0.5, 0.2], [0.5, 0.1], 4.5 / 6),
        ([], [0.5], None),
        ([0.5], [], None),
    ],
    ids=["apart", "the wrong way", "all tied", "one tie", "no positive", "no negative"],
)
def test_auroc(positive: list[float], negative: list[float], expected: float | None) -> None:
    assert auroc(positive, negative) == (expected if expected is None else pytest.approx(expected))


scores = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=12)


@given(scores, scores)
def test_auroc_is_the_share_of_pairs_in_order(positive: list[float], negative: list[float]) -> None:
    pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    assert auroc(positive, negative) == pytest.approx(sum(pairs) / len(pairs))


def test_reciprocal_rank() -> None:
    assert reciprocal_rank([1, 4, None, 2]) == pytest.approx((1 + 1 / 4 + 0 + 1 / 2) / 4)
    assert reciprocal_rank([]) is None


def test_risk_and_coverage_at_each_confidence() -> None:
    given_answers = [(0.7, False), (0.9, True), (0.7, True), (0.6, True), (0.5, False)]
    points = risk_coverage(given_answers, answerable=4)
    assert points == [
        Point(0.9, 1 / 4, 0.0),
        Point(0.7, 2 / 4, pytest.approx(1 / 3)),  # type: ignore[arg-type]  # two answers tie
        Point(0.6, 3 / 4, pytest.approx(1 / 4)),  # type: ignore[arg-type]
        Point(0.5, 3 / 4, pytest.approx(2 / 5)),  # type: ignore[arg-type]
    ]
    assert coverage_at(points, 0.9) == 1 / 4
    assert coverage_at(points, 0.75) == 3 / 4
    assert coverage_at(points, 1.1) == 0
    assert area(points) == pytest.approx(1 / 4 * 1 + 1 / 4 * 2 / 3 + 1 / 4 * 3 / 4)


def test_no_answer_covers_nothing() -> None:
    assert risk_coverage([], 3) == []
    assert coverage_at([], 0.9) == area([]) == 0
    assert risk_coverage([(0.9, False)], 0) == [Point(0.9, 0.0, 1.0)]


def test_calibration() -> None:
    given_answers = [(0.95, True), (0.91, False), (1.0, True), (0.6, True), (0.0, False)]
    bins = calibration(given_answers)
    assert [each.n for each in bins] == [1, 0, 0, 0, 0, 0, 1, 0, 0, 3]
    assert bins[9].confidence == pytest.approx(2.86 / 3)
    assert bins[9].right == pytest.approx(2 / 3)
    assert calibration_error(bins) == pytest.approx((3 * (2.86 / 3 - 2 / 3) + 0.4 + 0) / 5)
    assert brier(given_answers) == pytest.approx((0.05**2 + 0.91**2 + 0 + 0.4**2 + 0) / 5)


def test_nothing_is_neither_calibrated_nor_not() -> None:
    assert calibration_error(calibration([])) is None
    assert brier([]) is None


# A fake assistant, and an evaluation that can be worked out by hand


def citation(number: int, quote: str, *, shift: int = 0) -> Citation:
    start = BAKERY.index(quote) + shift
    return Citation(
        number=number,
        file="bakery.txt",
        title="",
        page=None,
        start=start,
        end=start + len(quote),
        quote=quote,
    )


def chunk(quote: str) -> ScoredChunk:
    start = BAKERY.index(quote)
    made = Chunk(
        id=start,
        file="bakery.txt",
        title="",
        start=start,
        end=start + len(quote),
        text=quote,
        sentences=((start, start + len(quote)),),
    )
    return ScoredChunk(chunk=made, score=1.25, similarity=0.5, bm25=2.0)


def answer(
    text: str = "",
    *,
    confidence: float = 0.8,
    citations: Sequence[Citation] = (),
    claims: Sequence[tuple[int, ...]] = ((1,),),
    chunks: Sequence[str] = (),
) -> Answer:
    """An answer whose claims have such citations; an abstention without a text."""
    return Answer(
        text=text or "The documents say nothing about this.",
        status="answered" if text else "abstained",
        abstain_reason=None if text else AbstainReason.NOT_FOUND,
        confidence=confidence,
        claims=tuple(
            Claim(text=text, start=0, end=len(text), citations=numbers, verdict="supported")
            for numbers in (claims if text else ())
        ),
        citations=tuple(citations),
        question="",
        query="",
        chunks=tuple(map(chunk, chunks)),
        engine="fake",
    )


class FakeAssistant:
    """Gives the answer that is written down for a question."""

    engine = "fake"

    def __init__(self, corpus: Path, answers: Mapping[str, Answer]) -> None:
        self.corpus, self.answers = corpus, answers
        self.asked: list[tuple[str, Sequence[tuple[str, str]]]] = []

    def ask(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Answer:
        self.asked.append((question, history))
        return self.answers[question]


CASES: list[dict[str, Any]] = [
    {
        "question": "When?",
        "answerable": True,
        "contains": ["1950", ["Oslo", "Bergen"]],
        "evidence": [{"file": "bakery.txt", "quote": BORN}],
        "type": "fact",
    },
    {"question": "What?", "answerable": True, "contains": ["rye"], "type": "fact"},
    {
        "question": "Where?",
        "answerable": True,
        "evidence": [{"file": "bakery.txt", "quote": OPENED}],
        "history": [["Who?", "Ann Lee."]],
    },
    {"question": "Why?", "answerable": False, "id": "why"},
    {"question": "How?", "answerable": False},
]
ANSWERS = {
    "When?": answer(
        "**Ann Lee** was born in oslo in 1950. [1]",
        confidence=0.9,
        citations=[citation(1, BORN)],
        chunks=[BREAD, BORN],
    ),
    "What?": answer(
        "Buns. [1]", confidence=0.6, citations=[citation(1, BREAD, shift=1)], claims=[(1,), (), (2,)]
    ),
    "Where?": answer(confidence=0.3, chunks=[OPENED]),
    "Why?": answer(confidence=0.1),
    "How?": answer("By hand. [1]", confidence=0.7, citations=[citation(1, BREAD)]),
}


def questions_file(folder: Path, *cases: Mapping[str, Any]) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases), encoding="utf-8")
    return path


def run(
    folder: Path, cases: Sequence[Mapping[str, Any]], answers: Mapping[str, Answer] = ANSWERS
) -> Evaluation:
    bot = FakeAssistant(write(folder / "corpus", TOWN), answers)
    return evaluate(bot, load_questions(questions_file(folder, *cases)))  # type: ignore[arg-type]


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    return run(tmp_path, CASES)


def test_every_figure(evaluation: Evaluation) -> None:
    figures = {name: (figure.value, figure.n) for name, figure in evaluation.figures.items()}
    timed = {name: figures.pop(name) for name in ("median_ms", "p95_ms")}
    assert figures == {
        "right": (1 / 3, 3),
        "said": (1 / 2, 2),
        "cited": (1 / 2, 2),
        "follow_ups_right": (0, 1),
        "refused": (1 / 2, 2),
        "wrongly_refused": (1 / 3, 3),
        "auroc": (4 / 6, 5),
        "coverage_at_90": (pytest.approx(1 / 3), 3),
        "area": (pytest.approx(1 / 3), 3),
        "ece": (pytest.approx((0.1 + 0.7 + 0.6) / 3), 3),
        "brier": (pytest.approx((0.01 + 0.49 + 0.36) / 3), 3),
        "citations_verbatim": (2 / 3, 3),
        "claims_cited": (3 / 5, 5),
        "found_in_1": (1 / 2, 2),
        "found_in_3": (1, 2),
        "found_in_8": (1, 2),
        "mrr": (0.75, 2),
        "quoted_words": (8, 3),
    }
    assert all(value is not None and value >= 0 and n == 5 for value, n in timed.values())


def test_each_type_has_figures_of_its_own(evaluation: Evaluation) -> None:
    assert list(evaluation.types) == ["fact", "other"]
    assert (evaluation.handled("fact"), evaluation.handled("other")) == ((1, 2), (1, 3))
    assert evaluation.types["fact"]["right"].value == 1 / 2
    assert evaluation.types["fact"]["refused"].value is None


def test_shares_have_an_interval_and_values_stay_on_the_scale(evaluation: Evaluation) -> None:
    for figure in evaluation.figures.values():
        assert (figure.low is not None) == (figure.unit == "share")
        if figure.unit in ("share", "score"):
            assert figure.value is not None
            assert 0 <= figure.value <= 1
        if figure.low is not None:
            assert figure.low <= (figure.value or 0) <= (figure.high or 0)


def test_history_goes_along_and_progress_is_told(tmp_path: Path) -> None:
    bot, told = FakeAssistant(write(tmp_path / "corpus", TOWN), ANSWERS), []
    questions = load_questions(questions_file(tmp_path, *CASES))
    evaluate(bot, questions, lambda done, total: told.append((done, total)))  # type: ignore[arg-type]
    assert [question for question, _ in bot.asked] == ["When?", "When?", "What?", "Where?", "Why?", "How?"]
    assert bot.asked[3][1] == (("Who?", "Ann Lee."),)
    assert told == [(number, 5) for number in range(1, 6)]


@pytest.mark.parametrize(
    ("text", "item", "said"),
    [
        ("In 1982, she did. [1]", "1982", True),
        ("In 1982 [50]", "50", False),
        ("It has 1,500 beds.", "500", True),
        ("It has 1500 beds.", "500", False),
        ("a **five**\\-minute call", "Five-Minute", True),
        ("the “big” one’s", '"big" one\'s', True),
        ("snow\\_white \\[sic\\]", "snow_white [sic]", True),
        ("東京タワーです", "東京", True),
        ("café  au\nlait", "cafe\u0301 au lait", True),
        ("unsupported", "supported", False),
        ("50 % (half)", "(half)", True),
    ],
)
def test_an_item_stands_in_an_answer_as_whole_words(tmp_path: Path, text: str, item: str, said: bool) -> None:
    case = {"question": "Q", "answerable": True, "contains": [item]}
    scored = run(tmp_path, [case], {"Q": answer(text, citations=[citation(1, BREAD)])})
    assert scored.outcomes[0].said == scored.outcomes[0].right == said


@pytest.mark.parametrize(
    ("cited", "quote", "hit"),
    [
        (BORN, BORN, True),
        (BAKERY, "Oslo", True),
        ("Oslo", BORN, True),
        ("in 1950. She", BORN, True),
        ("1950. She opened", BORN, False),
        (OPENED, BORN, False),
    ],
)
def test_a_citation_overlaps_evidence_by_half_of_the_shorter(
    tmp_path: Path, cited: str, quote: str, hit: bool
) -> None:
    case = {"question": "Q", "answerable": True, "evidence": [{"file": "bakery.txt", "quote": quote}]}
    scored = run(tmp_path, [case], {"Q": answer("So. [1]", citations=[citation(1, cited)])})
    assert scored.outcomes[0].cited == scored.outcomes[0].right == hit


def test_a_quote_is_held_against_the_file_and_not_the_index(tmp_path: Path) -> None:
    write(tmp_path / "corpus", TOWN)
    gone = citation(1, BORN)
    moved = Citation(number=2, file="gone.txt", title="", page=None, start=0, end=3, quote="Ann")
    empty = Citation(number=3, file="bakery.txt", title="", page=None, start=4, end=4, quote="")
    case = {"question": "Q", "answerable": True, "contains": ["so"]}
    scored = run(
        tmp_path, [case], {"Q": answer("So. [1][2][3]", citations=[gone, moved, empty], claims=[(1, 2, 3)])}
    )
    assert scored.outcomes[0].altered == (2, 3)


def test_an_answer_that_claims_nothing_has_not_cited_its_claims(tmp_path: Path) -> None:
    case = {"question": "Q", "answerable": True, "contains": ["so"]}
    scored = run(tmp_path, [case], {"Q": answer("So it is.", claims=[])})
    assert (scored.figures["claims_cited"].value, scored.figures["claims_cited"].n) == (0, 1)


def test_plain_text_of_an_answer() -> None:
    assert plain("**A**\\* b [1][22]. \\[3\\] C:\\dir") == "A* b . [3] C:\\dir"


def test_the_json_keeps_its_shape(evaluation: Evaluation) -> None:
    data = json.loads(json.dumps(evaluation.to_dict()))
    assert list(data) == [
        "format",
        "footnote",
        "questions",
        "corpus",
        "engine",
        "figures",
        "types",
        "curve",
        "bins",
        "outcomes",
    ]
    assert data["format"] == 1
    assert list(data["figures"]["right"]) == ["value", "n", "low", "high", "unit"]
    assert list(data["types"]["fact"]) == ["n", "handled_right", "figures"]
    assert list(data["curve"][0]) == ["confidence", "coverage", "risk"]
    assert list(data["bins"][0]) == ["low", "high", "n", "confidence", "right"]
    assert " ".join(data["outcomes"][0]) == (
        "line question answerable history contains evidence id type right said cited rank missing altered "
        "uncited milliseconds quoted_words answer chunks"
    )
    assert [outcome["id"] for outcome in data["outcomes"]] == ["line 1", "line 2", "line 3", "why", "line 5"]
    assert data["outcomes"][0]["contains"] == [["1950"], ["Oslo", "Bergen"]]
    assert " ".join(data["outcomes"][0]["answer"]) == (
        "text status abstain_reason confidence query claims citations"
    )
    assert " ".join(data["outcomes"][0]["chunks"][0]) == "file start end score similarity bm25"


# The questions file


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("when?", "it is not JSON"),
        ("[1]", "object"),
        ("{}", "question is missing"),
        ('{"question": "Q"}', "answerable is missing"),
        ('{"question": " ", "answerable": false}', "question is blank"),
        ('{"question": "Q", "answerable": "yes"}', "answerable must be true or false"),
        ('{"question": "Q", "answerable": 1}', "answerable must be true or false"),
        ('{"question": "Q", "answerable": false, "anser": 1}', "anser is not a key"),
        ('{"question": "Q", "answerable": true}', "needs `contains`, `evidence` or both"),
        ('{"question": "Q", "answerable": false, "contains": ["x"]}', "takes neither"),
        ('{"question": "Q", "answerable": true, "contains": "x"}', "contains must be a list"),
        ('{"question": "Q", "answerable": true, "contains": [7]}', "contains.0 must be a list"),
        ('{"question": "Q", "answerable": true, "contains": [[]]}', "contains.0"),
        ('{"question": "Q", "answerable": true, "contains": [["x", 7]]}', "contains.0.1 must be a string"),
        ('{"question": "Q", "answerable": true, "evidence": [{"file": "a"}]}', "evidence.0.quote is missing"),
        (
            '{"question": "Q", "answerable": true, "evidence": [{"file": "a", "quote": " "}]}',
            "evidence.0.quote is blank",
        ),
        (
            '{"question": "Q", "answerable": true, "evidence": [{"file": "a", "quote": "b", "page": 1}]}',
            "evidence.0.page is not a key",
        ),
        ('{"question": "Q", "answerable": false, "history": [["a"]]}', "history.0.1 is missing"),
        ('{"question": "Q", "answerable": false, "history": [["a", "b", "c"]]}', "history.0"),
        ('{"question": "Q", "answerable": false, "history": [["a", null]]}', "history.0.1 must be a string"),
        ('{"question": "\\ud800", "answerable": false}', "it is not JSON"),
        ('{"question": "Q", "answerable": false, "id": "first"}', "the id 'first' is that of line 1"),
    ],
)
def test_a_wrong_line_is_named_in_one_sentence(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(f'{{"question": "Q", "answerable": false, "id": "first"}}\n\n{line}\n')
    with pytest.raises(QuestionsError) as raised:
        load_questions(path)
    message = str(raised.value)
    assert message.startswith(f"{path}, line 3: ")
    assert said in message
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "no questions"), (b"\n \n", "no questions"), (b'{"question": "\xff"}', "not UTF-8")],
)
def test_a_file_without_questions(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(content)
    with pytest.raises(QuestionsError, match=rf"mine\.jsonl.* {said}"):
        load_questions(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(QuestionsError, match="cannot be read"):
            load_questions(path)


def test_a_byte_order_mark_and_odd_line_ends_are_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"question": "A\xe2\x80\xa8B", "answerable": false}\r\n\r\n{"question": "C", "answerable": false}'
    )
    assert {line: case.question for line, case in load_questions(path).cases.items()} == {
        1: "A\u2028B",
        3: "C",
    }


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"file": "nowhere.txt", "quote": "x"}, "no readable file nowhere.txt"),
        (
            {"file": "bakery.txt", "quote": "Ann Lee was born  in Oslo, far away"},
            "the quote “Ann Lee was born  in Oslo, far…” does not",
        ),
        ({"file": "bakery.txt", "quote": "ann lee"}, "“ann lee” does not stand in bakery.txt"),
    ],
)
def test_evidence_that_is_not_there_is_named_before_anything_is_asked(
    tmp_path: Path, source: dict[str, str], said: str
) -> None:
    bot = FakeAssistant(write(tmp_path / "corpus", TOWN), ANSWERS)
    wrong = {"question": "When?", "answerable": True, "evidence": [source]}
    questions = load_questions(questions_file(tmp_path, *CASES, wrong))
    with pytest.raises(QuestionsError, match=r"questions\.jsonl, line 6: .*\.$") as raised:
        evaluate(bot, questions)  # type: ignore[arg-type]
    assert said in str(raised.value)
    assert not bot.asked


def test_the_questions_that_ship_fit_the_seeds() -> None:
    questions = load_questions(ROOT / "tests" / "questions.jsonl")
    texts = {path.name: path.read_text("utf-8-sig") for path in SEEDS.glob("*.txt")}
    assert 40 <= len(questions.cases) <= 80
    for case in questions.cases.values():
        assert all(source.quote in texts[source.file] for source in case.evidence), case.question
        if case.answerable:
            assert case.contains
            assert case.evidence


# Limits


def test_what_falls_short_is_named(evaluation: Evaluation) -> None:
    limits = read_limits(["right=0.33", "refused=0.6"], ["wrongly_refused=0.3", "quoted_words=8"])
    assert shortfalls(evaluation.figures, limits) == [
        "citations_verbatim is 0.6666, below 1",
        "claims_cited is 0.6, below 1",
        "refused is 0.5, below 0.6",
        "wrongly_refused is 0.3333, above 0.3",
    ]


def test_a_figure_without_measure_falls_short_of_a_limit_but_breaks_no_law(tmp_path: Path) -> None:
    figures = run(tmp_path, [{"question": "Why?", "answerable": False}]).figures
    assert shortfalls(figures, []) == []
    assert shortfalls(figures, read_limits(["right=0"])) == ["right has nothing to be measured on"]


@pytest.mark.parametrize(
    ("under", "over", "said"),
    [
        ("rihgt=0.5", None, "no figure 'rihgt'; there are right, said"),
        ("right", None, "give a number, as in right=0.5"),
        ("right=half", None, "give a number"),
        ("right=nan", None, "give a number"),
        ("ece=0.1", None, "less of ece is better, so use --fail-over"),
        (None, "right=0.5", "more of right is better, so use --fail-under"),
    ],
)
def test_a_limit_that_makes_no_sense(under: str | None, over: str | None, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_limits([under] if under else [], [over] if over else [])
    assert said in str(raised.value)
    assert str(raised.value).endswith(".")
