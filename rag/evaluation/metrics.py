"""What can be computed from a list of outcomes: shares with intervals, curves, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z95 = 1.959964
"""Standard deviations that 95 % of a normal distribution lie within."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Point:
    """What comes of giving only the answers that reach a confidence."""

    confidence: float
    """The lowest confidence at which an answer is given."""
    coverage: float
    """Of all answerable questions, the share that is answered right."""
    risk: float
    """Of the answers given, the share that is not right."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers whose confidence lies in one tenth of the scale."""

    low: float
    high: float
    n: int
    confidence: float
    """Their mean confidence; 0 when there are none."""
    right: float
    """The share that is right; 0 when there are none."""


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's formula; the whole scale when n is 0."""
    if not n:
        return 0.0, 1.0
    share, spread = hits / n, Z95**2 / n
    centre = share + spread / 2
    reach = Z95 * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, (centre - reach) / (1 + spread)), min(1.0, (centre + reach) / (1 + spread))


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Return the chance that a positive one scores above a negative one, a tie counting half.

    None when there are none of either.
    """
    if not positive or not negative:
        return None
    below = np.sort(np.asarray(negative, float))
    beaten = np.searchsorted(below, positive, "left") + np.searchsorted(below, positive, "right")
    return float(beaten.mean() / 2 / len(below))


def reciprocal_rank(ranks: Sequence[int | None]) -> float | None:
    """Return the mean of 1 / rank, None counting 0; None when there are no ranks."""
    return sum(1 / rank for rank in ranks if rank) / len(ranks) if ranks else None


def risk_coverage(given: Sequence[tuple[float, bool]], answerable: int) -> list[Point]:
    """Return what each confidence that occurs would give as the gate, the highest first.

    Args:
        given: Confidence of each answer given, and whether it is right.
        answerable: Number of questions that have an answer, given or not.
    """
    points, right = [], 0
    ranked = sorted(given, reverse=True)
    for shown, (confidence, good) in enumerate(ranked, 1):
        right += good
        if shown == len(ranked) or ranked[shown][0] < confidence:
            points.append(Point(confidence, right / answerable if answerable else 0.0, 1 - right / shown))
    return points


def coverage_at(points: Sequence[Point], precision: float) -> float:
    """Return the largest coverage at which so large a share of the answers given is right; 0 if none is."""
    return max((point.coverage for point in points if 1 - point.risk >= precision - 1e-9), default=0.0)


def area(points: Sequence[Point]) -> float:
    """Return the mean of 1 - risk over coverage 0 to 1, coverage that is never reached counting 0."""
    reached, total = 0.0, 0.0
    for point in points:
        total += (point.coverage - reached) * (1 - point.risk)
        reached = point.coverage
    return total


def calibration(given: Sequence[tuple[float, bool]]) -> list[Bin]:
    """Return ten bins of equal width; a confidence on a border counts in the upper one, 1 in the last."""
    binned: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, right in given:
        binned[min(int(confidence * BINS), BINS - 1)].append((confidence, right))
    return [
        Bin(
            number / BINS,
            (number + 1) / BINS,
            len(held),
            sum(confidence for confidence, _ in held) / len(held) if held else 0.0,
            sum(right for _, right in held) / len(held) if held else 0.0,
        )
        for number, held in enumerate(binned)
    ]


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Return the mean distance of confidence and share right, bins weighted by size; None when all are empty."""
    n = sum(each.n for each in bins)
    return sum(each.n * abs(each.confidence - each.right) for each in bins) / n if n else None


def brier(given: Sequence[tuple[float, bool]]) -> float | None:
    """Return the mean squared distance of confidence and truth; None when there are no answers."""
    return sum((confidence - right) ** 2 for confidence, right in given) / len(given) if given else None
