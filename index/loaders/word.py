"""Word documents: paragraphs and tables in their order, then the footnotes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from index.dates import document_date
from index.loaders.package import office_properties, open_package
from index.loaders.parts import clean, document, rows_as_lines
from index.types import Document

_TEXT, _PARAGRAPH, _TABLE = qn("w:t"), qn("w:p"), qn("w:tbl")
_SPACES = {
    qn("w:tab"): "\t",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
    _PARAGRAPH: "\n",
}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADINGS = ("Title", "Titel", "Heading", "berschrift", "Titre")


def load(file: str, data: bytes) -> Document:
    """Return the text of a document as it is shown: with insertions, without deleted and hidden text."""
    title, saved = office_properties(open_package(data, "Word"))
    source = docx.Document(io.BytesIO(data))
    blocks = [*_blocks(source.element.body), *_footnotes(source.part)]
    text = clean("\n\n".join(blocks))
    title = title or _heading(source.element.body)
    return document(file, text, title=title, date=document_date(text) or saved)


def _blocks(parent: Any) -> Iterator[str]:
    """The text of each paragraph and table, those in boxes and fields to fill in included."""
    for element in parent.iterchildren():
        if element.tag == _PARAGRAPH:
            yield _text(element)
        elif element.tag == _TABLE:
            yield "\n".join(rows_as_lines(_rows(element)))
        elif element.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:footnote"), qn("w:endnote")):
            yield from _blocks(element)


def _rows(table: Any) -> Iterator[list[str]]:
    for row in table.iter(qn("w:tr")):
        yield [_text(cell) for cell in row.iterchildren(qn("w:tc"))]


def _text(element: Any) -> str:
    """The text below an element."""
    pieces = []
    for each in element.iter(_TEXT, *_SPACES):
        if each is not element and not _hidden(each, element):
            pieces.append(each.text or "" if each.tag == _TEXT else _SPACES[each.tag])
    return "".join(pieces).strip()


def _hidden(element: Any, above: Any) -> bool:
    """Whether Word does not show a piece of text, or shows another one in its place."""
    run = element.getparent()
    properties = run.find(qn("w:rPr")) if run.tag == qn("w:r") else None
    if properties is not None and properties.find(qn("w:vanish")) is not None:
        return True
    while element is not None and element is not above:
        if element.tag == _FALLBACK or element.tag in (qn("w:moveFrom"), qn("w:pPr")):
            return True
        element = element.getparent()
    return False


def _footnotes(part: Any) -> Iterator[str]:
    for kind in (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES):
        for relation in part.rels.values():
            if relation.reltype == kind and not relation.is_external:
                yield from _blocks(parse_xml(relation.target_part.blob))


def _heading(body: Any) -> str:
    """The first paragraph that is styled as a title or heading."""
    for style in body.iter(qn("w:pStyle")):
        if str(style.get(qn("w:val"))).startswith(_HEADINGS):
            return _text(style.getparent().getparent())
    return ""
