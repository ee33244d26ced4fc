"""Folders that nobody would plan for: they are read, asked about, and answered or refused in bounded time."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import Answer, Assistant
from tests.corpora import assistant, write

FACT = "The lighthouse at Skagen was lit for the first time in 1858."
QUESTION = "When was the lighthouse at Skagen lit for the first time?"
MENU = """\
# Opening hours

| Day | Opens | Closes |
|---|---|---|
| Monday | 9:00 | 17:00 |
| Saturday | 10:00 | 14:00 |

What to bring:

- a library card
- a bag for the books
- a pencil, not a pen
"""


def reading(folder: Path, name: str, text: str) -> Assistant:
    """An assistant with the embedder that ships: confidence is fitted to its similarities."""
    return Assistant(write(folder / "corpus", {name: text}), index_dir=folder / "index")


def stands_as_cited(bot: Assistant, answer: Answer) -> bool:
    return all(bot.document(c.file).text[c.start : c.end] == c.quote for c in answer.citations)


def test_a_corpus_of_one_sentence(tmp_path: Path) -> None:
    bot = reading(tmp_path, "one.txt", FACT)
    answer = bot.ask(QUESTION)
    assert answer.status == "answered"
    assert [citation.quote for citation in answer.citations] == [FACT]
    assert bot.ask("Who wrote the opera about the miller?").status == "abstained"


def test_ten_thousand_sentences_that_are_nearly_the_same(tmp_path: Path) -> None:
    lines = [f"Locker {n} in hall {n % 7} is rented by tenant {n * 3}." for n in range(10_000)]
    bot = reading(tmp_path, "lockers.txt", "\n".join([*lines, FACT]))
    answer = bot.ask(QUESTION)
    assert FACT in [citation.quote for citation in answer.citations]
    answer = bot.ask("Which locker does tenant 12963 rent?")
    assert "Locker 4321" in answer.text
    assert stands_as_cited(bot, answer)


@pytest.mark.parametrize("filler", ["word ", "x"])
def test_one_line_of_five_megabytes(tmp_path: Path, filler: str) -> None:
    bot = assistant(tmp_path, {"line.txt": filler * (5_000_000 // len(filler)) + " " + FACT})
    answer = bot.ask(QUESTION)
    assert stands_as_cited(bot, answer)
    assert all(len(scored.chunk.text) < 2_000 for scored in answer.chunks)


def test_tables_and_lists(tmp_path: Path) -> None:
    bot = reading(tmp_path, "menu.md", MENU)
    hours = bot.ask("When does it open on Saturday?")
    assert "10:00" in hours.text
    brought = bot.ask("List what to bring.")
    items = ["What to bring:", "- a library card", "- a bag for the books", "- a pencil, not a pen"]
    assert [citation.quote for citation in brought.citations] == items
    assert stands_as_cited(bot, hours)
    assert stands_as_cited(bot, brought)


@pytest.mark.parametrize(
    "question", ["the", "of?", "🙂🎉🚀", "🙂" * 2_000, "lighthouse " * 5_000, "why " * 5_000]
)
def test_questions_that_ask_nothing(tmp_path: Path, question: str) -> None:
    answer = assistant(tmp_path, {"one.txt": FACT}).ask(question)
    assert answer.status == "abstained"
    assert answer.text
    assert not answer.citations
