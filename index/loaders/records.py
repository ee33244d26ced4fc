"""JSON: the names and values of each record on lines that can be understood alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from index.errors import LoadError
from index.loaders.encoding import decode
from index.loaders.parts import clean, document, iso_date
from index.types import Document

LINE = 400
"""Values of a record stand on one line, unless it would be longer."""
TITLES = ("title", "headline", "name")
DATES = (
    "modified",
    "updated",
    "updated_at",
    "dateModified",
    "date",
    "published",
    "published_at",
    "datePublished",
)


def load(file: str, data: bytes) -> Document:
    """Return each value with its name; `.jsonl` has a record on each line.

    Raises:
        LoadError: If it is no JSON; the reason names the line.
    """
    text = decode(data)
    whole = PurePosixPath(file).suffix.lower() == ".json"
    records = [_parsed(text, 1)] if whole else _records(text)
    about = records[0] if whole and isinstance(records[0], dict) else {}
    title = next((about[key] for key in TITLES if isinstance(about.get(key), str)), PurePosixPath(file).name)
    dates = (iso_date(about[key]) for key in DATES if isinstance(about.get(key), str))
    shown = clean("\n\n".join("\n".join(_lines(record, "")) for record in records))
    return document(file, shown, title=title, date=next(filter(None, dates), None))


def _records(text: str) -> list[Any]:
    lines = enumerate(text.split("\n"), 1)
    return [_parsed(line, number) for number, line in lines if line.strip()]


def _parsed(text: str, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise LoadError(f"not JSON (line {line + error.lineno - 1}: {error.msg})") from error


def _lines(value: Any, name: str) -> Iterator[str]:
    """A value below the name that leads to it, such as `address.city`."""
    if isinstance(value, dict):
        yield from _fields(value, name)
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for item in value:
            yield ""
            yield from _lines(item, name)
    else:
        shown = _shown(value)
        yield f"{name}: {shown}" if name else shown


def _fields(record: dict[str, Any], name: str) -> Iterator[str]:
    simple = {key: _shown(value) for key, value in record.items() if _is_simple(value)}
    fields = [f"{key}: {value}" for key, value in simple.items() if value]
    line = "; ".join(fields)
    if len(line) <= LINE and "\n" not in line:
        fields = [line]
    yield from (f"{name}: {field}" if name else field for field in fields if field)
    for key, value in record.items():
        if key not in simple:
            yield from _lines(value, f"{name}.{key}" if name else key)


def _is_simple(value: Any) -> bool:
    if isinstance(value, list):
        return not any(isinstance(item, (dict, list)) for item in value)
    return not isinstance(value, dict)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)
