"""Every format read from a file that an independent writer made."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator
from itertools import pairwise

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given
from hypothesis import strategies as st

from index.chunking import split
from index.errors import LoadError
from index.loaders import FORMATS, HARMLESS, load
from index.sandbox import Sandbox
from index.types import Document
from tests.index import samples
from tests.index.strategies import LAW

DAY = datetime.date(2024, 5, 3)
TABLE = "Animal: Zebra; Weight: 350 kg; Seen: 3 May\nAnimal: Lion; Weight: 190 kg"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


def reason(file: str, data: bytes) -> str:
    with pytest.raises(LoadError) as caught:
        load(file, data)
    return str(caught.value)


# PDF


def test_a_pdf_has_pages_a_title_and_a_date(sandbox: Sandbox) -> None:
    found = sandbox.load("a.pdf", samples.pdf("The zebra sleeps.", "", "A lion hunts.", title="On zebras"))
    assert (found.text, found.title, found.date) == ("The zebra sleeps.\n\nA lion hunts.", "On zebras", DAY)
    assert found.page_starts == (0, 19, 19)
    assert [piece.page for piece in split(found)] == [1, 3]
    assert found == load("a.pdf", samples.pdf("The zebra sleeps.", "", "A lion hunts.", title="On zebras"))


def test_lines_that_the_margin_ended_are_one_paragraph() -> None:
    paragraph = " ".join(["The zebra sleeps under a wide acacia tree while lions walk."] * 4)
    found = load("a.pdf", samples.pdf(f"About zebras\n{paragraph}\nAbout lions\n{paragraph}"))
    assert found.text.split("\n") == ["About zebras", paragraph, "About lions", paragraph]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("The zoolo-\ngist slept.", "The zoologist slept."),
        ("A well-\nknown zebra is well-known.", "A well-known zebra is well-known."),
        ("Pre-\n1900 zebras", "Pre-\n1900 zebras"),
    ],
)
def test_a_word_cut_at_the_end_of_a_line_is_whole_again(lines: str, text: str) -> None:
    assert load("a.pdf", samples.lines(lines)).text.replace("Pre-1900", "Pre-\n1900") == text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(samples.pdf("zebra", owner="o", password="p"), "asks for a password", id="encrypted"),
        pytest.param(samples.pdf("", ""), "no text on 2 pages: perhaps a scan", id="scan"),
        pytest.param(b"PK\x03\x04", "not a PDF file", id="zip"),
        pytest.param(samples.pdf("zebra")[:300], "damaged", id="cut off"),
        pytest.param(b"%PDF-1.4\n%%EOF", "damaged", id="empty"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(data: bytes, expected: str) -> None:
    assert expected in reason("a.pdf", data)


def test_a_pdf_that_only_may_not_be_changed_is_read() -> None:
    assert load("a.pdf", samples.pdf("The zebra sleeps.", owner="o", password="")).text == "The zebra sleeps."


def test_the_date_in_a_text_counts_more_than_when_the_file_was_made() -> None:
    assert load("a.pdf", samples.pdf("Published: 1 March 2019\nThe zebra sleeps.")).date == datetime.date(
        2019, 3, 1
    )


# Office


def test_a_word_document_is_its_paragraphs_and_rows(sandbox: Sandbox) -> None:
    found = sandbox.load("a.docx", samples.word("A preface.", "About zebras", "They sleep."))
    assert found.text == f"A preface.\n\nAbout zebras\n\nThey sleep.\n\n{TABLE}"
    assert (found.title, found.date) == ("About zebras", DAY)
    assert load("a.docx", samples.word("They sleep.", title="Zebras")).title == "Zebras"


def test_word_shows_insertions_and_boxes_but_not_what_is_deleted_or_hidden() -> None:
    made = docx.Document(io.BytesIO(samples.word("x")))
    names = nsdecls("w")
    made.element.body.insert(0, parse_xml(
        f"<w:p {names}><w:r><w:t>The </w:t></w:r><w:ins><w:r><w:t>zebra</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>lion</w:delText></w:r></w:del>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t> secretly</w:t></w:r><w:r><w:t> sleeps</w:t><w:br/><w:t>well</w:t></w:r></w:p>"
    ))  # fmt: skip
    made.element.body.insert(1, parse_xml(
        f"<w:sdt {names}><w:sdtContent><w:p><w:r><w:t>A field.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    ))  # fmt: skip
    target = io.BytesIO()
    made.save(target)
    assert load("a.docx", target.getvalue()).text.startswith("The zebra sleeps\nwell\n\nA field.\n\nx")


def test_slides_are_pages_with_their_notes(sandbox: Sandbox) -> None:
    found = sandbox.load(
        "a.pptx", samples.slides(("Zebras", "They sleep\nand dream", "Say hello"), ("Lions", "Hunt", ""))
    )
    assert found.text == f"Zebras\nThey sleep\nand dream\nSay hello\n\nLions\nHunt\n{TABLE}"
    assert (found.title, found.date, found.page_starts) == ("Zebras", DAY, (0, 39))


def test_sheets_are_pages_and_rows_can_be_understood_alone(sandbox: Sandbox) -> None:
    rows: list[list[object]] = [
        ["Zebras of the park"], [], ["Name", "Born", "Share", 2024], ["Zoe", datetime.date(2020, 1, 2), 0.125, 0.1 + 0.2],
        ["Zack", "", True, 12],
    ]  # fmt: skip
    found = sandbox.load("a.xlsx", samples.sheets(Zebras=rows, Lions=[["none"]]))
    assert found.text == (
        "Zebras\nZebras of the park\nName: Zoe; Born: 2020-01-02; Share: 12.5%; 2024: 0.3\n"
        "Name: Zack; Share: TRUE; 2024: 12\n\nLions\nnone"
    )
    assert (found.title, found.date) == ("a.xlsx", DAY)
    assert found.text[found.page_starts[1] :] == "Lions\nnone"


@pytest.mark.parametrize("suffix", ["docx", "pptx", "xlsx", "epub"])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"plain text", "no (Word|PowerPoint|Excel|EPUB) file$"),
        (b"%PDF-1.7", "file but a PDF file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old or encrypted office document"),
        (samples.packed({"a.txt": b"x"}), "not an EPUB|damaged"),
        (samples.word("zebra")[:-90], "damaged"),
    ],
)
def test_what_is_no_package_is_not_read(suffix: str, data: bytes, expected: str) -> None:
    with pytest.raises(LoadError, match=expected):
        load(f"a.{suffix}", data)


# Web pages, books, mail


def test_a_page_is_what_its_reader_sees(sandbox: Sandbox) -> None:
    page = """<!doctype html><html><head><title>Zebras | The Site</title><meta property="og:title" content="Zebras">
    <meta name="date" content="2024-05-03T10:00:00Z"><style>p {}</style><script>alert(1)</script></head><body>
    <nav><ul><li><a href="/">Home</a></li><li>News</li></ul></nav><h1>On <em>zebras</em></h1>
    <p>They   sleep<br>and <b>dr</b>eam<!-- no -->.</p><table><tr><th>Animal<th>Weight<tr><td>Zebra<td>350 kg</table>
    <div hidden>unseen</div><p style="color: red; display: none">unseen</p><pre>a  b\n c</pre>&#26085;&nbsp;x</body>"""
    found = sandbox.load("a.html", page.encode())
    assert found.text == (
        "- Home\n- News\n\nOn zebras\n\nThey sleep\nand dream.\n\nAnimal: Zebra; Weight: 350 kg\n\na  b\n c\n\n日 x"
    )
    assert (found.title, found.date) == ("Zebras", DAY)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("Shift_JIS", "cp932"), ("euc-jp", "euc_jp"), ("iso-8859-1", "cp1252"), ("utf-8", "utf-8")],
)
def test_a_page_in_the_encoding_that_it_declares(declared: str, encoding: str) -> None:
    text = "café – 5" if encoding == "cp1252" else "石破首相"
    assert load("a.html", f"<meta charset={declared}><p>{text}".encode(encoding)).text == text


def test_a_page_that_declares_a_wrong_encoding_is_still_read_right() -> None:
    assert load("a.htm", "<meta charset='euc-jp'><p>石破首相が語った".encode()).text == "石破首相が語った"


def test_a_book_is_read_in_the_order_of_its_chapters(sandbox: Sandbox) -> None:
    found = sandbox.load("a.epub", samples.epub("<h1>One</h1><p>A zebra.</p>", "<p>Two</p>"))
    assert (found.text, found.title) == ("One\n\nA zebra.\n\nTwo", "The book of zebras")
    assert found.date == datetime.date(2019, 2, 1)
    assert reason("a.epub", samples.epub("<p>x</p>", encrypted=True)) == "a book that is encrypted"


@pytest.mark.parametrize("html", ["", "<p>The <b>zebra</b> sleeps.</p>"])
def test_a_mail_says_who_wrote_what_when(sandbox: Sandbox, html: str) -> None:
    found = sandbox.load(
        "a.eml", samples.mail("" if html else "The zebra sleeps.\n", html, attached="plan.pdf")
    )
    assert found.text == (
        "From: Ann Lee <ann@example.org>\nTo: bob@example.org\nDate: Fri, 03 May 2024 10:30:00 +0000\n"
        "Subject: Zebras in the garden – 石破\n\nThe zebra sleeps.\n\nAttached: plan.pdf"
    )
    assert (found.title, found.date) == ("Zebras in the garden – 石破", DAY)


def test_a_mail_that_does_not_tell_its_encoding_is_detected() -> None:
    data = b"From: a@b.c\nSubject: x\n\n" + "石破首相は電話で会談した。".encode("euc_jp")
    assert load("a.eml", data).text.endswith("石破首相は電話で会談した。")


def test_rich_text(sandbox: Sandbox) -> None:
    data = rb"{\rtf1\ansi\ansicpg1252{\info{\title On zebras}}{\b They} sleep, caf\'e9 \u26085?\par Well.}"
    found = sandbox.load("a.rtf", data)
    assert (found.text, found.title) == ("They sleep, café 日\nWell.", "On zebras")
    assert load("a.rtf", rb"{\rtf1\ansi\ansicpg932 \'93\'fa\'96\'7b}").text == "日本"
    assert reason("a.rtf", b"text") == "not an RTF file"


# Subtitles and data


def test_subtitles_are_what_is_said(sandbox: Sandbox) -> None:
    srt = (
        "1\n00:00:01,000 --> 00:00:02,000\n<i>The zebra</i>\n\n2\n00:00:02,100 --> 00:00:03,000\nsleeps.\n\n"
    )
    srt += "3\n00:01:00,000 --> 00:01:02,000\nLater.\n"
    vtt = "WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.000 align:start\n<v Ann>The zebra\n\n00:02.000 --> 00:03.000\nsleeps.\n"
    assert sandbox.load("a.srt", srt.encode()).text == "The zebra sleeps.\n\nLater."
    assert sandbox.load("a.vtt", vtt.encode()).text == "The zebra sleeps."
    assert reason("a.srt", b"hello") == "no subtitles in it"


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("a.csv", 'Name,Note\nZoe,"a, b\nc"\n', "Name: Zoe; Note: a, b c"),
        ("a.csv", "Name;Age\nZoe;3,5\n", "Name: Zoe; Age: 3,5"),
        ("a.tsv", "Name\tAge\nZoe\t3\n", "Name: Zoe; Age: 3"),
        ("a.csv", "1,2\n3,4\n", "1; 2\n3; 4"),
        ("a.csv", "Region,2021,2022\nNorth,5,6", "Region: North; 2021: 5; 2022: 6"),
        ("a.csv", "Name,Age\n", "Name; Age"),
        ("a.csv", "one column\nof text\n", "one column\nof text"),
        ("a.csv", "a,b\n1,2,3\n", "a: 1; b: 2; 3"),
    ],
)
def test_rows_of_a_table(file: str, text: str, expected: str) -> None:
    found = load(file, text.encode())
    assert (found.text, found.title) == (expected, file)


def test_json_is_names_and_values() -> None:
    data = (
        '{"title": "Zebras", "date": "2024-05-03", "tags": ["a", "b"], "at": {"city": "Oslo", "zip": 1},'
        ' "seen": [{"who": "Zoe", "big": true}, {"who": "Zack", "in": {"year": 2020.5}}], "none": null}'
    )
    found = load("a.json", data.encode())
    assert found.text == (
        "title: Zebras; date: 2024-05-03; tags: a, b\nat: city: Oslo; zip: 1\n\nseen: who: Zoe; big: true\n\n"
        "seen: who: Zack\nseen.in: year: 2020.5"
    )
    assert (found.title, found.date) == ("Zebras", DAY)


def test_lines_of_json_are_records() -> None:
    assert load("a.jsonl", b'{"q": "Who?"}\n\n{"q": "What?"}\n').text == "q: Who?\n\nq: What?"
    assert reason("a.jsonl", b'{"q": 1}\n{"q": \n') == "not JSON (line 2: Expecting value)"
    assert reason("a.json", b"[" * 100_000).startswith("it is damaged")


def test_invisible_characters_are_taken_out_of_what_is_extracted() -> None:
    sneaky = "ze\u200bbra\u202e sle\u00adeps\U000e0041\U000e0042 \ud83d".encode("utf-8", "surrogatepass")
    page = b"<p>" + sneaky.replace(b"\xed\xa0\xbd", b"") + b"</p>"
    assert load("a.html", page).text == "zebra sleeps"
    assert load("a.json", b'["lone \\ud83d surrogate"]').text == "lone  surrogate"
    assert load("a.html", "<p>👩\u200d👧 می\u200cخواهم</p>".encode()).text == "👩\u200d👧 می\u200cخواهم"


# Whatever the bytes

SEEDS = {
    "pdf": samples.pdf("The zebra sleeps."),
    "word": samples.word("The zebra sleeps."),
    "slides": samples.slides(("Zebras", "sleep", "")),
    "sheets": samples.sheets(Zebras=[["a", 1]]),
    "epub": samples.epub("<p>The zebra</p>"),
    "mail": samples.mail("The zebra sleeps.", "<p>The zebra</p>", "a.pdf"),
    "html": samples.page("<table><tr><td>zebra</table><pre>x"),
    "rtf": rb"{\rtf1\ansi\ansicpg1252 The zebra \'e9}",
    "subtitles": b"1\n00:00:01,000 --> 00:00:02,000\nzebra\n",
    "rows": b'a,b\n1,"2\n3"\n',
    "records": b'{"a": [1, {"b": "zebra"}]}',
}


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    """A file of which some bytes are others, or missing, or doubled."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, max(0, len(data) - 1)))
        data[start : start + draw(st.integers(0, 9))] = draw(st.binary(max_size=9))
    return bytes(data)


@LAW
@given(st.data())
def test_any_bytes_under_any_suffix_give_a_lawful_document_or_a_reason(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FORMATS)))
    suffix = data.draw(st.sampled_from(FORMATS[name].split()))
    content = data.draw(st.binary(max_size=200) | damaged(SEEDS.get(name, b"The zebra sleeps.")))
    try:
        document = load(f"a{suffix}", content)
    except LoadError as error:
        said = str(error)
    else:
        said = "nothing"
        check(document, extracted=name not in HARMLESS)
    assert said.isprintable()


def check(document: Document, extracted: bool) -> None:
    """The laws that every document obeys."""
    assert document.text.strip()
    assert document.title == " ".join(document.title.split()) != ""
    document.text.encode()
    document.title.encode()
    assert "\0" not in document.text
    assert all(
        0 <= one <= two <= len(document.text)
        for one, two in pairwise((*document.page_starts, len(document.text)))
    )
    if extracted:
        assert document.text == document.text.strip()
        assert "\r" not in document.text
    for piece in split(document):
        assert document.text[piece.start : piece.end].strip()
