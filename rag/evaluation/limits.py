"""Limits that figures are held to, as `--fail-under right=0.6` gives them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag.errors import ConfigurationError
from rag.evaluation.figures import Figure, measure


@dataclass(frozen=True, slots=True)
class Limit:
    """The worst value that a figure may have."""

    name: str
    value: float


LAWS = (Limit("citations_verbatim", 1), Limit("claims_cited", 1))
"""Hold for every evaluation: an answer that breaks them is broken, however few there are."""


def read_limits(under: Iterable[str] = (), over: Iterable[str] = ()) -> list[Limit]:
    """Read limits of the form `name=value`.

    Args:
        under: Fail when such a figure, of which more is better, is smaller.
        over: Fail when such a figure, of which less is better, is larger.

    Raises:
        ConfigurationError: If there is no such figure, its value is not a number, or the limit is on
            the wrong side.
    """
    return [_read(text, less=False) for text in under] + [_read(text, less=True) for text in over]


def shortfalls(figures: Mapping[str, Figure], limits: Sequence[Limit]) -> list[str]:
    """Return a clause for each figure that falls short of the laws or a limit; empty when none does.

    A figure with nothing to measure it on falls short of a limit, but breaks no law.
    """
    laws = [law for law in LAWS if figures[law.name].n]
    clauses = (_shortfall(figures[limit.name], limit) for limit in (*laws, *limits))
    return list(dict.fromkeys(clause for clause in clauses if clause))


def _shortfall(figure: Figure, limit: Limit) -> str:
    if figure.value is None:
        return f"{figure.name} has nothing to be measured on"
    if figure.less_is_better and figure.value > limit.value:
        return f"{figure.name} is {_number(figure.value)}, above {limit.value:g}"
    if not figure.less_is_better and figure.value < limit.value:
        return f"{figure.name} is {_number(figure.value)}, below {limit.value:g}"
    return ""


def _number(value: float) -> str:
    """Four digits, cut off rather than rounded, so that what is short of a limit also looks it."""
    return f"{math.floor(value * 10_000) / 10_000:g}"


def _read(text: str, *, less: bool) -> Limit:
    name, _, value = (part.strip() for part in text.partition("="))
    option = "--fail-over" if less else "--fail-under"
    figures = measure(())
    if name not in figures:
        raise ConfigurationError(
            f"{option} {text}: there is no figure {name!r}; there are {', '.join(figures)}."
        )
    if figures[name].less_is_better != less:
        better, other = ("less", "--fail-over") if not less else ("more", "--fail-under")
        raise ConfigurationError(f"{option} {text}: {better} of {name} is better, so use {other}.")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigurationError(f"{option} {text}: give a number, as in {name}=0.5.")
    return Limit(name, number)
