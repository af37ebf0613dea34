"""Made-up races: laps and races with figures that tests choose."""

import random
from typing import Any

from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.race import Lap, Race

MIB = 2**20


def lap(candidate: Candidate, kind: str, number: int, **figures: Any) -> Lap:
    """A lap of an item that takes 10 ms in each slot, unless ``figures`` say otherwise."""
    slots = candidate.slots
    fields: dict[str, Any] = {
        "items": 100 * slots,
        "failures": {},
        "items_per_s": 100.0 * slots,
        "wall_s": 1.0,
        "waiting_s": [0.01, 0.02, 0.03],
        "running_s": [0.01, 0.011, 0.012],
        "running_total_s": 1.0 * slots,
        "own_cpu_s": 1.0 * slots,
        "core_wait_s": 0.0,
        "cpu_s": 1.0 * slots,
        "peak_memory_bytes": 50 * MIB,
        "voluntary_switches": 100,
        "involuntary_switches": 10,
    }
    return Lap(candidate, kind, number, **{**fields, **figures})  # type: ignore[arg-type] # a kind


def race(laps: list[Lap], **fields: Any) -> Race:
    finalists = list(dict.fromkeys(lap.candidate for lap in laps if lap.kind == "final"))
    given: dict[str, Any] = {
        "made_at": "2026-01-01T00:00:00+00:00",
        "app": "proj.celery",
        "task": "proj.tasks.work",
        "items": 4,
        "command": ["celery", "-A", "proj.celery"],
        "queue": None,
        "cores": 2,
        "cores_left": 1.9,
        "gil": True,
        "max_memory_bytes": 2**33,
        "executions": sum(lap.executions for lap in laps),
        "ended": {},
        "left_out": {},
        "finalists": finalists,
        "environment": Environment([], {"celery": "5.7.0"}),
    }
    return Race(**{**given, **fields}, laps=tuple(laps))


COMPUTES: dict[str, Any] = {}
WAITS: dict[str, Any] = {"own_cpu_s": 0.01, "cpu_s": 0.02}
PREFORK, THREADS, GEVENT = Candidate("prefork", 2), Candidate("threads", 2), Candidate("gevent", 64)


def finals(candidate: Candidate, speed: float, rounds: int = 5, **figures: Any) -> list[Lap]:
    draw = random.Random(str(candidate))
    return [
        lap(candidate, "final", n, items_per_s=speed * draw.uniform(0.99, 1.01), **figures)
        for n in range(1, rounds + 1)
    ]


def base(**figures: Any) -> list[Lap]:
    return [lap(SOLO, "base", n, **figures) for n in (1, 2)]


def computing_in_python() -> Race:
    one_thread: dict[str, Any] = {"running_total_s": 2.0, "own_cpu_s": 1.0, "cpu_s": 1.0}
    return race(
        [
            *base(),
            lap(THREADS, "search", 1, items_per_s=98.0, **one_thread),
            *finals(PREFORK, 195.0),
            *finals(SOLO, 100.0),
        ]
    )
