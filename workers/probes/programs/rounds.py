"""Measures the cases of an experiment in turn, in rounds."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

Case = Callable[[], dict[str, float]]
"""Measures a part of an experiment once; returns the values of its figures."""

Figures = dict[str, list[float]]
"""Name of a figure -> its values, one for each round."""

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""File with the CPU quota of a container: microseconds of CPU time, and of elapsed time."""


class ImpossibleError(Exception):
    """This interpreter, or this machine, cannot run the experiment."""


@dataclass(frozen=True)
class Size:
    """How much to measure: rounds, and the share of the repetitions in each."""

    rounds: int
    share: float

    def of(self, repetitions: int) -> int:
        """Return this size's share of the repetitions; at least 2."""
        return max(2, int(repetitions * self.share))


FULL = Size(rounds=7, share=1.0)
QUICK = Size(rounds=2, share=0.02)


def measure(size: Size, *cases: Case, warm_up: bool = True) -> Figures:
    """Measure all cases once in each round; each round starts with the next case.

    The warm-up, which loads modules and fills caches, is a round without values.
    """
    figures: Figures = {}
    for number in range(-warm_up, size.rounds):
        first = number % len(cases)
        for case in (*cases[first:], *cases[:first]):
            values = case()
            if number >= 0:
                for name, value in values.items():
                    figures.setdefault(name, []).append(value)
    return figures


def seconds_each(action: Callable[[], object], repetitions: int) -> float:
    """Return the mean seconds of a call."""
    began = time.perf_counter()
    for _ in range(repetitions):
        action()
    return (time.perf_counter() - began) / repetitions


def require_module(name: str, reason: str) -> Any:  # a module may be missing here
    """Import a module that an interpreter can lack; raises ``ImpossibleError`` with the reason."""
    try:
        return import_module(name)
    except ImportError:
        raise ImpossibleError(reason) from None


def require_interpreters() -> Any:  # the module is new in Python 3.14
    """Import ``concurrent.interpreters``; raises ``ImpossibleError`` before Python 3.14."""
    return require_module("concurrent.interpreters", "needs Python 3.14")


def require_greenlet() -> Any:  # as above
    """Import ``greenlet``; raises ``ImpossibleError`` where it is not installed."""
    return require_module("greenlet", "needs the package greenlet, which gevent installs")


def require_two_cores() -> None:
    """Raise ``ImpossibleError`` on a machine, or in a container, with less than two cores."""
    cores: float = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    try:
        cpu_us, _, elapsed_us = CPU_QUOTA.read_text().partition(" ")
        cores = min(cores, int(cpu_us) / int(elapsed_us))
    except (OSError, ValueError):
        pass  # no quota
    if cores < 2:
        raise ImpossibleError(f"needs two cores; this process may use {cores:g}")
