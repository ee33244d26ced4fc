"""A turn in each of its phases, and the source pane."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag import Claim, Document
from rag.types import Verdict
from tests.browser.fakes import FILES, KEEPER, LIGHTHOUSE, FakeAssistant
from tests.ui.test_markup import Reader
from ui import source
from ui.conversation import Conversation, Passage, Phase, Turn
from ui.render import conversation_html, plain, turn_html
from ui.starters import starters


def turn(question: str) -> Turn:
    conversation = Conversation()
    for _ in conversation.ask(FakeAssistant(Path("corpus")), question):
        pass
    return conversation.turns[0]


def words(markup: str) -> str:
    return Reader(markup).text


def classes(markup: str) -> list[str]:
    return [attributes.get("class") or "" for _, attributes in Reader(markup).tags]


def test_an_answer_names_its_footnotes_and_sources() -> None:
    markup = turn_html(turn("plain question"))
    assert "Footnote 1 opens Harbour log" in words(markup)
    assert classes(markup).count("footnote open-cite-1-1") == 1
    assert classes(markup).count("open other open-cite-1-2") == 1
    assert "0.01 s" in words(markup)
    assert "Searched for" not in words(markup)


def test_a_file_is_one_source_that_opens_each_of_its_passages() -> None:
    markup = turn_html(turn("plain question"))
    rows = [attributes for tag, attributes in Reader(markup).tags if tag == "li"]
    assert len(rows) == 1
    assert words(markup).count("harbour/log.txt") == 3  # once as a source, twice for the clipboard


def test_a_marker_looks_like_the_verdict_of_its_own_claim() -> None:
    asked = turn("plain question")
    assert asked.answer is not None
    verdicts: list[Verdict] = ["weak", "unsupported", "supported"]
    text = "So [1][2]. Perhaps [1]. And so [2]."
    cited = [(1, 2), (1,), (2,)]
    asked.answer = replace(
        asked.answer,
        text=text,
        claims=tuple(
            Claim(text="So", start=0, end=2, citations=numbers, verdict=verdict, reason="Because.")
            for numbers, verdict in zip(cited, verdicts, strict=True)
        ),
    )
    markers = [name for name in classes(turn_html(asked)) if name.startswith("footnote")]
    assert markers == [
        "footnote weak open-cite-1-1",
        "footnote weak open-cite-1-2",
        "footnote unsupported open-cite-1-1",
        "footnote open-cite-1-2",
    ]
    passage = asked.passage("cite", 1)
    assert passage is not None
    opened = words(source.document_view(Document(file="f", text="So", title="t"), passage))
    assert "Loosely supported: “So” Because." in opened
    assert "Not supported: “So” Because." in opened


def test_an_abstention_offers_near_misses() -> None:
    markup = turn_html(turn("none of it"))
    assert "turn done abstained" in classes(markup)
    assert "Closest, but not an answer" in words(markup)


def test_an_unfinished_turn_opens_nothing() -> None:
    waiting = Turn(number=1, question="q", text="So [1] and [")
    assert "footnote pending" in classes(turn_html(waiting))
    assert not any(name.startswith("open") for name in classes(turn_html(waiting)))
    waiting.stop()
    assert "Stopped" in words(turn_html(waiting))


def test_a_crash_shows_a_number_and_nothing_of_the_exception(caplog: pytest.LogCaptureFixture) -> None:
    crashed = turn("crash now")
    assert crashed.phase is Phase.INTERRUPTED
    assert crashed.error in caplog.text
    assert f"error {crashed.error} in the log" in words(turn_html(crashed))
    assert "secret" not in turn_html(crashed)


def test_plain_text_for_the_clipboard() -> None:
    answer = turn("plain question").answer
    assert answer is not None
    assert plain(answer).endswith(f"Sources\n[1] Harbour log (harbour/log.txt): “{LIGHTHOUSE}”\n"
                                  f"[2] Harbour log (harbour/log.txt): “{KEEPER}”")  # fmt: skip


def test_only_the_latest_turn_stands_apart() -> None:
    conversation, bot = Conversation(), FakeAssistant(Path("corpus"))
    for question in ("first", "second", "third"):
        list(conversation.ask(bot, question))
    earlier, latest = conversation_html(conversation)
    assert classes(earlier).count("question") == 2
    assert "third" in words(latest)
    assert conversation.undo() == "third"
    assert conversation_html(Conversation()) == ('<div class="turns"></div>', "")


def test_a_stopped_turn_takes_nothing_more() -> None:
    conversation, bot = Conversation(), FakeAssistant(Path("corpus"))
    turns = conversation.ask(bot, "slow question")
    next(turns)
    conversation.stop()
    assert [each.phase for each in turns] == []
    assert conversation.turns[0].phase is Phase.STOPPED
    list(conversation.ask(bot, "plain question"))
    assert bot.histories[-1] == []


def test_a_passage_is_lit_where_it_is_or_where_it_moved() -> None:
    text = FILES["harbour/log.txt"]
    start = text.index(LIGHTHOUSE)
    passage = Passage("harbour/log.txt", start, start + len(LIGHTHOUSE), LIGHTHOUSE)
    for shifted in (text, "More. " + text):
        markup = source.document_view(Document(file="a", text=shifted, title="t"), passage)
        assert f"{_escaped(LIGHTHOUSE)}</mark>" in markup
        assert shifted in words(markup)
    gone = source.document_view(Document(file="a", text="New.", title="t"), passage)
    assert "<mark" not in gone
    assert "has changed since" in words(gone)


def test_a_huge_document_is_shown_around_its_passage() -> None:
    text = "a" * 900_000 + LIGHTHOUSE + "b" * 900_000
    passage = Passage("f", 900_000, 900_000 + len(LIGHTHOUSE), LIGHTHOUSE)
    markup = source.document_view(
        Document(file="f", text=text, title="t", page_starts=(0, 5, 950_000)), passage
    )
    assert f"{_escaped(LIGHTHOUSE)}</mark>" in markup
    assert "700,000 more characters" in words(markup)
    assert "f, page 2" in words(markup)
    assert len(words(markup)) < 401_000


def test_a_long_list_of_files_says_what_it_leaves_out() -> None:
    titles = [(f"{n}.txt", f"t{n}") for n in range(1_302)]
    skipped = {f"{n}.bin": "a binary file" for n in range(150)}
    shown = words(source.file_list(titles, skipped))
    assert "and 1,002 more, searched" in shown
    assert "and 50 more, not searched" in shown


def test_what_is_not_searched_is_listed_with_the_reason() -> None:
    shown = words(source.file_list([], {"<b>.pdf": "it is encrypted"}))
    assert "no text that can be searched" in shown
    assert "Not searched" in shown
    assert "<b>.pdf it is encrypted" in shown
    assert "Not searched" not in words(source.file_list([("a.txt", "A")], {}))


def test_where_each_page_begins_is_shown_and_the_passage_stays_whole() -> None:
    text = "One.\f" + LIGHTHOUSE + "\fThree."
    document = Document(file="f.pdf", text=text, title="t", page_starts=(0, 5, 6 + len(LIGHTHOUSE)))
    shown = words(source.document_view(document, Passage("f.pdf", 5, 5 + len(LIGHTHOUSE), LIGHTHOUSE)))
    assert "f.pdf, page 2" in shown
    assert LIGHTHOUSE in shown
    assert [shown.count(f"Page {number}") for number in (1, 2, 3, 4)] == [1, 1, 1, 0]
    blank = Document(file="f.pdf", text="One.\n\nThree.", title="t", page_starts=(0, 6, 6))
    shown = words(source.document_view(blank, None))
    assert [shown.count(f"Page {number}") for number in (1, 2, 3)] == [1, 0, 1]


def test_starters_come_from_the_documents() -> None:
    texts = {"a": "Anna Karlsson wrote.", "b": "To Anna Karlsson, from Otto Berg.", "c": "nothing"}
    documents = [Document(file=f, text=t, title=f"Title {f}") for f, t in texts.items()]
    assert starters(documents) == [
        "What are these files about?",
        "What do the files say about Anna Karlsson?",
        "What does “Title a” say?",
        "What does “Title b” say?",
    ]
    assert starters([]) == []


def _escaped(text: str) -> str:
    return text.replace(".", "&#46;")
