"""Tables as text, with commas, semicolons or tabs: a line for each row."""

from __future__ import annotations

import csv
import io
from itertools import islice
from pathlib import PurePosixPath

from index.loaders.encoding import decode
from index.loaders.parts import clean, document, rows_as_lines
from index.types import Document

SAMPLE = 20
"""So many lines tell what separates the cells."""


def load(file: str, data: bytes) -> Document:
    """Return the rows as lines; the title is the file's name."""
    content = decode(data)
    csv.field_size_limit(len(content))
    rows = csv.reader(io.StringIO(content, newline=""), delimiter=_delimiter(content))
    text = clean("\n".join(rows_as_lines(rows)))
    return document(file, text, title=PurePosixPath(file).name)


def _delimiter(text: str) -> str:
    """What occurs in most of the first lines, and there as often as in the very first."""
    lines = list(islice(io.StringIO(text), SAMPLE))

    def agreement(delimiter: str) -> int:
        count = lines[0].count(delimiter)
        return sum(line.count(delimiter) == count for line in lines) if count else 0

    return max(",;\t|", key=agreement)
