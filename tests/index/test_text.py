from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.text import MAX_SENTENCE, blocks, content_terms, sentences, terms
from tests.index.strategies import LAW, texts


def said(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@LAW
@example("word " * 600)
@example("x" * (3 * MAX_SENTENCE + 1))
@example("石" * (2 * MAX_SENTENCE))
@given(texts)
def test_every_character_that_is_not_space_is_in_exactly_one_sentence(text: str) -> None:
    spans = sentences(text)
    covered = [position for start, end in spans for position in range(start, end)]
    assert covered == sorted(set(covered))
    assert {i for i, character in enumerate(text) if not character.isspace()} <= set(covered)
    for start, end in spans:
        assert 0 < end - start <= MAX_SENTENCE
        assert text[start:end] == text[start:end].strip()


@LAW
@given(texts)
def test_blocks_are_the_sentences_in_groups_and_the_same_every_time(text: str) -> None:
    grouped = blocks(text)
    assert all(grouped)
    assert [span for block in grouped for span in block] == sentences(text)
    assert blocks(text) == grouped


@pytest.mark.parametrize("text", ["", " ", "\n\n\r\n\t", "\u3000\u2028\x1c"])
def test_a_text_without_words_has_no_sentences(text: str) -> None:
    assert sentences(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("One. Two.", ["One.", "Two."], id="two"),
        pytest.param("Is it? Yes! Good.", ["Is it?", "Yes!", "Good."], id="marks"),
        pytest.param(
            "The U.S.-Japan treaty. It holds.", ["The U.S.-Japan treaty.", "It holds."], id="U.S.-Japan"
        ),
        pytest.param(
            "The Japan-U.S. Alliance is firm. It grows.",
            ["The Japan-U.S. Alliance is firm.", "It grows."],
            id="Japan-U.S.",
        ),
        pytest.param(
            "Mr. Abe met Dr. Sato. They talked.", ["Mr. Abe met Dr. Sato.", "They talked."], id="Mr."
        ),
        pytest.param("At 5 p.m. on Monday it ended.", ["At 5 p.m. on Monday it ended."], id="p.m."),
        pytest.param("It rose by 3.5 percent. Good.", ["It rose by 3.5 percent.", "Good."], id="decimal"),
        pytest.param(
            "石破氏は電話した。会談は短かった。", ["石破氏は電話した。", "会談は短かった。"], id="Japanese"
        ),
        pytest.param("本当ですか？はい！", ["本当ですか？", "はい！"], id="Japanese marks"),
        pytest.param(
            "「行く。」と彼は言った。次。", ["「行く。」と彼は言った。", "次。"], id="Japanese quotation"
        ),
        pytest.param("「はい。」「いいえ。」", ["「はい。」", "「いいえ。」"], id="Japanese dialogue"),
        pytest.param(
            "他说：“我不去。”然后走了！真的？", ["他说：“我不去。”", "然后走了！", "真的？"], id="Chinese"
        ),
        pytest.param("終わった……そして始まった。", ["終わった……そして始まった。"], id="Japanese ellipsis"),
        pytest.param("สวัสดีครับ วันนี้อากาศดี", ["สวัสดีครับ วันนี้อากาศดี"], id="Thai"),
        pytest.param("आप कैसे हैं। मैं ठीक हूँ।", ["आप कैसे हैं।", "मैं ठीक हूँ।"], id="Hindi"),
        pytest.param("مرحبا. كيف حالك؟ بخير.", ["مرحبا.", "كيف حالك؟", "بخير."], id="Arabic"),
        pytest.param("# Title\nText follows.", ["# Title", "Text follows."], id="heading"),
        pytest.param("TITLE\n\nText follows.", ["TITLE", "Text follows."], id="title line"),
        pytest.param("To do:\n- eat\n- sleep", ["To do:", "- eat", "- sleep"], id="bullets"),
        pytest.param("1. eat\n2. sleep\n3) rest", ["1. eat", "2. sleep", "3) rest"], id="numbers"),
        pytest.param("One line\r\n\r\nAnother one", ["One line", "Another one"], id="CRLF"),
        pytest.param("a\x00b. C.", ["a\x00b.", "C."], id="control character"),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_wrapped_sentence_is_one_sentence(newline: str) -> None:
    first = "The two leaders spoke by telephone for about twenty minutes on"
    text = newline.join(
        [
            first,
            "Thursday evening and agreed to meet in the coming weeks in the",
            "capital. Then they hung up.",
        ]
    )
    assert said(text) == [text[: text.index(" Then")], "Then they hung up."]


def test_a_list_item_never_joins_the_line_above() -> None:
    long = "a line that is as long as any other line in this little text"
    assert said(f"{long}\n- item\n{long}\n2. second")[1::2] == ["- item", "2. second"]


def test_long_lines_are_paragraphs_of_their_own() -> None:
    line = "word " * 40 + "end"
    assert said(f"{line}\n{line}") == [line, line]


def test_a_table_is_cut_at_spaces() -> None:
    text = "1234567 " * 1000
    pieces = said(text)
    assert all(len(piece) <= MAX_SENTENCE and set(piece.split()) == {"1234567"} for piece in pieces)
    assert " ".join(pieces) == text.strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ｆｕｌｌ ｗｉｄｔｈ", ["full", "width"]),
        ("Café CAFÉ cafe\u0301", ["cafe", "cafe", "cafe"]),
        ("running runs run", ["run", "run", "run"]),
        ("Ishiba's 20-minute call", ["ishiba", "s", "20", "minut", "call"]),
        ("東京都", ["東京", "京都"]),
        ("石", ["石"]),
        ("日米 alliance", ["日米", "allianc"]),
        ("ｶﾞｲﾄﾞ", ["ガイ", "イド"]),
        ("…!? —", []),
        ("", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_content_terms_leave_out_function_words() -> None:
    assert content_terms("When did they speak to the minister?") == ["when", "did", "speak", "minist"]
    assert content_terms("to be or not to be") == []


@LAW
@given(st.text(), st.text())
def test_the_terms_of_two_texts_on_two_lines_are_those_of_both(first: str, second: str) -> None:
    assert terms(f"{first}\n{second}") == terms(first) + terms(second)


@LAW
@given(st.text())
def test_content_terms_are_some_of_the_terms(text: str) -> None:
    left = iter(terms(text))
    assert all(term in left for term in content_terms(text))
