from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import Index
from index.text import content_terms, terms
from index.words import WordIndex
from tests.fakes import HashEmbedder
from tests.finding import candidates
from tests.index.stores import TITLE, open_store, put, remove
from tests.index.strategies import LAW

K1, B = 1.2, 0.75


def bm25(texts: dict[int, str], query: str) -> dict[int, float]:
    """BM25 as it is written in the books, by chunk id; without the chunks that score 0."""
    bags = {chunk: Counter(terms(f"{TITLE}\n{text}")) for chunk, text in texts.items()}
    mean = sum(bag.total() for bag in bags.values()) / len(bags)
    scores: Counter[int] = Counter()
    for word in dict.fromkeys(content_terms(query) or terms(query)):
        n = sum(word in bag for bag in bags.values())
        idf = math.log(1 + (len(bags) - n + 0.5) / (n + 0.5))
        for chunk, bag in bags.items():
            if tf := bag[word]:
                scores[chunk] += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * bag.total() / mean))
    return dict(scores)


def indexed(folder: Path, texts: list[str]) -> tuple[WordIndex, dict[int, str]]:
    store = open_store(folder)
    ids = put(store, {f"{number}.txt": text for number, text in enumerate(texts)})
    words = WordIndex(folder / "words", store)
    words.rebuild()
    return words, dict(zip(ids, texts, strict=True))


vocabulary = st.sampled_from(
    ["zebra", "lion", "running", "runs", "Café", "the", "to", "石破首相", "x1", "notes"]
)
bodies = st.lists(vocabulary, min_size=1, max_size=12).map(" ".join)


@settings(LAW, max_examples=25)
@given(st.lists(bodies, min_size=1, max_size=12), bodies)
def test_scores_are_those_of_bm25(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], query: str
) -> None:
    words, by_id = indexed(tmp_path_factory.mktemp("words"), texts)
    expected = bm25(by_id, query)
    hits = words.search(query, len(texts) + 5)
    assert dict(hits) == pytest.approx(expected, rel=1e-5)
    assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0]))
    best = words.search(query, 3)
    assert [score for _, score in best] == pytest.approx(
        sorted(expected.values(), reverse=True)[:3], rel=1e-5
    )
    assert words.scores(query, list(by_id)) == pytest.approx(expected, rel=1e-5)


ANIMALS = [
    "The zebra sleeps.",
    "A lion and a zebra met near the river.",
    "Lions hunt at night.",
    "石破首相とトランプ大統領は電話会談を行った。",
    'Nothing of note (except brackets) AND* quotes" happened: text:zebra^2 OR ~1',
    "The zebra sleeps.",
]


@pytest.fixture(scope="module")
def animals(tmp_path_factory: pytest.TempPathFactory) -> WordIndex:
    return indexed(tmp_path_factory.mktemp("animals"), ANIMALS)[0]


@pytest.mark.parametrize(
    ("query", "chunks"),
    [
        pytest.param("Who met the lions?", {2, 3}, id="stemmed"),
        pytest.param("ZEBRA", {1, 2, 5, 6}, id="upper case"),
        pytest.param("電話会談", {4}, id="Japanese"),
        pytest.param("石破とトランプ", {4}, id="Japanese question"),
        pytest.param("the", {1, 2, 6}, id="only function words"),
        pytest.param("elephant", set(), id="unknown word"),
        pytest.param("", set(), id="empty"),
        pytest.param("?!… —", set(), id="no words"),
    ],
)
def test_a_query_finds_the_chunks_with_its_words(animals: WordIndex, query: str, chunks: set[int]) -> None:
    assert {chunk for chunk, _ in animals.search(query, 10)} == chunks


def test_equal_scores_come_in_order_of_chunk_id(animals: WordIndex) -> None:
    (first, high), (second, same), *_ = animals.search("zebra sleeps", 10)
    assert (first, second, high) == (1, 6, same)


@pytest.mark.parametrize(
    "query",
    [
        'zebra"',
        "zebra AND NOT zebra",
        "-zebra",
        "text:zebra",
        "chunk:1 zebra",
        "zebra^1e400",
        "zebra~9 zebra*",
        "[zebra TO *]",
        "(((zebra",
        "/zebra.*/",
        "\\ zebra \\",
        "zebra\0",
        "zebra' OR 1=1 --",
        "zebra " * 10_000,
        "zebra " + " ".join(f"w{number}" for number in range(10_000)),
        "zebra " + "x" * 100_000,
    ],
    ids=lambda query: query[:12].replace("\0", "NUL"),
)
def test_no_query_is_a_command(animals: WordIndex, query: str) -> None:
    assert {1, 2, 5, 6} <= {chunk for chunk, _ in animals.search(query, 10)}
    assert 1 in animals.scores(query, [1])


@settings(LAW, max_examples=50)
@given(query=st.text())
def test_any_query_gives_scores_above_zero(animals: WordIndex, query: str) -> None:
    assert all(score > 0 and 1 <= chunk <= len(ANIMALS) for chunk, score in animals.search(query, 10))


def test_scores_are_given_for_the_chunks_asked_for(animals: WordIndex) -> None:
    everywhere = dict(animals.search("zebra lion", 10))
    assert animals.scores("zebra lion", [2, 4, 999]) == {2: pytest.approx(everywhere[2])}
    assert animals.scores("zebra", []) == {}


def test_words_as_they_are_spelt(animals: WordIndex) -> None:
    assert animals.occurs("lions")
    assert animals.occurs("lion")
    assert not animals.occurs("lio")
    assert animals.starting_with("lion") == [("lion", 1), ("lions", 1)]
    assert animals.frequencies(["zebra", "lion", "none"]) == {"zebra": 4, "lion": 2, "none": 0}


def test_removed_chunks_are_gone_also_without_a_rebuild(tmp_path: Path) -> None:
    texts = [f"Zebra number {number} sleeps." for number in range(100)] + ["A quagga drank."] * 3
    words, by_id = indexed(tmp_path, texts)
    store = words._store
    generation = [path.name for path in (tmp_path / "words").iterdir() if path.is_dir()]
    gone = remove(store, ["0.txt", "100.txt", "101.txt", "102.txt"])
    came = put(store, {"new.txt": "An okapi stood there."})
    words.follow()
    assert [path.name for path in (tmp_path / "words").iterdir() if path.is_dir()] == generation
    assert words.sound
    assert {chunk for chunk, _ in words.search("zebra quagga okapi", 200)} == {*by_id, *came} - {*gone}
    assert len(words.search("zebra quagga", 99)) == 99
    assert words.frequencies(["zebra", "quagga", "okapi"]) == {"zebra": 99, "quagga": 0, "okapi": 1}
    assert not words.occurs("quagga")
    assert words.starting_with("qua") == []


def test_many_removed_chunks_do_not_bend_the_scores(tmp_path: Path) -> None:
    words, by_id = indexed(tmp_path, [f"Zebra number {number} sleeps." for number in range(30)])
    gone = remove(words._store, [f"{number}.txt" for number in range(1, 30)])
    words.follow()
    left = {chunk: text for chunk, text in by_id.items() if chunk not in gone}
    assert dict(words.search("zebra", 5)) == pytest.approx(bm25(left, "zebra"), rel=1e-5)


def test_an_index_of_another_store_is_not_trusted(tmp_path: Path) -> None:
    indexed(tmp_path / "one", ["The zebra sleeps."])
    store = open_store(tmp_path / "two")
    put(store, {"a.txt": "The lion hunts."})
    shutil.copytree(tmp_path / "one" / "words", tmp_path / "two" / "words")
    words = WordIndex(tmp_path / "two" / "words", store)
    assert not words.sound
    assert words.search("zebra lion", 5) == []


# A damaged index. Tantivy's own threads may put a lock file into a folder while it is removed.


def truncated(folder: Path) -> None:
    for path in files_of(folder):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(folder: Path) -> None:
    for path in files_of(folder):
        path.write_bytes(b"")


def flipped(folder: Path) -> None:
    for path in files_of(folder):
        path.write_bytes(bytes(byte ^ 0xFF for byte in path.read_bytes()))


def without_segments(folder: Path) -> None:
    for path in files_of(folder):
        if path.suffix in (".idx", ".term", ".store", ".fieldnorm"):
            path.unlink()


def without_list(folder: Path) -> None:
    next(folder.glob("*/meta.json")).write_text("{}")


def without_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def without_generation(folder: Path) -> None:
    shutil.rmtree(next(path for path in folder.iterdir() if path.is_dir()), ignore_errors=True)


def marked(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "current.json").write_text(text) and None


def files_of(folder: Path) -> Iterator[Path]:
    return (path for path in list(folder.glob("*/*")) if path.is_file())


DAMAGES = [
    pytest.param(truncated, id="truncated"),
    pytest.param(emptied, id="emptied"),
    pytest.param(flipped, id="flipped"),
    pytest.param(without_segments, id="segments gone"),
    pytest.param(without_list, id="list of segments garbage"),
    pytest.param(without_folder, id="folder gone"),
    pytest.param(without_generation, id="generation gone"),
    *(pytest.param(marked(text), id=f"marker {text!r}") for text in ("", "{}", "[]", "nul", '{"format": 4}')),
]


def index_of(folder: Path) -> Index:
    return Index(folder / "corpus", folder / "index", HashEmbedder())


@pytest.fixture
def folder(tmp_path: Path, without_chroma: None) -> Path:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("The zebra sleeps quietly.")
    (tmp_path / "corpus" / "b.txt").write_text("The lion hunts.")
    index = index_of(tmp_path)
    index.sync()
    index.close()
    return tmp_path


def check_it_answers_and_mends(index: Index) -> None:
    assert {candidate.chunk.file for candidate in candidates(index, "zebra", 5)} == {"a.txt", "b.txt"}
    assert index.rarity(["zebra"])["zebra"] > 0
    assert index.respell("zebar") in ("zebar", "zebra")
    index.sync()
    assert index.caches()["Tantivy"]
    assert [candidate.bm25 > 0 for candidate in candidates(index, "zebra", 5)] == [True, False]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_word_index_is_made_again(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder / "index" / "words")
    check_it_answers_and_mends(index_of(folder))


@pytest.mark.parametrize("damage", [without_segments, without_list, without_folder, without_generation])
@pytest.mark.parametrize("change", [False, True], ids=["no change", "a change"])
def test_a_word_index_removed_under_a_running_process_is_made_again(
    folder: Path, damage: Callable[[Path], None], change: bool
) -> None:
    index = index_of(folder)
    damage(folder / "index" / "words")
    if change:
        (folder / "corpus" / "b.txt").write_text("The lion sleeps.")
    check_it_answers_and_mends(index)
