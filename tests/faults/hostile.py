"""Files that are made to stop, fill or crash whatever reads them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from zipfile import ZIP_DEFLATED, ZipFile

import xlsxwriter

from tests.index import samples

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE x [<!ENTITY e0 "zebra">{ENTITIES}]>'
THIEF = '<!DOCTYPE x [<!ENTITY e9 SYSTEM "file:///etc/passwd">]>'


def word_with(body: bytes, before: bytes = b"", times: int = 1) -> bytes:
    """A Word document of so many equal paragraphs, written piece by piece."""
    target = io.BytesIO()
    with ZipFile(io.BytesIO(samples.word("x"))) as source, ZipFile(target, "w", ZIP_DEFLATED) as made:
        for name in source.namelist():
            if name != "word/document.xml":
                made.writestr(name, source.read(name))
        with made.open("word/document.xml", "w", force_zip64=True) as part:
            part.write(before + f'<w:document xmlns:w="{WORD}"><w:body>'.encode())
            for _ in range(times // 10_000):
                part.write(body * 10_000)
            part.write(body * (times % 10_000) + b"</w:body></w:document>")
    return target.getvalue()


def paragraph(text: str) -> bytes:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>".encode()


def book_with(before: str, text: str) -> bytes:
    return samples.packed({
        "META-INF/container.xml": f"""{before}<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
        <rootfiles><rootfile full-path="c.opf"/></rootfiles>{text}</container>""".encode(),
        "c.opf": f"""{before}<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
        <metadata><dc:title>{text}</dc:title></metadata><manifest><item id="a" href="a" media-type="text/html"/>
        </manifest><spine><itemref idref="a"/></spine></package>""".encode(),
        "a": f"{before}<html><body>{text} zebra</body></html>".encode(),
    })  # fmt: skip


def pdf_of(content: bytes, filters: str = "", catalog: str = "", page: str = "") -> bytes:
    """A PDF of one page with this stream."""
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        f"<< /Type /Pages /Kids [{page or '3 0 R'}] /Count 1 >>".encode(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R"
        b" /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), filters.encode(), content),
    ]
    made, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(made)
    return made + b"xref\n0 5\n0000000000 65535 f \n" + table + trailer


def squeezed(size: int, times: int = 1) -> bytes:
    """So many spaces, packed, and packed again."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b" " * 1_000_000) for _ in range(size // 1_000_000)) + packer.flush()
    for _ in range(times - 1):
        data = zlib.compress(data, 9)
    return data


def many_pages(count: int) -> bytes:
    """A PDF of so many pages that all share one stream of real text."""
    stream = b"BT /F 12 Tf 10 50 Td (The zebra sleeps under a wide tree.) Tj 0 -14 Td (It dreams.) Tj ET"
    made = io.BytesIO()
    made.write(b"%PDF-1.4\n")
    places = []
    kids = b" ".join(b"%d 0 R" % number for number in range(5, 5 + count))
    font = b"<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 3 0 R /Resources 4 0 R >>"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        font,
        *[page] * count,
    ]
    for number, body in enumerate(bodies, 1):
        places.append(made.tell())
        made.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = made.tell()
    made.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
    made.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    made.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(places) + 1, start))
    return made.getvalue()


def lying_zip(data: bytes) -> bytes:
    """A package whose largest file says that it is small."""
    with ZipFile(io.BytesIO(data)) as package:
        size = max(info.file_size for info in package.infolist())
    return data.replace(struct.pack("<I", size), struct.pack("<I", 99))


def far_cells() -> bytes:
    """A workbook of little text that spans a million rows and all columns."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet("far")
        for row in range(0, 1_048_576, 500):
            sheet.write(row, 16_383, "zebra")
    return target.getvalue()


def nested_mail(depth: int) -> bytes:
    lines = [b"From: a@b.c", b"Subject: x"]
    for number in range(depth):
        lines += [b'Content-Type: multipart/mixed; boundary="b%d"' % number, b"", b"--b%d" % number]
    return b"\n".join([*lines, b"Content-Type: text/plain", b"", b"zebra"])


def giant_zip() -> bytes:
    target = io.BytesIO()
    with (
        ZipFile(target, "w", ZIP_DEFLATED) as made,
        made.open("OEBPS/a.xhtml", "w", force_zip64=True) as part,
    ):
        for _ in range(210):
            part.write(b" " * 1_000_000)
    return target.getvalue()


# Name: suffix, what makes it, and the reason why it is not read; "" when it is.
HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "210 MB of text": ("docx", lambda: word_with(paragraph("x" * 99_960), times=2_100), "unpacks to more than"),
    "a package that lies": ("docx", lambda: lying_zip(word_with(paragraph("x" * 960), times=50_000)), "damaged|memory"),
    "entities of entities, Word": ("docx", lambda: word_with(paragraph("&e9;"), BOMB.encode()), "damaged"),
    "a foreign entity, Word": ("docx", lambda: word_with(paragraph("&e9;"), THIEF.encode()), "no text"),
    "100,000 levels, Word": ("docx", lambda: word_with(b"<w:sdt>" * 100_000 + b"</w:sdt>" * 100_000), "damaged"),
    "entities of entities, book": ("epub", lambda: book_with(BOMB, "&e9;"), "damaged"),
    "a foreign entity, book": ("epub", lambda: book_with(THIEF, "&e9;"), ""),
    "paths out of the package": ("epub", lambda: samples.packed({"../../../tmp/evil": b"x"}), "not an EPUB"),
    "210 MB packed": ("epub", giant_zip, "unpacks to more than"),
    "a flate bomb": ("pdf", lambda: pdf_of(squeezed(100_000_000), "/Filter /FlateDecode"), "unpacks to more"),
    "a flate bomb in another": (
        "pdf", lambda: pdf_of(squeezed(100_000_000, 2), "/Filter [/FlateDecode /FlateDecode]"), "unpacks to more"
    ),
    "pages in a circle": ("pdf", lambda: pdf_of(b"", page="2 0 R"), "damaged"),
    "a cross-reference to nowhere": (
        "pdf", lambda: pdf_of(b"BT (zebra) Tj ET").replace(b"startxref\n", b"startxref\n99999"), ""
    ),
    "100,000 arrays": ("pdf", lambda: pdf_of(b"", catalog="/X " + "[" * 100_000), "damaged"),
    "100,000 levels of content": ("pdf", lambda: pdf_of(b"[" * 100_000), "no text"),
    "100,000 levels, page": ("html", lambda: b"<div>" * 100_000 + b"zebra", "no text"),
    "100,000 levels of letters": ("html", lambda: b"<b>" * 100_000 + b"zebra", "no text"),
    "entities of entities, page": ("html", lambda: f"{BOMB}<p>&e9;".encode(), ""),
    "100,000 levels, JSON": ("json", lambda: b"[" * 100_000, "damaged"),
    "a number of 1,000,000 digits": ("json", lambda: b"9" * 1_000_000, "damaged"),
    "100,000 levels, rich text": ("rtf", lambda: b"{\\rtf1 " + b"{" * 100_000 + b"zebra", ""),
    "1,000 levels, mail": ("eml", lambda: nested_mail(1_000), "damaged"),
    "one line of 10 MB": ("txt", lambda: b"a" * 10_000_000, ""),
}  # fmt: skip
LARGE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "3,000,000 paragraphs": ("docx", lambda: word_with(paragraph("a"), times=3_000_000), "memory"),
    "a cell far out": ("xlsx", far_cells, "longer than|memory|^$"),
    "10,000 pages": ("pdf", lambda: many_pages(10_000), "longer than|^$"),
    "100,000 pages": ("pdf", lambda: many_pages(100_000), "longer than|memory"),
    "40 MB of tags": ("html", lambda: b"<p>a" * 10_000_000, "memory"),
    "a table of 3,000,000 cells": ("html", lambda: b"<table><tr>" + b"<td>a" * 3_000_000, "memory"),
    "40 MB of lists": ("json", lambda: b"[" + b"[]," * 13_000_000 + b"[]]", "memory"),
    "36 MB of rich text": ("rtf", lambda: b"{\\rtf1 " + b"\\par a" * 6_000_000, "longer than|memory|^$"),
    "10,000,000 columns": ("csv", lambda: b"a," * 10_000_000 + b"\n" + b"b," * 10_000_000, "longer than|memory"),
    "10,000,000 rows": ("csv", lambda: b"a,b\n" * 10_000_000, "longer than|memory|^$"),
    "one quote": ("csv", lambda: b'"' + b"a,b\n" * 10_000_000, "memory|^$"),
    "1,000,000 subtitles": (
        "srt", lambda: b"1\n00:00:01,000 --> 00:00:02,000\na\n\n" * 1_000_000, "longer than|memory|broke"
    ),
    "20,000,000 lines": ("txt", lambda: b"a\n" * 20_000_000, ""),
}  # fmt: skip
