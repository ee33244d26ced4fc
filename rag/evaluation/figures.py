"""The figures of an evaluation: what each is called, means and comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np

from rag.evaluation import metrics
from rag.evaluation.judging import Outcome

Unit = Literal["share", "score", "ms", "words"]
PRECISION = 0.9
"""Share of right answers that `coverage_at_90` demands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number that says how good the answers are."""

    name: str
    """What `--fail-under` and the JSON call it."""
    group: str
    meaning: str
    """What it counts, in a few words."""
    value: float | None
    """0 to 1 for a share or a score; None when there is nothing to measure it on."""
    n: int
    """How many it was measured on."""
    low: float | None = None
    """Lower end of a share's 95 % interval; None for other units."""
    high: float | None = None
    unit: Unit = "score"
    less_is_better: bool = False

    @property
    def shown(self) -> str:
        """The value as a person reads it; a share short of all is never rounded up to all."""
        if self.value is None:
            return "–"
        match self.unit:
            case "share":
                return f"{self.value if self.value == 1 else min(self.value, 0.999):.1%}"
            case "score":
                return f"{self.value:.3f}"
            case "ms":
                return f"{self.value:.0f} ms"
            case "words":
                return f"{self.value:g} words"

    @property
    def interval(self) -> str:
        """The interval as a person reads it; empty where there is none."""
        return "" if self.low is None or self.high is None else f"{self.low:.0%}–{self.high:.0%}"


def measure(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Return all figures by name, in the order in which to show them."""
    parts = (_answers, _abstention, _gate, _calibration, _citations, _retrieval, _effort)
    return {figure.name: figure for figure in chain.from_iterable(part(outcomes) for part in parts)}


def given_answers(outcomes: Iterable[Outcome]) -> list[tuple[float, bool]]:
    """Return confidence of each answer given, and whether it is right.

    Refusals are left out: whether what was not said would have been right, nobody can see.
    """
    return [(outcome.answer.confidence, outcome.right) for outcome in outcomes if outcome.given]


def answerable_of(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the outcomes whose questions the documents answer."""
    return [outcome for outcome in outcomes if outcome.case.answerable]


def _answers(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    yes = answerable_of(outcomes)
    yield _share("right", "answers", "answerable questions answered right", (each.right for each in yes))
    yield _share(
        "said",
        "answers",
        "answers that say what they should",
        (each.said for each in yes if each.case.contains),
    )
    yield _share(
        "cited", "answers", "answers that cite evidence", (each.cited for each in yes if each.case.evidence)
    )
    yield _share(
        "follow_ups_right",
        "answers",
        "questions with earlier turns handled right",
        (each.right for each in outcomes if each.case.history),
    )


def _abstention(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    yes, no = answerable_of(outcomes), [each for each in outcomes if not each.case.answerable]
    yield _share("refused", "abstention", "unanswerable questions refused", (not each.given for each in no))
    yield _share(
        "wrongly_refused",
        "abstention",
        "answerable questions refused",
        (not each.given for each in yes),
        less_is_better=True,
    )
    yield Figure(
        name="auroc",
        group="abstention",
        meaning="chance that an answerable question has more confidence than an unanswerable one",
        value=metrics.auroc(
            [each.answer.confidence for each in yes], [each.answer.confidence for each in no]
        ),
        n=len(outcomes),
    )


def _gate(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    answerable = len(answerable_of(outcomes))
    points = metrics.risk_coverage(given_answers(outcomes), answerable)
    for name, meaning, value in (
        (
            "coverage_at_90",
            "answerable questions answered right while 90% of all answers given are",
            metrics.coverage_at(points, PRECISION),
        ),
        ("area", "mean precision over all coverages", metrics.area(points)),
    ):
        yield Figure(
            name=name, group="gate", meaning=meaning, value=value if answerable else None, n=answerable
        )


def _calibration(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    given = given_answers(outcomes)
    for name, meaning, value in (
        (
            "ece",
            "mean distance of confidence and share right, in ten bins",
            metrics.calibration_error(metrics.calibration(given)),
        ),
        ("brier", "mean squared distance of confidence and truth", metrics.brier(given)),
    ):
        yield Figure(
            name=name, group="calibration", meaning=meaning, value=value, n=len(given), less_is_better=True
        )


def _citations(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    yield _share(
        "citations_verbatim",
        "citations",
        "quotes that stand in their file, character for character",
        (citation.number not in each.altered for each in outcomes for citation in each.answer.citations),
    )
    claims = ([False] * len(each.uncited) + [True] * _cited_claims(each) for each in outcomes)
    yield _share("claims_cited", "citations", "claims with a citation", chain.from_iterable(claims))


def _retrieval(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    ranks = [each.rank for each in outcomes if each.case.evidence]
    for k in (1, 3, 8):
        yield _share(
            f"found_in_{k}",
            "retrieval",
            "evidence in the first chunk" if k == 1 else f"evidence in the first {k} chunks",
            (rank is not None and rank <= k for rank in ranks),
        )
    yield Figure(
        name="mrr",
        group="retrieval",
        meaning="mean of 1 / place of the first chunk with evidence",
        value=metrics.reciprocal_rank(ranks),
        n=len(ranks),
    )


def _effort(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    took, words = (
        [each.milliseconds for each in outcomes],
        [each.quoted_words for each in outcomes if each.given],
    )
    yield _percentile("median_ms", "speed", "time to an answer, median", took, 50, "ms")
    yield _percentile("p95_ms", "speed", "time to an answer, 95 of 100 are faster", took, 95, "ms")
    yield _percentile("quoted_words", "length", "words quoted by an answer, median", words, 50, "words")


def _cited_claims(outcome: Outcome) -> int:
    return max(0, len(outcome.answer.claims) - len(outcome.uncited))


def _share(
    name: str, group: str, meaning: str, hits: Iterable[bool], *, less_is_better: bool = False
) -> Figure:
    found = list(hits)
    n, hit = len(found), sum(found)
    low, high = metrics.wilson(hit, n) if n else (None, None)
    return Figure(
        name=name,
        group=group,
        meaning=meaning,
        value=hit / n if n else None,
        n=n,
        low=low,
        high=high,
        unit="share",
        less_is_better=less_is_better,
    )


def _percentile(
    name: str, group: str, meaning: str, values: Sequence[float], percent: int, unit: Unit
) -> Figure:
    value = float(np.percentile(values, percent)) if values else None
    return Figure(
        name=name, group=group, meaning=meaning, value=value, n=len(values), unit=unit, less_is_better=True
    )
