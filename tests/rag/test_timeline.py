"""Files that disagree, and questions about now: with the real reader, over small folders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Chunk, ScoredChunk
from index.dates import mentions
from index.loaders import load
from rag import Answer
from rag.disagreement import sides
from rag.evidence import Evidence
from rag.question import Order, understand
from rag.timeline import by_date, origin, present
from tests.corpora import assistant
from tests.index.strategies import LAW
from tests.laws.test_answers import check

DIFFER = "The documents differ:"
OLD = (
    "---\ndate: 2021-03-01\n---\n# Harbour report 2021\n\nThe harbour master is Ida Moen. The crane works.\n"
)
NEW = "# Harbour report 2023\n\n*15 June 2023*\n\nThe harbour master is Karl Ness. The crane is broken.\n"


def ask(folder: Path, question: str, *texts: str) -> Answer:
    bot = assistant(folder, {f"{number}.md": text for number, text in enumerate(texts)})
    answer = bot.ask(question)
    check(answer, bot.corpus)
    return answer


# Disagreement


def test_both_sides_are_shown_with_title_and_date_newest_first(tmp_path: Path) -> None:
    answer = assistant(tmp_path, {"a.md": OLD, "b.md": NEW}).ask("Who is the harbour master?")
    lines = answer.text.split("\n")
    assert lines[0] == DIFFER
    assert lines[1].startswith("- Harbour report 2023 (2023-06-15): The harbour master is **Karl Ness**. [1]")
    assert lines[2].startswith("- Harbour report 2021 (2021-03-01): The harbour master is **Ida Moen**. [2]")
    assert [citation.file for citation in answer.citations] == ["b.md", "a.md"]
    assert [str(citation["date"]) for citation in answer.to_dict()["citations"]] == [
        "2023-06-15",
        "2021-03-01",
    ]
    assert [claim.text.startswith("The harbour master") for claim in answer.claims] == [True, True]


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("When was the Aldren lighthouse built?", ["The Aldren lighthouse was built in 1871.",
                                                   "The Aldren lighthouse was built in 1884."]),
        ("How many people live in Brookfield?", ["12,400 people live in Brookfield.",
                                                 "In Brookfield live 15,230 people."]),
        ("What is the maximum pressure of the X200 pump?", ["The maximum pressure of the X200 pump is 8 bar.",
                                                            "The maximum pressure of the X200 pump is 6 bar."]),
        ("Who founded Helio Labs?", ["Helio Labs was founded by Mira Stone.", "Jon Adler founded Helio Labs."]),
        ("When does the library open on Saturday?", ["The library opens on Saturday at 9 am.",
                                                     "On Saturday the library opens at 10 am."]),
    ],
)  # fmt: skip
def test_answers_that_cannot_both_be_right_are_shown_as_sides(
    tmp_path: Path, question: str, texts: list[str]
) -> None:
    answer = ask(tmp_path, question, *texts)
    assert answer.text.startswith(DIFFER)
    assert {citation.file for citation in answer.citations} == {"0.md", "1.md"}


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        pytest.param("Who met the president?", ["Ann Lee met the president.", "Bo Tang met the president."], id="both did"),
        pytest.param("When was the call?", ["The call was on November 7th.", "The call was on 7 November 2024."], id="same day"),
        pytest.param("How long was the call?", ["The call took five minutes.", "It was a 5-minute call."], id="same number"),
        pytest.param("How long does the battery last?", ["The battery lasts 2 hours.", "The battery lasts 120 minutes."], id="other units"),
        pytest.param("How many people live in Brookfield?", ["12,400 people live in Brookfield.", "About 12,000 people live in Brookfield."], id="rounded"),
        pytest.param("Where was Tomas Reyl born?", ["Tomas Reyl was born in Graz.", "Tomas Reyl was born in Austria."], id="a place in a place"),
        pytest.param("Who is Ann Lee?", ["Ann Lee is a baker from Oslo.", "Ann Lee, Minister of Trade, opened the fair."], id="two descriptions"),
        pytest.param("Who is the mayor of Karlstad?", ["The mayor of Karlstad is Lena Holm.", "Mayor Holm of Karlstad opened a bridge."], id="a name in short"),
        pytest.param("Who is the mayor of Karlstad?", ["The mayor of Karlstad is Lena Holm.", "Per Lind is a former mayor of Karlstad."], id="predecessor"),
        pytest.param("When did Ann Lee visit Oslo?", ["Ann Lee visited Oslo in 1999.", "Ann Lee visited Oslo in 2004."], id="more than once"),
        pytest.param("How many steps has the Aldren tower?", ["The Aldren tower has 91 steps.", "The Borg tower has 75 steps."], id="something else"),
    ],
)  # fmt: skip
def test_answers_that_can_both_be_right_are_not_called_a_disagreement(
    tmp_path: Path, question: str, texts: list[str]
) -> None:
    assert DIFFER not in ask(tmp_path, question, *texts).text


def test_one_file_with_both_answers_disagrees_with_none(tmp_path: Path) -> None:
    both = "The tower was built in 1871. It burnt down and was built again in 1884."
    assert DIFFER not in ask(tmp_path, "When was the tower built?", both, "The tower was built in 1884.").text


def test_sentences_with_other_numbers_are_not_one_claim(tmp_path: Path) -> None:
    answer = ask(
        tmp_path,
        "List the pressures of the pump.",
        "The highest pressure of the blue pump is 8 bar.",
        "The highest pressure of the blue pump is 6 bar.",
    )
    assert all(len(claim.citations) == 1 for claim in answer.claims)


# Time


@pytest.mark.parametrize("question", ["Who is the harbour master now?", "Who is the current harbour master?"])
def test_a_question_about_now_hears_the_newest_document_first(tmp_path: Path, question: str) -> None:
    answer = ask(tmp_path, question, OLD, NEW)
    assert answer.query == question
    assert answer.citations[0].quote == "The harbour master is Karl Ness."


def test_words_for_a_time_become_an_order() -> None:
    [now] = understand("Who runs the firm today?").parts()
    assert (now.text, now.order) == ("Who runs the firm?", Order.NEWEST)
    [first] = understand("What does the earliest report say about fish?").parts()
    assert (first.text, first.order) == ("What does the report say about fish?", Order.OLDEST)
    for text in ("What is the current of the motor?", "Which is the latest version?", "What did she know?"):
        [part] = understand(text).parts()
        assert (part.text, part.order) == (text, Order.ANY)


def test_the_question_who_it_is_does_not_want_a_former_one(tmp_path: Path) -> None:
    texts = [
        "Former mayor of Karlstad Per Lind wrote a book.",
        "Lena Holm, mayor of Karlstad, opened a bridge.",
    ]
    assert ask(tmp_path, "Who is the mayor of Karlstad?", *texts).citations[0].quote == texts[1]


def test_which_came_first_shows_both_with_their_dates(tmp_path: Path) -> None:
    answer = ask(
        tmp_path,
        "Which was built first, the lighthouse or the town hall?",
        "The lighthouse was built in 1871.",
        "The town hall was built in 1902.",
    )
    assert re.sub(r"\W+", " ", answer.text).split() == (
        [
            "The",
            "lighthouse",
            "was",
            "built",
            "in",
            "1871",
            "1",
            "The",
            "town",
            "hall",
            "was",
            "built",
            "in",
            "1902",
            "2",
        ]
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Which came first, the call or the visit?", ["When was the call?", "When was the visit?"]),
        ("Who was born later: Ann or Bo?", ["When was Ann born?", "When was Bo born?"]),
        ("Who came first or second?", ["Who came first or second?"]),
        ("Who left first, and did she stay or go?", ["Who left first, and did she stay or go?"]),
    ],
)
def test_which_of_two_came_first_asks_when_each_was(text: str, parts: list[str]) -> None:
    assert [part.text for part in understand(text).parts()] == parts


# Laws


def evidence(file: str, text: str, answer: str = "", score: float = 0.5) -> Evidence:
    """The first sentence of a document, read as it would be loaded."""
    document = load(file, text.encode())
    start = text.find(answer)
    chunk = Chunk(
        id=1, file=file, title=document.title, date=document.date, start=0, end=len(text), text=text,
        sentences=((0, len(text)),),
    )  # fmt: skip
    source = ScoredChunk(chunk=chunk, score=0.0, similarity=0.0, bm25=0.0)
    return Evidence(
        source=source,
        span=(0, len(text)),
        answer=(start, start + len(answer)) if answer else None,
        score=score,
        coverage=0.5,
    )


DATES = st.dates().filter(lambda day: 1500 < day.year < 2100)
TEXTS = st.builds(
    "{}{}\nAnn Lee ran {} ferries in {}.".format,
    st.sampled_from(["", "Posted ", "Report of "]),
    DATES.map(lambda day: day.strftime("%d %B %Y")) | DATES.map(str) | st.just("Notes"),
    st.integers(0, 3000),
    DATES.map(lambda day: day.strftime("%B %Y")) | st.just("Oslo"),
)


@LAW
@given(TEXTS)
def test_a_shown_date_stands_in_the_document(text: str) -> None:
    found = evidence("a.txt", text)
    label = origin(found)
    if found.source.chunk.date:
        assert label.endswith(f"({found.source.chunk.date})")
        assert found.source.chunk.date in {mention.date() for mention in mentions(text)}
    elif clue := re.search(r"\(mentions (.+)\)$", label):
        assert clue[1] in text


@LAW
@given(st.lists(st.tuples(TEXTS, st.floats(0, 1)), max_size=6))
def test_order_by_date_loses_nothing_and_moves_only_what_is_dated(drawn: list[tuple[str, float]]) -> None:
    given_ = [evidence("a.txt", text, score=score) for text, score in drawn]
    ordered = by_date(given_)
    assert sorted(map(repr, ordered)) == sorted(map(repr, given_))
    assert [i for i, e in enumerate(ordered) if not e.source.chunk.date] == [
        i for i, e in enumerate(given_) if not e.source.chunk.date
    ]
    dates = [item.source.chunk.date for item in ordered if item.source.chunk.date]
    assert dates == sorted(dates, reverse=True)
    scores = [item.score for item in present(understand("Who is the owner?"), given_)]
    assert scores == sorted(scores, reverse=True)


ANSWERS = st.sampled_from(
    ["1871", "in May 1871", "12 ships", "about 12", "Ann Lee", "the mayor", "Bo Tang", "8 bar", ""]
)


@LAW
@given(
    st.lists(st.tuples(st.sampled_from("abc"), ANSWERS), max_size=5),
    st.sampled_from(["When was it built?", "Who is the mayor?", "How many ships are there?", "Why?"]),
)
def test_sides_are_of_different_files_and_never_of_equal_answers(
    drawn: list[tuple[str, str]], question: str
) -> None:
    found = sides(understand(question), [evidence(f"{f}.txt", f"It was {a} there.", a) for f, a in drawn])
    files = [item.source.chunk.file for item in found]
    assert len(found) != 1
    assert len(files) == len(set(files))
    assert len({item.text for item in found}) == len(found)
