"""A whole evaluation, and its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from rag.evaluation import metrics
from rag.evaluation.figures import Figure, answerable_of, given_answers, measure
from rag.evaluation.judging import Outcome, Progress, ask_all
from rag.evaluation.questions import Questions

if TYPE_CHECKING:
    from rag.assistant import Assistant

FORMAT = 1
"""Raised whenever a name in the JSON goes or changes its meaning."""


@dataclass(frozen=True)
class Evaluation:
    """What an assistant made of a file of questions."""

    questions: str
    """The file."""
    corpus: str
    """The folder of documents."""
    engine: str
    """What wrote the answers."""
    outcomes: tuple[Outcome, ...]
    """In the order of the file."""

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """All figures by name, in the order in which to show them."""
        return measure(self.outcomes)

    @cached_property
    def types(self) -> dict[str, Mapping[str, Figure]]:
        """The figures of each type of question, in order of first occurrence."""
        names = dict.fromkeys(outcome.case.type for outcome in self.outcomes)
        return {
            name: measure([outcome for outcome in self.outcomes if outcome.case.type == name])
            for name in names
        }

    @cached_property
    def curve(self) -> list[metrics.Point]:
        """Risk and coverage at each confidence, the highest first."""
        return metrics.risk_coverage(given_answers(self.outcomes), len(answerable_of(self.outcomes)))

    @cached_property
    def bins(self) -> list[metrics.Bin]:
        """Confidence against truth, in ten bins."""
        return metrics.calibration(given_answers(self.outcomes))

    def handled(self, type_name: str) -> tuple[int, int]:
        """Return how many questions of a type were handled right, answered or refused, and how many there are."""
        right = [outcome.right for outcome in self.outcomes if outcome.case.type == type_name]
        return sum(right), len(right)

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as plain JSON data."""
        return {
            "format": FORMAT,
            "footnote": version("footnote"),
            "questions": self.questions,
            "corpus": self.corpus,
            "engine": self.engine,
            "figures": {name: _figure(figure) for name, figure in self.figures.items()},
            "types": {name: self._type(name) for name in self.types},
            "curve": [asdict(point) for point in self.curve],
            "bins": [asdict(each) for each in self.bins],
            "outcomes": [_outcome(outcome) for outcome in self.outcomes],
        }

    def _type(self, name: str) -> dict[str, Any]:
        right, n = self.handled(name)
        figures = {key: _figure(figure) for key, figure in self.types[name].items()}
        return {"n": n, "handled_right": right, "figures": figures}


def evaluate(bot: Assistant, questions: Questions, progress: Progress | None = None) -> Evaluation:
    """Ask an assistant each question of a file and judge the answers.

    Args:
        bot: The assistant.
        questions: From `load_questions`.
        progress: Told how many questions are done, of how many.

    Raises:
        QuestionsError: If some evidence does not stand in the corpus.
    """
    outcomes = tuple(ask_all(bot, questions, progress))
    return Evaluation(str(questions.path), str(bot.corpus), bot.engine, outcomes)


def _figure(figure: Figure) -> dict[str, Any]:
    return {"value": figure.value, "n": figure.n, "low": figure.low, "high": figure.high, "unit": figure.unit}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    answer = outcome.answer.to_dict()
    kept = ("text", "status", "abstain_reason", "confidence", "query", "claims", "citations")
    place = ("file", "start", "end", "score", "similarity", "bm25")
    return {
        "line": outcome.line,
        **outcome.case.model_dump(mode="json"),
        "right": outcome.right,
        "said": outcome.said,
        "cited": outcome.cited,
        "rank": outcome.rank,
        "missing": list(outcome.missing),
        "altered": list(outcome.altered),
        "uncited": list(outcome.uncited),
        "milliseconds": outcome.milliseconds,
        "quoted_words": outcome.quoted_words,
        "answer": {key: answer[key] for key in kept},
        "chunks": [{key: chunk[key] for key in place} for chunk in answer["chunks"]],
    }
