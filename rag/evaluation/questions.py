"""The questions file: one JSON object a line.

    {"question": "When was the lamp lit?", "answerable": true,
     "contains": ["1871", ["lighthouse", "tower"]],
     "evidence": [{"file": "harbour/log.txt", "quote": "lit for the first time on 3 May 1871"}]}
    {"question": "Who paid for it?", "answerable": false, "history": [["When was the lamp lit?", "In 1871."]]}

An answer is right when each item of `contains`, or one of its alternatives, stands in it as whole
words, upper or lower case, and when a citation overlaps a quote of `evidence`. Either may be left
out. A question that the documents do not answer has neither, and is right when it is refused.
`history`, `id` and `type` are optional; blank lines are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from rag.errors import QuestionsError


def _as_tuple(value: Any) -> Any:
    """One string as its only alternative, a list as what the strict model takes."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Words = Annotated[str, StringConstraints(pattern=r"\S")]
"""Text that is more than space."""
Alternatives = Annotated[
    tuple[Words, ...],
    Field(min_length=1),
    BeforeValidator(_as_tuple),
]
_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
_SAYINGS = {
    "missing": "is missing",
    "extra_forbidden": "is not a key that is known here",
    "string_pattern_mismatch": "is blank",
    "bool_type": "must be true or false",
    "string_type": "must be a string",
    "tuple_type": "must be a list",
}


class Source(BaseModel):
    """A passage that answers a question."""

    model_config = _STRICT

    file: Words
    """Path relative to the corpus folder, with `/` separators."""
    quote: Words
    """Words of the file, character for character."""


class Case(BaseModel):
    """One question and what a right answer to it is."""

    model_config = _STRICT

    question: Words
    answerable: bool
    """Whether the documents hold the answer."""
    history: tuple[tuple[str, str], ...] = ()
    """Earlier turns as (question, answer), oldest first."""
    contains: tuple[Alternatives, ...] = ()
    """What a right answer says; each item is a string or a list of alternatives."""
    evidence: tuple[Source, ...] = ()
    """Passages of which a right answer cites at least one."""
    id: Words = ""
    """The line's number when not given."""
    type: Words = "other"
    """Figures are also broken down by it."""

    @model_validator(mode="after")
    def _wants_something(self) -> Self:
        if self.answerable and not (self.contains or self.evidence):
            raise ValueError("an answerable question needs `contains`, `evidence` or both")
        if not self.answerable and (self.contains or self.evidence):
            raise ValueError("an unanswerable question takes neither `contains` nor `evidence`")
        return self


@dataclass(frozen=True, slots=True)
class Questions:
    """A questions file, read."""

    path: Path
    cases: Mapping[int, Case]
    """By line number, from 1."""

    def wrong(self, line: int, what: str) -> QuestionsError:
        """Return an error that names the file and a line."""
        return _wrong(self.path, line, what)


def load_questions(path: Path) -> Questions:
    """Read a questions file.

    Raises:
        QuestionsError: If it cannot be read, holds no question, or a line is wrong; the message
            names the file, the line and what is wrong with it.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise QuestionsError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise QuestionsError(f"{path} is not UTF-8 text (byte {error.start}).") from error
    cases: dict[int, Case] = {}
    numbers: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        case = _read(path, number, line)
        if case.id in numbers:
            raise _wrong(path, number, f"the id {case.id!r} is that of line {numbers[case.id]}")
        cases[number], numbers[case.id] = case, number
    if not cases:
        raise QuestionsError(f"{path} holds no questions.")
    return Questions(path, cases)


def _read(path: Path, number: int, line: str) -> Case:
    try:
        case = Case.model_validate_json(line)
    except ValidationError as error:
        raise _wrong(path, number, _explain(error)) from error
    return case if case.id else case.model_copy(update={"id": f"line {number}"})


def _explain(error: ValidationError) -> str:
    """The first thing that is wrong with a line, without a full stop."""
    first: Any = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return f"it is not JSON ({first['ctx']['error']})"
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    place = ".".join(str(part) for part in first["loc"])
    saying = _SAYINGS.get(first["type"]) or first["msg"][0].lower() + first["msg"][1:]
    return (
        f"{place} {saying}"
        if place in Case.model_fields or first["type"] in _SAYINGS
        else f"{place}: {saying}"
    )


def _wrong(path: Path, line: int, what: str) -> QuestionsError:
    return QuestionsError(f"{path}, line {line}: {what}.")
