"""The contract of `Assistant` and `ask`, and what odd folders, files and questions do to it."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import index.sync
import rag
from index import EmbedderError
from index.embedding import Kind, Vectors
from index.folder import Entry
from rag import (
    AbstainReason,
    Answer,
    Assistant,
    Completed,
    CorpusError,
    Event,
    Retrieved,
    Settings,
    StoreError,
    TextDelta,
    shipped_seeds,
)
from tests.conftest import SEEDS
from tests.corpora import BAKERY, TOWN, assistant, write
from tests.fakes import HashEmbedder, HeldEmbedder
from tests.waiting import SECONDS, threads, until

QUESTION = "Who was born in Oslo in 1950?"
ELSEWHERE = "What is the boiling point of tungsten?"
FIELDS = {
    "text",
    "status",
    "abstain_reason",
    "confidence",
    "claims",
    "citations",
    "question",
    "query",
    "chunks",
}
FIELDS |= {"engine", "timings_ms", "usage", "notices"}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant(tmp_path_factory.mktemp("town"), TOWN)


def lasting(answer: Answer) -> dict[str, object]:
    """All of an answer but how long it took."""
    return {name: value for name, value in answer.to_dict().items() if name != "timings_ms"}


# Asking


def test_an_answer_is_cited_and_says_what_it_was_asked(bot: Assistant) -> None:
    answer = bot.ask(f" {QUESTION} ")
    assert answer.status == "answered"
    assert answer.abstain_reason is None
    assert answer.question == f" {QUESTION} "
    assert answer.query == QUESTION
    assert answer.engine == "extractive"
    assert answer.citations[0].quote == "Ann Lee was born in Oslo in 1950."
    assert (answer.citations[0].file, answer.citations[0].page) == ("bakery.txt", None)
    assert answer.citations[0].title == "The bakery of Bergen"
    assert "[1]" in answer.text
    assert answer.timings_ms["total"] > 0


def test_what_is_not_there_is_not_answered(bot: Assistant) -> None:
    answer = bot.ask(ELSEWHERE)
    assert answer.status == "abstained"
    assert answer.abstain_reason in (AbstainReason.NOT_FOUND, AbstainReason.NOT_ANSWERED)
    assert not answer.citations
    assert not answer.claims
    assert answer.chunks, "the nearest passages are offered all the same"


def test_a_stream_is_what_was_retrieved_then_text_then_the_answer(bot: Assistant) -> None:
    first, *deltas, last = bot.stream(QUESTION)
    assert isinstance(first, Retrieved)
    assert isinstance(last, Completed)
    assert deltas
    assert all(isinstance(delta, TextDelta) for delta in deltas)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == last.answer.text
    assert (first.query, first.chunks) == (last.answer.query, last.answer.chunks)
    assert lasting(last.answer) == lasting(bot.ask(QUESTION))


def test_an_abstention_streams_too(bot: Assistant) -> None:
    first, *deltas, last = bot.stream("")
    assert isinstance(first, Retrieved)
    assert isinstance(last, Completed)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == last.answer.text != ""


def test_async_gives_the_same(bot: Assistant) -> None:
    async def collect() -> tuple[Answer, list[Event]]:
        return await bot.aask(QUESTION), [event async for event in bot.astream(QUESTION)]

    answer, events = asyncio.run(collect())
    assert isinstance(events[0], Retrieved)
    assert isinstance(events[-1], Completed)
    assert lasting(answer) == lasting(events[-1].answer) == lasting(bot.ask(QUESTION))


def test_a_stream_that_is_dropped_spoils_nothing(bot: Assistant) -> None:
    events = bot.stream(QUESTION)
    next(events)
    del events
    assert bot.ask(QUESTION).status == "answered"


def test_history_completes_a_question_and_nothing_is_remembered(bot: Assistant) -> None:
    first = "Who opened a bakery in Bergen?"
    followed = bot.ask("Where was she born?", history=[(first, bot.ask(first).text)])
    assert followed.question == "Where was she born?"
    assert followed.query == "Where was Ann Lee born?"
    assert bot.ask("Where was she born?").query == "Where was she born?"


def test_an_answer_is_plain_json(bot: Assistant) -> None:
    for question in (QUESTION, ELSEWHERE, ""):
        data = bot.ask(question).to_dict()
        assert data.keys() == FIELDS
        assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_typing_mistakes_are_mended(bot: Assistant) -> None:
    answer = bot.ask("Who built the lighthuose?")
    assert answer.query == "Who built the lighthouse?"
    assert answer.citations[0].file == "news/harbour.md"


def test_documents_are_listed_and_read(bot: Assistant) -> None:
    assert [document.file for document in bot.documents()] == sorted(TOWN)
    assert bot.document("bakery.txt").text == BAKERY
    with pytest.raises(CorpusError, match=r"nowhere\.txt"):
        bot.document("nowhere.txt")


def test_the_module_asks_the_shipped_seeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert shipped_seeds() == SEEDS
    monkeypatch.setattr("rag.assistant._make_shipped", lambda: assistant(tmp_path, TOWN))
    assert rag.ask(QUESTION, history=[("Hello?", "Hello.")]).status == "answered"


def test_without_a_folder_the_shipped_seeds_are_used(tmp_path: Path) -> None:
    assert Assistant(index_dir=tmp_path).corpus == SEEDS


# Questions that are none, or too much


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        pytest.param("", AbstainReason.EMPTY_QUESTION, id="empty"),
        pytest.param(" \t\n\u3000", AbstainReason.EMPTY_QUESTION, id="space"),
        pytest.param("🍞🥐", AbstainReason.EMPTY_QUESTION, id="emoji"),
        pytest.param("?!…", AbstainReason.EMPTY_QUESTION, id="punctuation"),
        pytest.param("a" * 100_000, AbstainReason.QUESTION_TOO_LONG, id="100,000 characters"),
        pytest.param(
            "What is about" + " " * 99_000 + "x", AbstainReason.QUESTION_TOO_LONG, id="mostly space"
        ),
        pytest.param("why not " * 2_500, AbstainReason.QUESTION_TOO_LONG, id="5,000 words"),
        pytest.param("パン屋はどこにありますか。", AbstainReason.OTHER_LANGUAGE, id="Japanese"),
        pytest.param("빵집은 어디에 있습니까?", AbstainReason.OTHER_LANGUAGE, id="Korean"),
        pytest.param("面包店在哪里？", AbstainReason.OTHER_LANGUAGE, id="Chinese"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(
    bot: Assistant, question: str, reason: AbstainReason
) -> None:
    answer = bot.ask(question)
    assert (answer.status, answer.abstain_reason) == ("abstained", reason)
    assert not answer.citations
    assert answer.text.endswith((".", ":"))


@pytest.mark.parametrize(
    "question",
    [
        "\ud800 who was born in Oslo?",
        "who\0 was born in Oslo?",
        "who " * 1_240,
        "((((" * 1_000,
        '"AND OR NOT" +-*:^~[}',
    ],
)
def test_an_odd_question_gets_an_answer_of_some_kind(bot: Assistant, question: str) -> None:
    answer = bot.ask(question)
    assert answer.status in ("answered", "abstained")
    json.dumps(answer.to_dict(), ensure_ascii=False).encode()
    assert isinstance(bot.retrieve(question), list)


def test_an_odd_history_spoils_nothing(bot: Assistant) -> None:
    history = [("\ud800" * 10, "\0"), ("word " * 50_000, "it " * 50_000), ("", "")]
    assert bot.ask(QUESTION, history).status == "answered"
    assert len(bot.ask("And where?", history).query) < 5_000


# Folders and files


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere"):
        Assistant(tmp_path / "nowhere")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "A."})
    with pytest.raises(CorpusError, match=r"a\.txt"):
        Assistant(tmp_path / "a.txt")


def test_an_empty_folder_has_nothing_to_answer_from(tmp_path: Path) -> None:
    answer = assistant(tmp_path, {}).ask(QUESTION)
    assert (answer.status, answer.abstain_reason) == ("abstained", AbstainReason.NO_DOCUMENTS)


def test_a_folder_of_unreadable_files_has_nothing_to_answer_from(tmp_path: Path) -> None:
    answer = assistant(tmp_path, {"a.pdf": "A.", "b.txt": b"\xff\xfe\0", "c.txt": " \n"}).ask(QUESTION)
    assert answer.abstain_reason is AbstainReason.NO_DOCUMENTS


def test_what_cannot_be_read_is_skipped_with_a_reason_and_the_rest_answers(tmp_path: Path) -> None:
    odd = {
        "binary.txt": b"\x89PNG\0\0\x01\xff" * 90,
        "empty.md": b"",
    }
    bot = assistant(tmp_path, {**TOWN, **odd})
    report = bot.sync()
    assert report.skipped.keys() == odd.keys()
    assert "binary" in report.skipped["binary.txt"]
    assert bot.ask(QUESTION).status == "answered"


def test_after_a_sync_nothing_of_a_changed_or_deleted_file_is_found(tmp_path: Path) -> None:
    bot = assistant(tmp_path, TOWN)
    assert bot.ask(QUESTION).status == "answered"
    write(bot.corpus, {"bakery.txt": BAKERY.replace("Ann Lee", "Kari Vik")})
    (bot.corpus / "news/harbour.md").unlink()
    report = bot.sync()
    assert (report.changed, report.removed, report.unchanged) == (1, 1, 0)
    assert bot.ask(QUESTION).citations[0].quote == "Kari Vik was born in Oslo in 1950."
    found = bot.retrieve("Ann Lee, Ivar Berg, ferry, lighthouse", k=50)
    assert {scored.chunk.file for scored in found} <= {"bakery.txt"}
    assert not any("Ann Lee" in scored.chunk.text for scored in found)


def test_a_file_that_goes_while_it_is_not_looked_at_can_still_be_quoted_until_the_next_sync(
    tmp_path: Path,
) -> None:
    bot = assistant(tmp_path, TOWN)
    bot.sync()
    (bot.corpus / "bakery.txt").unlink()
    answer = bot.ask(QUESTION)
    assert BAKERY[answer.citations[0].start : answer.citations[0].end] == answer.citations[0].quote
    bot.sync()
    assert bot.ask(QUESTION).status == "abstained"


def test_an_index_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"taken": "I am a file."})
    corpus = write(tmp_path / "corpus", TOWN)
    bot = Assistant(corpus, index_dir=tmp_path / "taken", embedder=HashEmbedder())
    with pytest.raises(StoreError, match="taken"):
        bot.ask(QUESTION)


@pytest.fixture
def readonly() -> Iterator[Path]:
    """A folder that this process cannot write, even if it runs as root."""
    with tempfile.TemporaryDirectory() as name:
        folder, user = Path(name), os.geteuid()
        folder.chmod(0o555)
        if user == 0:
            os.seteuid(65_534)
        try:
            yield folder
        finally:
            os.seteuid(user)


def test_an_index_folder_that_cannot_be_written_is_named(readonly: Path) -> None:
    bot = Assistant(SEEDS, index_dir=readonly / "index", embedder=HashEmbedder())
    with pytest.raises(StoreError, match="index"):
        bot.ask(QUESTION)


# Threads


def test_threads_that_ask_first_and_at_once_get_the_same_answers(tmp_path: Path) -> None:
    bot = assistant(tmp_path, TOWN)
    questions = [QUESTION, "Who built the lighthouse?", ELSEWHERE] * 4
    with ThreadPoolExecutor(len(questions)) as pool:
        answers = list(pool.map(bot.ask, questions))
    assert [lasting(answer) for answer in answers] == [lasting(bot.ask(question)) for question in questions]
    assert isinstance(bot.ready().embedder, HashEmbedder)


def test_asking_and_syncing_at_once_is_safe(tmp_path: Path) -> None:
    bot = assistant(tmp_path, TOWN)
    with ThreadPoolExecutor(6) as pool:
        syncs = [pool.submit(bot.sync) for _ in range(3)]
        asks = [pool.submit(bot.ask, QUESTION) for _ in range(3)]
    assert [sync.result().added for sync in syncs].count(len(TOWN)) <= 1
    assert all(ask.result().status == "answered" for ask in asks)
    assert all("updating" not in notice for ask in asks for notice in ask.result().notices)


# While the index is being made


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Assistant, HeldEmbedder]]:
    """An assistant without patience, and its embedder, which waits."""
    embedder = HeldEmbedder()
    corpus = write(tmp_path / "corpus", TOWN)
    settings = Settings(patience=0.1)
    with Assistant(corpus, index_dir=tmp_path / "index", embedder=embedder, settings=settings) as bot:
        yield bot, embedder
        embedder.let()
    assert not threads("footnote-keeper", "footnote-watch")


def test_a_question_is_answered_from_words_before_the_vectors_are_there(
    held: tuple[Assistant, HeldEmbedder],
) -> None:
    bot, embedder = held
    bot.ready()
    assert embedder.held.wait(SECONDS)
    answer = bot.ask(QUESTION)
    assert answer.citations[0].quote == "Ann Lee was born in Oslo in 1950."
    assert answer.notices[0].startswith("2 of 2 passages can be found by their words only so far")
    embedder.let()
    until(lambda: not bot.notices())
    assert bot.ask(QUESTION).notices == ()


def test_a_sync_is_whole_even_while_another_goes_on(held: tuple[Assistant, HeldEmbedder]) -> None:
    bot, embedder = held
    bot.ready()
    assert embedder.held.wait(SECONDS)
    embedder.let()
    bot.sync()
    assert bot.notices() == ()
    assert bot.index.counts()["vectors"] == 2


def test_while_files_are_read_an_answer_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.sync.READ_FILES", 1)
    bot = assistant(tmp_path, TOWN)
    bot.settings = Settings(patience=0)
    reading, go_on = threading.Event(), threading.Event()
    read = index.sync.read

    def slowly(root: Path, entry: Entry) -> object:
        if entry.file != "bakery.txt":
            reading.set()
            assert go_on.wait(SECONDS)
        return read(root, entry)

    monkeypatch.setattr("index.sync.read", slowly)
    with bot:
        bot.ready()
        assert reading.wait(SECONDS)
        answer = bot.ask(QUESTION)
        assert answer.status == "answered"
        assert answer.notices[0].startswith("1 of 2 new or changed files have been read so far")
        go_on.set()
        bot.sync()
        assert bot.ask(QUESTION).notices == ()


class OfflineEmbedder(HashEmbedder):
    """A server that does not answer when documents come."""

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        if kind == "document":
            raise EmbedderError("The server for vectors does not answer.")
        return super().embed(texts, kind=kind)


def test_what_goes_wrong_in_the_background_is_a_notice(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", TOWN)
    with Assistant(corpus, index_dir=tmp_path / "index", embedder=OfflineEmbedder()) as bot:
        bot.ready()
        assert any("does not answer" in notice for notice in bot.notices())
        with pytest.raises(EmbedderError):
            bot.sync()


class SilentEmbedder(HashEmbedder):
    """A server that goes away once the documents are embedded."""

    gone = False

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        if self.gone:
            raise EmbedderError("The server for vectors does not answer.")
        return super().embed(texts, kind=kind)


@pytest.mark.parametrize("question", [QUESTION, "What are these files about?"])
def test_without_its_embedder_it_answers_from_words_and_says_so(tmp_path: Path, question: str) -> None:
    embedder = SilentEmbedder()
    corpus = write(tmp_path / "corpus", TOWN)
    with Assistant(corpus, index_dir=tmp_path / "index", embedder=embedder) as bot:
        assert bot.ask(question).notices == ()
        embedder.gone = True
        answer = bot.ask(question)
        assert answer.status == "answered"
        assert answer.citations
        told = "The server for vectors does not answer. Until it works again only words are searched."
        assert answer.notices == (told,)


def test_a_followed_folder_is_answered_from_as_it_is(tmp_path: Path) -> None:
    with assistant(tmp_path, TOWN) as bot:
        bot.follow()
        assert bot.ask("Who is the mayor of Odda?").status == "abstained"
        write(bot.corpus, {"odda.txt": "The mayor of Odda is Liv Dahl."})
        until(lambda: "odda.txt" in dict(bot.titles()))
        assert bot.ask("Who is the mayor of Odda?").citations[0].file == "odda.txt"
    assert not threads("footnote-keeper", "footnote-watch")


def test_what_is_not_searched_is_known(tmp_path: Path) -> None:
    bot = assistant(tmp_path, {**TOWN, "nothing.txt": ""})
    assert bot.titles() == [("bakery.txt", "The bakery of Bergen"), ("news/harbour.md", "Harbour news")]
    assert bot.index.skipped().keys() == {"nothing.txt"}


def test_a_published_index_is_asked_without_the_documents_and_follows_what_is_published(
    tmp_path: Path,
) -> None:
    with assistant(tmp_path, TOWN) as writer:
        writer.sync()
        writer.publish(tmp_path / "shared")
        settings = Settings(snapshots=tmp_path / "shared")
        with Assistant(index_dir=tmp_path / "other", embedder=HashEmbedder(), settings=settings) as reader:
            reader.follow()
            assert reader.ask(QUESTION).citations[0].quote == "Ann Lee was born in Oslo in 1950."
            write(writer.corpus, {"odda.txt": "The mayor of Odda is Liv Dahl."})
            writer.sync()
            writer.publish(tmp_path / "shared")
            until(lambda: "odda.txt" in dict(reader.titles()))
            assert reader.ask("Who is the mayor of Odda?").citations[0].file == "odda.txt"
