"""Work in a process of its own, so that neither its time nor its memory is another's."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

import psutil

MEGABYTE = 1_000_000
INTERVAL = 0.25
"""Seconds between two looks at the memory."""
Given = ParamSpec("Given")
Result = TypeVar("Result")


def alone(work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> tuple[Result, float]:
    """Call a function of a module in a fresh process.

    Returns:
        What it returned, and the most memory (resident, in MB) that the process and its children held together.

    Raises:
        BrokenProcessPool: If the process died.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        future, most = pool.submit(work, *args, **kwargs), 0.0
        worker = psutil.Process(next(iter(pool._processes)))
        while wait([future], INTERVAL).not_done:
            most = max(most, memory(worker))
        return future.result(), most


def memory(process: psutil.Process) -> float:
    """Return the memory of a process and its children, in MB; 0 when it has ended."""
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total / MEGABYTE


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
