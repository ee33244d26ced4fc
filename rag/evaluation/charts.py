"""The two plots of the report, as inline SVG; their colours come from the report's style sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.evaluation.figures import PRECISION
from rag.evaluation.metrics import Bin, Point, wilson

WIDTH, HEIGHT = 420, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 404, 14, 268
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
MARKED = 200
"""Points beyond so many are drawn as a line only."""


def risk_coverage_chart(points: Sequence[Point]) -> str:
    """Return the risk–coverage curve; its last point is the gate as it stands."""
    body = [
        _line(0, 1 - PRECISION, 1, 1 - PRECISION, "guide"),
        _note(1, 1 - PRECISION, "10% wrong"),
    ]
    if points:
        path = " ".join(f"{_x(point.coverage):.1f},{_y(point.risk):.1f}" for point in points)
        body.append(f'<polyline class="curve" points="{path}"/>')
        body += [_dot(point.coverage, point.risk, 3, _at(point)) for point in points[:-1][-MARKED:]]
        body.append(_dot(points[-1].coverage, points[-1].risk, 5.5, f"The gate: {_at(points[-1])}", "now"))
    return _chart(
        "Risk and coverage", "answerable questions answered right", "answers given that are wrong", body
    )


def calibration_chart(bins: Sequence[Bin]) -> str:
    """Return confidence against the share right, with 95 % intervals; larger dots are more answers."""
    largest = max((each.n for each in bins), default=0) or 1
    body = [_line(0, 0, 1, 1, "guide")]
    for each in bins:
        if each.n:
            low, high = wilson(round(each.right * each.n), each.n)
            label = f"{each.n} answers with confidence {each.confidence:.2f}: {each.right:.0%} right"
            body.append(_line(each.confidence, low, each.confidence, high, "reach"))
            body.append(_dot(each.confidence, each.right, 3 + 5 * (each.n / largest) ** 0.5, label, "bin"))
    return _chart("Calibration", "confidence", "answers that are right", body)


def interval(low: float, value: float, high: float) -> str:
    """Return a share and its interval as a small bar."""
    return (
        '<svg class="interval" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" x="0" y="4" width="100" height="2"/>'
        f'<rect class="reach" x="{low * 100:.1f}" y="3" width="{(high - low) * 100:.1f}" height="4"/>'
        f'<rect class="value" x="{min(value * 100, 98.5):.1f}" y="0" width="1.5" height="10"/></svg>'
    )


def _chart(title: str, across: str, up: str, body: Sequence[str]) -> str:
    middle = (TOP + BOTTOM) / 2
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">'
        + "".join([*_grid(), *body])
        + f'<text class="axis" x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{across}</text>'
        + f'<text class="axis" x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{up}</text>'
        + "</svg>"
    )


def _grid() -> Iterator[str]:
    for tick in TICKS:
        yield _line(0, tick, 1, tick, "grid")
        yield f'<text class="tick" x="{LEFT - 8}" y="{_y(tick) + 4:.1f}" text-anchor="end">{tick:.0%}</text>'
        yield f'<text class="tick" x="{_x(tick):.1f}" y="{BOTTOM + 18}" text-anchor="middle">{tick:.0%}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{_x(x1):.1f}" y1="{_y(y1):.1f}" x2="{_x(x2):.1f}" y2="{_y(y2):.1f}"/>'


def _dot(x: float, y: float, radius: float, label: str, style: str = "point") -> str:
    return f'<circle class="{style}" cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="{radius:.1f}"><title>{label}</title></circle>'


def _note(x: float, y: float, text: str) -> str:
    return f'<text class="tick" x="{_x(x) - 4:.1f}" y="{_y(y) - 5:.1f}" text-anchor="end">{text}</text>'


def _at(point: Point) -> str:
    return f"from confidence {point.confidence:.2f}: coverage {point.coverage:.0%}, risk {point.risk:.0%}"


def _x(share: float) -> float:
    return LEFT + share * (RIGHT - LEFT)


def _y(share: float) -> float:
    return BOTTOM - share * (BOTTOM - TOP)
