"""Files of every format, made by writers that are not the readers under test."""

from __future__ import annotations

import datetime
import io
import zipfile
from email.message import EmailMessage

import docx
import xlsxwriter
from fpdf import FPDF
from pptx import Presentation
from pptx.util import Inches

MOMENT = datetime.datetime(2024, 5, 3, 10, 30, tzinfo=datetime.UTC)
ANIMALS = [["Animal", "Weight", "Seen"], ["Zebra", "350 kg", "3 May"], ["Lion", "190 kg", ""]]


def pdf(*pages: str, title: str = "", password: str | None = None, owner: str | None = None) -> bytes:
    """A PDF with a paragraph for each line of a page."""
    made = FPDF()
    made.set_creation_date(MOMENT)
    made.set_title(title)
    made.set_font("Helvetica", size=11)
    for page in pages:
        made.add_page()
        for line in page.split("\n"):
            made.multi_cell(0, 6, line, align="L", new_x="LMARGIN", new_y="NEXT")
            made.ln(3)
    if owner:
        made.set_encryption(owner_password=owner, user_password=password)
    return bytes(made.output())


def lines(text: str) -> bytes:
    """A PDF of one page with its lines broken where the text is."""
    made = FPDF()
    made.set_font("Helvetica", size=11)
    made.add_page()
    for line in text.split("\n"):
        made.cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")
    return bytes(made.output())


def word(*paragraphs: str, title: str = "") -> bytes:
    """A Word document with a table behind its paragraphs."""
    made = docx.Document()
    made.core_properties.title = title
    made.core_properties.modified = MOMENT
    for paragraph in paragraphs:
        made.add_paragraph(paragraph, style="Heading 1" if paragraph.startswith("About") else None)
    table = made.add_table(rows=0, cols=3)
    for row in ANIMALS:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    return _bytes(made)


def slides(*pages: tuple[str, str, str]) -> bytes:
    """A slide for each title, body and note."""
    made = Presentation()
    made.core_properties.modified = MOMENT
    for title, body, note in pages:
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
        slide.notes_slide.notes_text_frame.text = note
    table = made.slides[-1].shapes.add_table(3, 3, Inches(1), Inches(1), Inches(5), Inches(2)).table
    for row, cells in enumerate(ANIMALS):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    return _bytes(made)


def sheets(**rows: list[list[object]]) -> bytes:
    """A workbook with a sheet for each name."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "remove_timezone": True}) as book:
        book.set_properties({"created": MOMENT})
        day, percent = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "0.0%"})
        for name, table in rows.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(table):
                for column, value in enumerate(row):
                    form = day if isinstance(value, datetime.date) else percent if value == 0.125 else None
                    sheet.write(number, column, value, form)
    return target.getvalue()


def epub(*chapters: str, title: str = "The book of zebras", encrypted: bool = False) -> bytes:
    """A book; its files lie in another order than its chapters."""
    items = [(f"c{number}", f"text/{number} x.xhtml", text) for number, text in enumerate(chapters)]
    opf = f"""<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">
    <metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title><dc:date>2019-02-01</dc:date>
    </metadata><manifest>{"".join(f'<item id="{i}" href="{p.replace(" ", "%20")}" media-type="application/xhtml+xml"/>' for i, p, _ in items)}
    </manifest><spine>{"".join(f'<itemref idref="{i}"/>' for i, _, _ in items)}</spine></package>"""
    container = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>
    <rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
    files = {f"OEBPS/{path}": page(text) for _, path, text in reversed(items)}
    files |= {"META-INF/container.xml": container.encode(), "OEBPS/content.opf": opf.encode()}
    if encrypted:
        files["META-INF/encryption.xml"] = (
            b'<encryption><CipherReference URI="OEBPS/text/0 x.xhtml"/></encryption>'
        )
    return packed(files)


def page(body: str) -> bytes:
    """An XHTML page."""
    return f'<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{body}</body></html>'.encode()


def packed(files: dict[str, bytes]) -> bytes:
    """A zip file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path, data in files.items():
            package.writestr(path, data)
    return target.getvalue()


def mail(text: str, html: str = "", attached: str = "") -> bytes:
    """An e-mail."""
    made = EmailMessage()
    made["From"], made["To"] = "Ann Lee <ann@example.org>", "bob@example.org"
    made["Subject"], made["Date"] = "Zebras in the garden – 石破", MOMENT
    made.set_content(text) if text else None
    if html:
        made.add_alternative(html, subtype="html") if text else made.set_content(html, subtype="html")
    if attached:
        made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename=attached)
    return bytes(made)


def _bytes(made: docx.document.Document | Presentation) -> bytes:
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()
