"""Subtitles: what is said, without the times, as paragraphs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import pysubs2

from index.errors import LoadError
from index.loaders.encoding import decode
from index.loaders.parts import clean, document
from index.types import Document

PAUSE = 2000
"""Milliseconds of silence that end a paragraph."""
PARAGRAPH = 400
"""A paragraph of so many characters ends with its sentence."""


def load(file: str, data: bytes) -> Document:
    """Return what is said; sentences that go on in the next subtitle are whole.

    Raises:
        LoadError: If there are no subtitles in it.
    """
    form = PurePosixPath(file).suffix.lower().removeprefix(".")
    try:
        said = pysubs2.SSAFile.from_string(decode(data), format_=form)
    except pysubs2.Pysubs2Error as error:
        raise LoadError(f"no subtitles in it ({type(error).__name__})") from error
    if not said.events:
        raise LoadError("no subtitles in it")
    return document(file, clean("\n\n".join(_paragraphs(said))), title=PurePosixPath(file).name)


def _paragraphs(said: pysubs2.SSAFile) -> Iterator[str]:
    whole, end = "", 0
    for event in said.events:
        line = " ".join(event.plaintext.split())
        finished = len(whole) > PARAGRAPH and whole.endswith((".", "!", "?", "。", "！", "？", "…", "”"))
        if whole and (finished or event.start - end > PAUSE):
            yield whole
            whole = ""
        whole, end = f"{whole} {line}".strip(), event.end
    yield whole
