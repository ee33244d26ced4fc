"""Ask a question of a file and judge the answer against what was wanted."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from index import LoadError
from index.loaders import load
from rag.evaluation.questions import Case, Questions
from rag.types import Answer

if TYPE_CHECKING:
    from rag.assistant import Assistant

Progress = Callable[[int, int], None]
"""Told how many questions are done, of how many."""
Place = tuple[str, int, int]
"""File, start and end of a stretch of its text."""
SHOWN = 30
"""So many characters of a quote that is not found are shown."""

_marker = re.compile(r"(?<!\\)\[\d+\]")
_bold = re.compile(r"(?<!\\)\*\*")
_escape = re.compile(r"\\([!-/:-@\[-`{-~])")
_quotes = str.maketrans("‘’“”", "''\"\"")


class Texts:
    """The files of a corpus, read from the disk and not from the index."""

    def __init__(self, corpus: Path) -> None:
        self._corpus = corpus
        self._texts: dict[str, str | None] = {}

    def get(self, file: str) -> str | None:
        """Return the text of a file, or None if there is no such file or it cannot be read."""
        if file not in self._texts:
            try:
                self._texts[file] = load(file, (self._corpus / file).read_bytes()).text
            except (OSError, ValueError, LoadError):
                self._texts[file] = None
        return self._texts[file]


@dataclass(frozen=True)
class Outcome:
    """A question of the file, its answer, and how the two compare."""

    line: int
    """Where the question stands in its file."""
    case: Case
    answer: Answer
    milliseconds: float
    wanted: tuple[Place, ...]
    """Where the evidence stands, each place of a quote that occurs several times."""
    rank: int | None
    """Place, from 1, of the first retrieved chunk with evidence; None when there is none."""
    cited: bool
    """Whether a citation overlaps evidence; True for an answer when none is asked for."""
    missing: tuple[str, ...]
    """What the answer should contain and does not, alternatives joined by `or`."""
    altered: tuple[int, ...]
    """Numbers of the citations whose quote is not what the file holds there."""
    uncited: tuple[str, ...]
    """Claims without a citation that exists; the whole text of an answer that makes no claim."""

    @property
    def given(self) -> bool:
        """Whether there is an answer, in full or in part."""
        return self.answer.status != "abstained"

    @property
    def said(self) -> bool:
        """Whether an answer was given and contains all it should."""
        return self.given and not self.missing

    @property
    def right(self) -> bool:
        """Whether the question was answered as wanted or, where there is no answer, refused."""
        return self.said and self.cited if self.case.answerable else not self.given

    @property
    def lawful(self) -> bool:
        """Whether each quote is verbatim and each claim cited."""
        return not self.altered and not self.uncited

    @cached_property
    def quoted_words(self) -> int:
        """Number of words in all the quotes together."""
        return sum(len(citation.quote.split()) for citation in self.answer.citations)


def ask_all(bot: Assistant, questions: Questions, progress: Progress | None = None) -> Iterator[Outcome]:
    """Ask each question and judge its answer, in the order of the file.

    The first one is asked twice, so that loading the model is in nobody's time.

    Raises:
        QuestionsError: Before anything is asked, if some evidence does not stand in the corpus.
    """
    texts, asked = Texts(bot.corpus), list(questions.cases.items())
    wanted = {line: _locate(questions, line, texts, bot.corpus) for line in questions.cases}
    bot.ask(asked[0][1].question, asked[0][1].history)
    for done, (line, case) in enumerate(asked, 1):
        started = time.perf_counter()
        answer = bot.ask(case.question, case.history)
        took = (time.perf_counter() - started) * 1000
        yield judge(line, case, answer, took, wanted[line], texts)
        if progress:
            progress(done, len(asked))


def judge(
    line: int, case: Case, answer: Answer, milliseconds: float, wanted: tuple[Place, ...], texts: Texts
) -> Outcome:
    """Return how an answer compares with what was wanted.

    Args:
        line: Where the question stands in its file.
        case: The question.
        answer: The assistant's answer to it.
        milliseconds: How long that took.
        wanted: Where the evidence stands.
        texts: What the citations are held against.
    """
    given, numbers = answer.status != "abstained", {citation.number for citation in answer.citations}
    cited = (_meets((c.file, c.start, c.end), wanted) for c in answer.citations)
    held = ((texts.get(c.file) or "")[c.start : c.end] for c in answer.citations)
    return Outcome(
        line=line,
        case=case,
        answer=answer,
        milliseconds=milliseconds,
        wanted=wanted,
        rank=_rank(answer, wanted),
        cited=any(cited) if case.evidence else given and case.answerable,
        missing=tuple(" or ".join(item) for item in case.contains if not _contains(answer.text, item)),
        altered=tuple(
            c.number for c, text in zip(answer.citations, held, strict=True) if text != c.quote or not text
        ),
        uncited=tuple(
            claim.text
            for claim in answer.claims
            if not claim.citations or not numbers.issuperset(claim.citations)
        )
        or ((answer.text,) if given and not answer.claims else ()),
    )


def plain(markdown: str) -> str:
    """Return an answer's text as a reader sees it: no footnote markers, bold or escapes."""
    return _escape.sub(r"\1", _bold.sub("", _marker.sub("", markdown)))


def _locate(questions: Questions, line: int, texts: Texts, corpus: Path) -> tuple[Place, ...]:
    places: list[Place] = []
    for source in questions.cases[line].evidence:
        text = texts.get(source.file)
        if text is None:
            raise questions.wrong(line, f"there is no readable file {source.file} in {corpus}")
        found = [match.start() for match in re.finditer(re.escape(source.quote), text)]
        if not found:
            opening = source.quote if len(source.quote) <= SHOWN else f"{source.quote[:SHOWN]}…"
            raise questions.wrong(line, f"the quote “{opening}” does not stand in {source.file}")
        places += [(source.file, start, start + len(source.quote)) for start in found]
    return tuple(places)


def _rank(answer: Answer, wanted: tuple[Place, ...]) -> int | None:
    for rank, scored in enumerate(answer.chunks, 1):
        if _meets((scored.chunk.file, scored.chunk.start, scored.chunk.end), wanted):
            return rank
    return None


def _meets(place: Place, wanted: tuple[Place, ...]) -> bool:
    """Whether a place shares at least half of the shorter of the two with one that is wanted."""
    file, start, end = place
    return any(
        file == other and 0 < min(end - start, last - first) <= 2 * (min(end, last) - max(start, first))
        for other, first, last in wanted
    )


def _contains(markdown: str, alternatives: tuple[str, ...]) -> bool:
    text = _fold(plain(markdown))
    return any(_as_words(_fold(item)).search(text) for item in alternatives)


def _as_words(item: str) -> re.Pattern[str]:
    """Finds an item where no Latin letter or digit goes on before or after it."""
    before = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", item) else ""
    after = r"(?![a-z0-9])" if re.search(r"[a-z0-9]$", item) else ""
    return re.compile(before + re.escape(item) + after)


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(_quotes).casefold().split())
