"""Which dates a text names, and which of them, if any, is its own."""

from __future__ import annotations

import datetime
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.dates import document_date, mentions
from index.loaders import load
from tests.index.strategies import LAW

DAY = datetime.date(2024, 5, 3)


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: Log\ndate: 2024-05-03\n---\n# Log\n",
        '---\nlayout: post\ndate: "2024-05-03T10:00:00+02:00"\ntags: [a]\n---\nText',
        "---\n" + "key: value\n" * 30 + "date: 2024-05-03\n---\nText",
        "---\ncreated: 2023-01-09\nupdated: 2024-05-03\n---\nText",
        "Title\nMay 3, 2024\n\nIt began in 2023.",
        "Title\r\n\r\nFriday, 3rd May 2024\r\n\r\nText",
        "# Minutes\n\n2024-05-03\n\n- First item",
        "## 2024-05-03\nOne entry",
        "Title\n*Published: May 3, 2024*\nText",
        "**Date:** 2024-05-03\nText",
        "Published on Fri, 3 May 2024 10:00 GMT\nText",
        "Last updated: 2024-05-03T10:00:00Z\nText",
        "Updated 3 May 2024\nPublished 1 May 2024\nText",
        "From: ann@example.org\nDate: Fri, 3 May 2024 10:00:00 +0200\n\nHello",
        "By Ann Lee, May 3, 2024\nText",
        "Title\nBy Ann Lee and Bo O'Neil | May 3, 2024 | 5 min read\nText",
        "May 3, 2024 by Ann Lee\nText",
        "May 3, 2024 10:15 am EDT\nText",
        "Manual\nVersion 2.1, May 3, 2024\nText",
        "OSLO, May 3, 2024 (NTB) - The ferry is late.",
        "Title\n\nNEW YORK, May 3, 2024 /Newswire/ -- The ferry is late.",
        "TOKYO (AP) — May 3, 2024 — The ferry is late.",
        "題\n2024年5月3日\n本文",
        "題\n公開日：2024年5月3日（金）\n本文",
        "題\n2024年5月3日（金） 10:30\n本文",
        "題\n2024/05/03 10:30 更新\n本文",
    ],
)
def test_a_document_that_says_when_it_was_written_has_a_date(text: str) -> None:
    assert document_date(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("The ferry sank on May 3, 2024.", id="told"),
        pytest.param("On May 3, 2024, the ferry sank.", id="told first"),
        pytest.param("May 3, 2024 was a Friday.", id="subject"),
        pytest.param("2024年5月3日、船は沈んだ。", id="told in Japanese"),
        pytest.param("Born: May 3, 1950\nText", id="birth"),
        pytest.param("Ann Lee (May 3, 1950 - June 4, 2000)\nText", id="life"),
        pytest.param("Released May 3, 1975\nText", id="release"),
        pytest.param("Treaty of Oslo\nSigned: May 3, 1763\nText", id="treaty"),
        pytest.param("By the treaty of May 3, 1850\nText", id="no byline"),
        pytest.param("Battle of Oslo\nDate: 14 October 1066\nIn 1900 a museum was opened.", id="history"),
        pytest.param("Deadline: May 3, 2024\nText", id="deadline"),
        pytest.param("Updated May 3, 2024 the page is not.", id="sentence"),
        pytest.param("May 3, 2024 - May 5, 2024\nText", id="range"),
        pytest.param("May 3–5, 2024\nText", id="range of days"),
        pytest.param("03/05/2024\nText", id="March or May"),
        pytest.param("OSLO, May 3 (NTB) - The ferry is late.", id="no year"),
        pytest.param("May 2024\nText", id="no day"),
        pytest.param("2024\nText", id="only a year"),
        pytest.param("May 33, 2024\nText", id="no such day"),
        pytest.param("2023-02-29\nText", id="no leap year"),
        pytest.param("Call 2024-05-031\nText", id="a longer number"),
        pytest.param("## 2024-05-03\na\n\n## 2024-05-04\nb", id="diary"),
        pytest.param("## 2024-05-03\n" + "a\n" * 40 + "## 2024-05-04\nb", id="long diary"),
        pytest.param("Posted 1 May 2024\na\nPosted 2 May 2024\nb\nPosted 3 May 2024\nc", id="list of posts"),
        pytest.param("a\n" * 20 + "May 3, 2024\n", id="far down"),
        pytest.param("x" * 300 + "\nno date", id="none"),
    ],
)
def test_a_date_that_may_be_of_something_else_is_none(text: str) -> None:
    assert document_date(text) is None


def test_the_file_system_says_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert load("2024-05-03.txt", b"The ferry is late.").date is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("November 7th", [(None, 11, 7)]),
        ("on 7 November", [(None, 11, 7)]),
        ("from May 2024 to 2026", [(2024, 5, None), (2026, None, None)]),
        ("Sept. 3, 2024", [(2024, 9, 3)]),
        ("2024年5月3日と6月4日", [(2024, 5, 3), (None, 6, 4)]),
        ("November 18-19", [(None, 11, None)]),
        ("2016–2020", [(2016, None, None), (2020, None, None)]),
        ("the 1980s", [(1980, None, None)]),
        ("1,500 of 2000.5 or $2000 and 1999%", []),
        ("", []),
    ],
)
def test_dates_and_parts_of_dates_that_a_text_names(
    text: str, named: list[tuple[int | None, int | None, int | None]]
) -> None:
    assert [(found.year, found.month, found.day) for found in mentions(text)] == named


FORMATS = [
    "%Y-%m-%d",
    "%B %d, %Y",
    "%d %b %Y",
    "%d. %B %Y",
    "%Y年%m月%d日",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m-%d-%y",
]
FRAMES = [
    "{}\n",
    "Published: {}\n",
    "---\ndate: {}\n---\n",
    "By Ann Lee, {}\n",
    "OSLO, {} (NTB) - It rains.\n",
    "It rained on {}.\n",
    "Born {}\n",
    "公開日：{}\n",
]


@LAW
@given(
    st.lists(
        st.tuples(
            st.sampled_from(FRAMES),
            st.dates(datetime.date(1000, 1, 1)).filter(lambda day: day.year < 3000),
            st.sampled_from(FORMATS),
        ),
        max_size=4,
    ),
    st.text(max_size=20),
)
def test_a_date_stands_in_its_document(parts: list[tuple[str, datetime.date, str]], more: str) -> None:
    text = "".join(frame.format(day.strftime(form)) for frame, day, form in parts) + more
    found = document_date(text)
    assert found is None or found in {day for _, day, _ in parts}
    assert found is None or found in [mention.date() for mention in mentions(text)]


@LAW
@given(st.text() | st.text(alphabet="May 3,2024-年月日:\n(").map(lambda text: text * 3))
def test_what_a_text_names_stands_where_it_says(text: str) -> None:
    ends = 0
    for mention in mentions(text):
        start, end = mention.span
        assert ends <= start < end <= len(text)
        assert mention.year is None or str(mention.year) in text[start:end]
        ends = end
    assert document_date(text) is None or document_date(text) in {each.date() for each in mentions(text)}


@pytest.mark.parametrize(
    "text",
    [
        "By " + "A, " * 100_000 + "May 3, 2024",
        "Published " + " " * 500_000 + "x",
        "---\n" + "x" * 500_000,
        "2024-05-03\n" * 2_000,
        "OSLO" + " A" * 200_000 + ", May 3, 2024",
        " " * 500_000,
    ],
)
def test_a_text_made_to_stall_the_search_for_a_date_does_not(text: str) -> None:
    started = time.perf_counter()
    document_date(text)
    assert time.perf_counter() - started < 5
