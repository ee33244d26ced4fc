"""Which claims pass, which do not, and why."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import Chunk, ScoredChunk, Span
from index.text import sentences
from rag.citations import Passage
from rag.evidence import Evidence
from rag.verification import MAX_CLAIM, Reason, Verification, Verifier

LIGHTHOUSE = (
    "The lighthouse on Gull Point was built by Ann Lee in 1901. She had 12 workers and spent $3,000 on stone. "
    "It was not damaged in the storm of 5 January 1924. Some sailors may have seen its lamp from 30 miles away. "
    "The National Lamp Company sold the first lamp to Bo Hart."
)
BAKERY = "Cy Dunn's bakery opened in Port Ellis on March 3, 1950. It sold about 498 loaves a day. 20% of them were rye."


def chunk(number: int, title: str, text: str) -> ScoredChunk:
    spans: tuple[Span, ...] = tuple(sentences(text))
    place = Chunk(
        id=number, file=f"{number}.txt", title=title, start=0, end=len(text), text=text, sentences=spans
    )
    return ScoredChunk(chunk=place, score=1.0, similarity=0.5, bm25=1.0)


CHUNKS = [chunk(1, "Gull Point", LIGHTHOUSE), chunk(2, "Port Ellis", BAKERY)]
BUILT, SPENT, STORM, SEEN, LAMP = [(CHUNKS[0], span) for span in CHUNKS[0].chunk.sentences]
OPENED, SOLD, RYE = [(CHUNKS[1], span) for span in CHUNKS[1].chunk.sentences]


def check(claim: str, *cited: Passage, question: str = "") -> Verification:
    return Verifier(CHUNKS, question).verify(claim, cited)


@pytest.mark.parametrize(
    ("claim", "cited"),
    [
        ("The lighthouse on Gull Point was built by Ann Lee in 1901.", BUILT),
        ("In 1901, Ann Lee built the lighthouse on Gull Point.", BUILT),
        ("Lee built the lighthouse in 1901.", BUILT),
        ("Ann Lee had twelve workers and spent 3000 dollars on stone.", SPENT),
        ("The lighthouse wasn't damaged in the storm of January 5th, 1924.", STORM),
        ("Sailors may have seen its lamp from thirty miles away.", SEEN),
        ("The NLC sold the first lamp to Bo Hart.", LAMP),
        ("Cy Dunn’s bakery opened in Port Ellis on 3 March 1950.", OPENED),
        ("20 percent of the loaves were rye.", RYE),
    ],
)
def test_what_its_source_says_in_its_own_or_other_words_is_supported(claim: str, cited: Passage) -> None:
    found = check(claim, cited)
    assert found.verdict == "supported", found
    assert found.reason is Reason.COVERED
    assert found.passages == (cited,)


@pytest.mark.parametrize(
    ("claim", "cited", "reason"),
    [
        ("The lighthouse on Gull Point was built by Ann Lee in 1902.", BUILT, Reason.NUMBER),
        ("Ann Lee had thirteen workers and spent $3,000 on stone.", SPENT, Reason.NUMBER),
        ("She had 12 workers and spent £3,000 on stone.", SPENT, Reason.NUMBER),
        ("It was not damaged in the storm of 6 January 1924.", STORM, Reason.NUMBER),
        ("It was not damaged in the storm of 5 February 1924.", STORM, Reason.NUMBER),
        ("The lighthouse on Gull Point was built by Bo Hart in 1901.", BUILT, Reason.NAME),
        ("The lighthouse on Gull Point was built by Dee Moss in 1901.", BUILT, Reason.NAME),
        ("It was damaged in the storm of 5 January 1924.", STORM, Reason.OPPOSITE),
        ("The lighthouse on Gull Point was not built by Ann Lee in 1901.", BUILT, Reason.OPPOSITE),
        ("All sailors may have seen its lamp from 30 miles away.", SEEN, Reason.STRONGER),
        ("Bo Hart sold the first lamp to the National Lamp Company.", LAMP, Reason.NAME),
        ("Boats were painted green by fishermen every spring.", SEEN, Reason.NOT_COVERED),
        ("It sold about 498 kilometres a day.", SOLD, Reason.NUMBER),
    ],
)
def test_what_differs_is_unsupported_and_says_why(claim: str, cited: Passage, reason: Reason) -> None:
    found = check(claim, cited)
    assert (found.verdict, found.reason) == ("unsupported", reason), found


@pytest.mark.parametrize(
    ("claim", "cited", "reason"),
    [
        ("It sold about 500 loaves a day.", SOLD, Reason.NUMBER),
        ("Some sailors have seen its lamp from 30 miles away.", SEEN, Reason.STRONGER),
    ],
)
def test_rounded_or_surer_is_weak(claim: str, cited: Passage, reason: Reason) -> None:
    found = check(claim, cited)
    assert (found.verdict, found.reason) == ("weak", reason), found


def test_the_sentence_for_people_names_both_numbers() -> None:
    found = check("The lighthouse on Gull Point was built by Ann Lee in 1902.", BUILT)
    assert "1902" in found.sentence
    assert "1901" in found.sentence
    assert found.contradicts


def test_a_wrong_citation_is_put_right() -> None:
    found = check("Cy Dunn's bakery opened in Port Ellis on March 3, 1950.", BUILT)
    assert found.verdict == "supported"
    assert found.passages == (OPENED,)


def test_a_claim_without_a_citation_gets_one() -> None:
    found = check("20% of them were rye.")
    assert found.verdict == "supported"
    assert found.passages == (RYE,)


def test_two_sentences_may_support_one_claim_together() -> None:
    found = check("The lighthouse was built by Ann Lee in 1901 and she had 12 workers.", BUILT, SPENT)
    assert found.verdict == "supported"
    assert found.passages == (BUILT, SPENT)


def test_a_pronoun_may_be_a_name_from_nearby_the_title_or_the_question() -> None:
    assert check("Ann Lee had 12 workers.", SPENT).verdict == "supported"
    assert check("In Port Ellis, 20% of them were rye.", RYE).verdict == "supported"
    asked = check("Gull Light was not damaged in the storm.", STORM, question="Was Gull Light damaged?")
    assert asked.verdict == "supported"


JAPANESE = chunk(3, "灯台", "この灯台は1901年に12人の職人によって建てられた。嵐で壊れることはなかった。")
HERE, THERE = [(JAPANESE, span) for span in JAPANESE.chunk.sentences]


def check_japanese(claim: str, cited: Passage) -> str:
    return Verifier([JAPANESE, *CHUNKS]).verify(claim, [cited]).verdict


def test_japanese_is_compared_too() -> None:
    assert check_japanese("この灯台は1901年に12人の職人によって建てられた。", HERE) == "supported"
    assert check_japanese("この灯台は１９０１年に十二人の職人によって建てられた。", HERE) != "unsupported"
    assert check_japanese("この灯台は1902年に12人の職人によって建てられた。", HERE) == "unsupported"
    assert check_japanese("嵐で壊れることはあった。", THERE) != "supported"


def test_across_languages_numbers_and_names_decide_and_nothing_is_certain() -> None:
    assert check_japanese("灯台は1901年にAnn Leeが建てた。", BUILT) == "weak"
    assert check_japanese("灯台は1902年にAnn Leeが建てた。", BUILT) == "unsupported"
    assert check_japanese("灯台は1901年にDee Mossが建てた。", BUILT) == "unsupported"
    assert check_japanese("Der Leuchtturm wurde 1901 von Ann Lee am Ufer gebaut.", BUILT) == "weak"
    assert check_japanese("Der Leuchtturm wurde 1903 von Ann Lee am Ufer gebaut.", BUILT) == "unsupported"


PASSAGES = [BUILT, SPENT, STORM, SEEN, LAMP, OPENED, SOLD, RYE]
passages = st.sampled_from(PASSAGES)
unhurried = settings(deadline=None)
"""The first claim of all loads the word vectors."""


def text_of(passage: Passage) -> str:
    return passage[0].chunk.sentence(passage[1])


@unhurried
@given(passages)
def test_a_sentence_supports_itself(passage: Passage) -> None:
    assert check(text_of(passage), passage).verdict == "supported"


@unhurried
@given(st.sampled_from([p for p in PASSAGES if re.search(r"\d", text_of(p))]), st.data())
def test_a_copied_sentence_with_another_number_is_never_supported(
    passage: Passage, data: st.DataObject
) -> None:
    text = text_of(passage)
    number = data.draw(st.sampled_from(list(re.finditer(r"\d+(?:,\d+)*", text))))
    value = int(number.group().replace(",", ""))
    other = data.draw(st.integers(0, 10_000).filter(lambda other: other != value))
    assert check(f"{text[: number.start()]}{other}{text[number.end() :]}", passage).verdict != "supported"


@unhurried
@given(st.text(), st.lists(passages, max_size=2), st.text())
def test_any_text_gets_a_verdict(claim: str, cited: list[Passage], question: str) -> None:
    found = Verifier(CHUNKS, question).verify(claim, cited)
    assert found.verdict in ("supported", "weak", "unsupported")
    assert found.sentence
    assert set(found.passages) <= set(PASSAGES)


@unhurried
@given(st.text(min_size=1))
def test_any_source_can_be_compared(text: str) -> None:
    place = Chunk(
        id=9, file="9.txt", title="", start=0, end=len(text), text=text, sentences=((0, len(text)),)
    )
    source = ScoredChunk(chunk=place, score=0.0, similarity=0.0, bm25=0.0)
    Verifier([source]).verify("Ann Lee had 12 workers.", [(source, (0, len(text)))])


def test_a_claim_that_no_sentence_is_long_enough_for_is_not_read() -> None:
    found = check("The lamp of 1901, 12 and not 3.5% " * 30_000, BUILT)
    assert (found.verdict, found.reason) == ("unsupported", Reason.TOO_LONG)


def test_the_longest_claim_takes_little_time() -> None:
    claim = ("The lamp of 1901, 12 and not 3.5% in Port Ellis " * 50)[:MAX_CLAIM]
    start = time.process_time()
    check(claim, BUILT)
    assert time.process_time() - start < 1


def test_a_claim_with_the_words_that_the_reader_found_to_answer_is_not_thrown_out() -> None:
    text = "On Monday they held a roughly five-minute phone conversation about the ferry."
    chunk = Chunk(
        id=7, file="call.txt", title="Calls", start=0, end=len(text), text=text, sentences=((0, len(text)),)
    )
    source = ScoredChunk(chunk=chunk, score=1.0, similarity=0.9, bm25=1.0)
    span, start = (0, len(text)), text.index("five-minute")
    read = Evidence(source=source, span=span, answer=(start, start + 11), score=0.8, coverage=0.5)
    claim, question = "The call lasted five minutes.", "How long was the call?"
    assert Verifier([source], question).verify(claim, [(source, span)]).verdict == "unsupported"
    assert Verifier([source], question, [read]).verify(claim, [(source, span)]).verdict == "weak"
    wrong = "The call lasted nine minutes."
    assert Verifier([source], question, [read]).verify(wrong, [(source, span)]).verdict == "unsupported"
