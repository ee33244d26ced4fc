"""The HTML report: well-formed, escaped, self-contained, and every failure in it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Answer
from rag.evaluation import Evaluation, evaluate, html_report, load_questions
from rag.evaluation.charts import calibration_chart, risk_coverage_chart
from rag.evaluation.metrics import calibration, risk_coverage
from tests.corpora import write
from tests.fakes import HashEmbedder

HOSTILE = "</div><script>alert(1)</script><img src=x onerror=alert(2)> \"quoted\" & 'so' <b>Liv</b> is mayor."


def parse(page: str) -> ElementTree.Element:
    doctype, markup = page.split("\n", 1)
    assert doctype == "<!DOCTYPE html>"
    return ElementTree.fromstring(markup)


class Elements(HTMLParser):
    """The elements and attributes of a page, as a browser's parser sees them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@pytest.fixture
def hostile(tmp_path: Path) -> Evaluation:
    """Each string that a stranger could have written holds HTML."""
    from rag import Assistant

    corpus = write(tmp_path / "<i>corpus", {"<u>a.txt": f"{HOSTILE}\n\nThe mayor of Odda is Liv."})
    cases: list[dict[str, Any]] = [
        {
            "question": f"Who is the mayor of Odda? {HOSTILE}",
            "answerable": True,
            "contains": [[f"{HOSTILE} not said", "<x>"]],
            "evidence": [{"file": "<u>a.txt", "quote": "<b>Liv</b> is mayor."}],
            "history": [[HOSTILE, HOSTILE]],
            "id": "<s>1",
            "type": "<em>type",
        },
        {"question": f"Who is the mayor of Odda? {HOSTILE}", "answerable": False},
        {"question": "Who\x00 \x1b[31m is \ufffe the mayor of Odda?", "answerable": False},
    ]
    path = tmp_path / "<tt>questions.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases))
    bot = Assistant(corpus, index_dir=tmp_path / "index", embedder=HashEmbedder())
    return evaluate(bot, load_questions(path))


def test_what_strangers_wrote_is_text(hostile: Evaluation) -> None:
    page = html_report(hostile)
    root, elements = parse(page), Elements(page)
    assert not {"script", "img", "u", "i", "s", "em", "tt", "x"} & set(elements.tags)
    assert not [name for name, _ in elements.attributes if name.startswith("on")]
    assert {element.text for element in root.iter("b")} == {
        hostile.figures[name].shown
        for name in ("right", "refused", "wrongly_refused", "citations_verbatim", "auroc", "median_ms")
    }
    assert HOSTILE in "".join(root.itertext())


def test_it_needs_nothing_else(hostile: Evaluation) -> None:
    page = html_report(hostile)
    names = {name for name, _ in Elements(page).attributes}
    assert not names & {"src", "href", "action", "data", "srcset", "style"}
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style
    assert "default-src 'none'" in page


def test_every_failure_is_shown_with_what_was_wanted_and_found(hostile: Evaluation) -> None:
    root = parse(html_report(hostile))
    failures = list(root.iter("details"))
    wrong = [outcome for outcome in hostile.outcomes if not outcome.right]
    assert wrong
    assert len(failures) == len(wrong)
    assert f"What went wrong: {len(wrong)} of 3" in "".join(root.itertext())
    first = next(text for failure in failures if "<s>1" in (text := "".join(failure.itertext())))
    for shown in ("Before it", "Answer", "Wanted", "<b>Liv</b> is mayor.", "Retrieved, best first", "BM25"):
        assert shown in first
    assert any(mark.text == "<b>Liv</b> is mayor." for mark in root.iter("mark"))


def test_characters_that_html_does_not_allow_are_replaced(hostile: Evaluation) -> None:
    page = html_report(hostile)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe]", page)


confidences = st.floats(0, 1)


@given(st.lists(st.tuples(confidences, st.booleans()), max_size=30))
def test_plots_are_drawn_for_any_answers_and_stay_inside(answers: list[tuple[float, bool]]) -> None:
    for chart in (risk_coverage_chart(risk_coverage(answers, 30)), calibration_chart(calibration(answers))):
        root = ElementTree.fromstring(chart)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        for circle in root.iter("circle"):
            assert 0 <= float(circle.attrib["cx"]) <= width
            assert 0 <= float(circle.attrib["cy"]) <= height
    assert len(list(root.iter("circle"))) == len({min(int(c * 10), 9) for c, _ in answers})


class Perfect:
    """Refuses everything."""

    engine = "fake"

    def __init__(self, corpus: Path, refusal: Answer) -> None:
        self.corpus, self._refusal = corpus, refusal

    def ask(self, question: str, history: object = ()) -> Answer:
        return self._refusal


def test_without_failures_and_without_answers_there_is_a_report_too(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"question": "Why?", "answerable": false}\n')
    refusal = Answer(
        text="No.",
        status="abstained",
        abstain_reason=None,
        confidence=0.1,
        claims=(),
        citations=(),
        question="",
        query="",
        chunks=(),
        engine="fake",
    )
    evaluation = evaluate(Perfect(tmp_path, refusal), load_questions(path))  # type: ignore[arg-type]
    root = parse(html_report(evaluation))
    assert not list(root.iter("details"))
    assert "What went wrong: 0 of 1" in "".join(root.itertext())
