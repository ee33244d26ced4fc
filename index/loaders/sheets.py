"""Excel: a page for each sheet, a line for each row."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import openpyxl

from index.dates import document_date
from index.loaders.package import office_properties, open_package
from index.loaders.parts import document, paged, rows_as_lines
from index.types import Document


def load(file: str, data: bytes) -> Document:
    """Return all sheets, each under its name; formulas as the values they had when the file was saved."""
    title, saved = office_properties(open_package(data, "Excel"))
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    text, starts = paged("\n".join(_lines(sheet)) for sheet in book.worksheets)
    title = title or PurePosixPath(file).name
    return document(file, text, title=title, date=document_date(text) or saved, page_starts=starts)


def _lines(sheet: Any) -> Iterator[str]:
    sheet.reset_dimensions()  # A file may claim a million empty rows.
    lines = rows_as_lines([_shown(cell) for cell in row] for row in sheet.iter_rows())
    first = next(lines, None)
    if first is not None:
        yield sheet.title
        yield first
        yield from lines


def _shown(cell: Any) -> str:
    """A cell as a reader sees it, near enough: dates, percentages, no digits that only a computer has."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        return (
            value.isoformat(" ", "minutes") if value.time() != datetime.time() else value.date().isoformat()
        )
    if isinstance(value, (int, float)):
        percent = "%" in (cell.number_format or "")
        return (
            f"{value * 100:.12g}%" if percent else f"{value:.15g}" if isinstance(value, float) else str(value)
        )
    return str(value)
