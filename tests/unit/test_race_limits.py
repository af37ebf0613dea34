"""Each limit of a race, found in a made-up race, with what would help and what would not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poolrace.producer.analysis.race_limit import LIMITS, Limit
from poolrace.producer.analysis.race_verdict import Verdict, judge
from poolrace.producer.results.candidate import SOLO, Candidate
from poolrace.producer.results.race import Lap, Race
from tests.unit.made_up_races import GEVENT, PREFORK, THREADS, WAITS, base, finals, lap, race

MANY = Candidate("threads", 64)
DOCS = Path(__file__).parents[2] / "docs"


def waits(**figures: Any) -> list[Lap]:
    """Base laps of an item that waits 100 ms, and costs 2 ms of CPU time."""
    slow = {"items": 10, "items_per_s": 10.0, "running_s": [0.1] * 3, "cpu_s": 0.02}
    return [lap(SOLO, "base", n, **{**slow, "own_cpu_s": 0.002, **figures}) for n in (1, 2)]


def at(candidate: Candidate, speed: float, cpu_s: float, main: float, **figures: Any) -> list[Lap]:
    """Final laps of one second with the CPU seconds of all, and of the main processes."""
    taken: dict[str, Any] = {
        "items": round(speed),
        "running_s": [0.1] * 3,
        "running_total_s": 0.1 * speed,
        "own_cpu_s": 0.0002 * speed,
        "cpu_s": cpu_s,
        "main_cpu_s": main,
    }
    return finals(candidate, speed, **{**taken, **figures})


def out_of_cpu(**fields: Any) -> Race:
    """A race of threads whose one process is out of CPU at 446 items/s."""
    return race([*waits(), *at(MANY, 446.0, 1.05, 1.05), *at(PREFORK, 20.0, 0.1, 0.04)], **fields)


ONE_GIL: dict[str, Any] = {"running_total_s": 2.0, "own_cpu_s": 1.0, "cpu_s": 1.0}
BLOCKED: dict[str, Any] = {"running_total_s": 1.0, "own_cpu_s": 0.01, "cpu_s": 0.05}
NOTHING: dict[str, Any] = {"running_total_s": 0.1, "own_cpu_s": 0.09}

RACES: dict[Limit, Race] = {
    "failures": race([*base(), *finals(PREFORK, 190.0, failures={"ValueError": 90})]),
    "broker": race([*base(**NOTHING), *finals(THREADS, 1500.0, **NOTHING)]),
    "blocking": race([*base(**WAITS), *finals(GEVENT, 95.0, **BLOCKED)]),
    "worker": out_of_cpu(),
    "gil": race([*base(), *finals(THREADS, 99.0, **ONE_GIL)]),
    "memory": race(
        [*waits(), *at(PREFORK, 20.0, 0.04, 0.02)],
        ended={"prefork": "memory"},
    ),
    "service": race(
        [
            *waits(),
            *at(Candidate("threads", 8), 80.0, 0.2, 0.2),
            # Most items are answered at once, and others wait for seconds.
            *at(Candidate("threads", 16), 81.0, 0.2, 0.2, running_total_s=0.2 * 81),
        ]
    ),
    "waiting": race([*waits(), *at(GEVENT, 625.0, 0.3, 0.3), *at(PREFORK, 20.0, 0.04, 0.02)]),
    "cpu": race([*base(), *finals(PREFORK, 195.0), *finals(SOLO, 100.0)]),
}

ADVICE: dict[Limit, tuple[str, str | None]] = {
    "failures": ("mending the items that fail", None),
    "broker": ("larger items", "more slots"),
    "blocking": ("threads or processes instead of greenlets", "more greenlets"),
    "worker": ("more worker processes", "more slots"),
    "gil": ("processes (prefork)", "more slots"),
    "memory": ("more memory", None),
    "service": ("faster answers of the service", "more slots"),
    "waiting": ("more slots", "more cores"),
    "cpu": ("more cores", "more slots"),
}


@pytest.mark.parametrize("limit", [rule.limit for rule in LIMITS])
def test_each_limit_is_named_with_what_helps_and_what_does_not(limit: Limit) -> None:
    verdict = judge(RACES[limit])
    assert verdict.limited_by == limit
    helps, does_not_help = ADVICE[limit]
    assert verdict.advice.helps[0].startswith(helps)
    assert verdict.advice.does_not_help == ((does_not_help,) if does_not_help else ())
    assert f"| `{limit}` |" in (DOCS / "explanation" / "measuring.md").read_text()
    assert f"`{limit}`" in (DOCS / "reference" / "json.md").read_text()


def without_main_cpu(raced: Race) -> Verdict:
    laps = [replace(lap, main_cpu_s=None) for lap in raced.laps]
    return judge(replace(raced, laps=tuple(laps)))


def test_a_file_without_the_cpu_time_of_main_processes_never_names_the_worker() -> None:
    assert without_main_cpu(out_of_cpu()).limited_by == "waiting"


@pytest.mark.parametrize(
    ("raced", "limit"),
    [
        (out_of_cpu(cores=1), "cpu"),
        (race([*waits(), *at(MANY, 300.0, 0.7, 0.7)]), "waiting"),
        (race([*waits(), *at(MANY, 300.0, 0.75, 0.75)], ended={"threads": "top"}), "worker"),
        (race([*waits(), *at(Candidate("threads", 64, 2), 850.0, 2.0, 2.0)]), "cpu"),
        (race([*waits(), *at(Candidate("prefork", 64), 489.0, 1.3, 0.95)]), "worker"),
        (race([*waits(), *at(Candidate("prefork", 64), 489.0, 1.3, 0.45)]), "waiting"),
        (race([*waits(own_cpu_s=0.2), *at(MANY, 48.0, 1.0, 1.0, own_cpu_s=0.95)]), "gil"),
    ],
    ids=[
        "no core is idle", "the process is not out of CPU", "nearly, and more slots did not help",
        "two processes use both cores", "main process of prefork", "idle main process of prefork",
        "the task itself uses up the process",
    ],
)  # fmt: skip
def test_the_worker_limits_where_messages_use_up_its_process_and_a_core_is_idle(
    raced: Race, limit: Limit
) -> None:
    assert judge(raced).limited_by == limit


def test_more_worker_processes_that_were_no_faster_are_not_advised() -> None:
    two = at(Candidate("threads", 64, 2), 455.0, 1.1, 1.1)
    raced = race([*waits(), *at(MANY, 446.0, 1.05, 1.05), *two])
    assert judge(raced).recommended.candidate == MANY
    assert judge(raced).limited_by == "waiting"


def test_more_slots_are_advised_unless_the_race_showed_that_they_gain_too_little() -> None:
    waiting = RACES["waiting"]
    assert "more slots" in judge(waiting).advice.helps
    ended = judge(replace(waiting, ended={"gevent": "gain"})).advice
    assert "more slots" not in ended.helps
    assert ended.does_not_help == ("more slots",)
    busy = judge(replace(waiting, cores_left=0.5)).advice
    assert not [change for change in (*busy.helps, *busy.does_not_help) if "slots" in change]


def test_slots_for_idle_cores_are_advised_for_a_task_that_computes() -> None:
    one = race([*base(), *finals(Candidate("prefork", 1), 100.0)])
    verdict = judge(one)
    assert (verdict.limited_by, verdict.has_idle_cores) == ("cpu", True)
    assert verdict.advice.helps == ("more slots, up to one for each core",)
