"""PowerPoint: a page for each slide, with its notes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from pptx import Presentation

from index.dates import document_date
from index.loaders.package import office_properties, open_package
from index.loaders.parts import document, paged, rows_as_lines
from index.types import Document


def load(file: str, data: bytes) -> Document:
    """Return the text of all slides, their notes behind each."""
    title, saved = office_properties(open_package(data, "PowerPoint"))
    source = Presentation(io.BytesIO(data))
    text, starts = paged("\n".join(_lines(slide)) for slide in source.slides)
    title = "" if title == "PowerPoint Presentation" else title
    date = document_date(text) or saved
    return document(file, text, title=title, date=date, page_starts=starts)


def _lines(slide: Any) -> Iterator[str]:
    yield from _shapes(slide.shapes)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        yield slide.notes_slide.notes_text_frame.text


def _shapes(shapes: Any) -> Iterator[str]:
    for shape in shapes:
        if shape.has_text_frame:
            yield from (paragraph.text for paragraph in shape.text_frame.paragraphs)
        elif getattr(shape, "has_table", False):
            yield from rows_as_lines([cell.text for cell in row.cells] for row in shape.table.rows)
        elif hasattr(shape, "shapes"):  # a group
            yield from _shapes(shape.shapes)
