from __future__ import annotations

import time
from contextlib import suppress
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import loaders
from index.errors import LoadError
from index.loaders import FORMATS, load
from index.loaders.parts import TITLE_CHARACTERS
from index.types import Document
from tests.index.strategies import LAW, texts

suffixes = st.sampled_from([".txt", ".md", ".markdown", ".TXT"])


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Windows\r\nlines\r\n",
        "old\rMac",
        " \n space kept \n ",
        "日本語\n",
        "e\u0301 and é",
        "tab\tand\x0cform feed",
    ],
)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_the_text_is_the_file_and_only_the_bom_is_dropped(text: str, bom: bytes) -> None:
    assert load("a.txt", bom + text.encode()).text == text


def test_only_the_first_bom_is_dropped() -> None:
    assert load("a.txt", "\ufeff\ufefftext".encode()).text == "\ufefftext"


@pytest.mark.parametrize(
    ("file", "data", "reason"),
    [
        pytest.param("a.txt", "日本"[:1].encode()[:2], "encoding unclear", id="cut in the only character"),
        pytest.param("a.txt", b"\xff\xfe\x00", "encoding unclear", id="half a UTF-16"),
        pytest.param("a.txt", "Grüße".encode("utf-16-le"), "binary", id="UTF-16 without a mark"),
        pytest.param("a.txt", b"%PDF-1.7\n%\xe2\xe3", "a PDF file under a wrong suffix", id="PDF"),
        pytest.param("a.md", b"PK\x03\x04\x14\0", "a zip file or an office document", id="zip"),
        pytest.param("a.txt", b"\x7fELF\x02\x01\x01\0\0\0\xff", "a program", id="program"),
        pytest.param("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture", id="picture"),
        pytest.param("a.txt", b"text with \0 inside", "binary", id="NUL"),
        pytest.param("a.txt", bytes(range(1, 9)) * 9 + b"text", "binary", id="control characters"),
        pytest.param("a.txt", b"", "no text", id="empty"),
        pytest.param("a.md", b" \r\n\t\n", "no text", id="blank"),
        pytest.param("a.txt", b"\xef\xbb\xbf", "no text", id="only a BOM"),
        pytest.param("a.png", b"text", r"^\.png is not a format", id="unknown suffix"),
        pytest.param("a.doc", b"text", r"^\.doc is not .*: save it as \.docx", id="old office format"),
        pytest.param("PLAN", b"text", "without a suffix", id="no suffix"),
        pytest.param("folder.txt/PLAN", b"text", "without a suffix", id="suffix of the folder"),
        pytest.param("a.txt.gz", b"text", r"^\.gz", id="two suffixes"),
    ],
)
def test_what_is_not_a_text_is_refused_with_a_reason(file: str, data: bytes, reason: str) -> None:
    with pytest.raises(LoadError, match=reason):
        load(file, data)


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaders, "MAX_BYTES", 1_000_000)
    assert load("a.txt", b"x" * 1_000_000).text
    with pytest.raises(LoadError, match="larger than 1 MB"):
        load("a.txt", b"x" * 1_000_001)


@pytest.mark.parametrize(
    ("file", "text", "title"),
    [
        ("a.txt", "First line\nSecond line", "First line"),
        ("a.txt", "\n\r\n  Indented \nmore", "Indented"),
        ("a.txt", "# Hash\n", "Hash"),
        ("b/a.txt", "###\n", "a.txt"),
        ("a.md", "Preface\n\n## The *heading* ##\n", "The *heading*"),
        ("a.md", "# C#\n", "C#"),
        ("a.md", "#\tTab \r\nmore", "Tab"),
        ("a.md", "No heading\nhere", "No heading"),
        ("a.md", "#hashtag first\n# Real", "Real"),
        ("a.md", "# #\ntext", "text"),
        ("a.md", "#\n\ntext", "text"),
        ("a.md", "# #\n", "a.md"),
        ("a.md", "---\ntitle: 'In front'\ndate: 2024-05-03\n---\n# Heading\n", "In front"),
        ("a.md", "---\ndate: 2024-05-03\n---\n\n# Heading\n", "Heading"),
        ("a.md", "---\ndate: 2024-05-03\n---\n\nNo heading\n", "No heading"),
        ("a.md", "---\ntitle: >-\n  folded\n---\n# Heading\n", "Heading"),
        ("a.md", '+++\ntitle = "In TOML"\n+++\ntext', "In TOML"),
        ("a.md", "---\nA rule opens a document.\n", "A rule opens a document."),
        ("a.md", "```sh\n# a comment\n```\n\n## Heading\n", "Heading"),
        ("a.txt", "May 3, 2024\n\nThe headline\nmore", "The headline"),
        ("a.txt", "=====\nThe headline\n=====", "The headline"),
        ("a.txt", "2024年5月3日\n石破首相", "石破首相"),
        ("a.txt", "May 3, 2024", "a.txt"),
        ("src/a.py", "# a comment\nimport os\n", "a.py"),
        ("README", "Zebra tools\n", "Zebra tools"),
        ("Makefile", "all: zebra\n", "Makefile"),
        ("A.MD", "# 石破首相\n", "石破首相"),
    ],
)
def test_titles(file: str, text: str, title: str) -> None:
    assert load(file, text.encode()).title == title


def test_a_long_title_is_cut_between_words() -> None:
    title = load("a.txt", b"many words " * 100).title
    assert title.endswith("words …") or title.endswith("many …")
    assert len(title) <= TITLE_CHARACTERS + 2


def test_a_heading_made_to_stall_the_reader_does_not() -> None:
    started = time.perf_counter()
    load("a.md", b"# a" + b" " * 50_000 + b"b" + b"#" * 50_000 + b" c\n")
    assert time.perf_counter() - started < 5


def test_every_format_has_a_reader_and_no_suffix_has_two() -> None:
    suffixes = " ".join(FORMATS.values()).split()
    assert len(suffixes) == len(set(suffixes))
    for name in FORMATS:
        assert callable(import_module(f"index.loaders.{name}").load)


def read(file: str, data: bytes) -> Document | str:
    """The document, or the reason why there is none."""
    try:
        return load(file, data)
    except LoadError as error:
        return str(error)


@LAW
@given(st.binary() | texts.map(str.encode), suffixes)
def test_any_bytes_give_a_document_or_a_reason(data: bytes, suffix: str) -> None:
    found = read(f"a{suffix}", data)
    if isinstance(found, str):
        assert found.isprintable()
    else:
        with suppress(UnicodeDecodeError):
            assert found.text == data.decode("utf-8-sig") or b"\x1b$" in data
        assert found.title.strip() == found.title != ""
        assert "\n" not in found.title


@LAW
@given(st.text(), st.binary(max_size=20))
def test_any_name_gives_a_document_or_a_reason(file: str, data: bytes) -> None:
    assert read(file, data)
