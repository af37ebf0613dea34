"""Runs races by the real command line, and reads their verdicts."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import fields
from typing import Any

from benchmarks.race.apps import App
from benchmarks.race.results import RaceRun
from benchmarks.race.serving import busy_process, environment_of
from poolrace.producer.processes.die_with_parent import die_with_parent_command
from poolrace.producer.results.candidate import Candidate

RACE_S = 600.0
"""Seconds after which a race is stopped; its own budget is 120."""


def run_race(
    app: App, label: str, number: int, *, options: Sequence[str] = (), busy: bool = False
) -> RaceRun:
    """Race an app, beside a busy process if ``busy``."""
    arguments = [*app.arguments, *options, "--python", sys.executable, "--json", "--yes"]
    race = [sys.executable, "-m", "poolrace", "race", *arguments]
    with environment_of(app), busy_process() if busy else nullcontext():
        began = time.monotonic()
        finished = subprocess.run(
            die_with_parent_command(race),
            cwd=app.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=RACE_S,
        )
        elapsed_s = time.monotonic() - began
    if finished.returncode:
        lines = finished.stderr.strip().splitlines() or [f"exit code {finished.returncode}"]
        return RaceRun(label, number, elapsed_s, error=lines[-1])
    return read_verdict(label, number, elapsed_s, json.loads(finished.stdout))


def read_verdict(label: str, number: int, elapsed_s: float, verdict: dict[str, Any]) -> RaceRun:
    """The verdict that ``producer race --json`` printed."""
    recommended = verdict["recommended"]
    return RaceRun(
        app=label,
        round=number,
        elapsed_s=elapsed_s,
        recommended=_candidate(recommended) if recommended else None,
        limited_by=verdict["limited_by"] or "",
        complete=verdict["complete"],
        distinguishable=verdict["distinguishable"],
        crowded=verdict["crowded"],
        executions=verdict["executions"],
        speeds={str(_candidate(each)): each["items_per_s"] for each in verdict["candidates"]},
    )


def _candidate(figures: dict[str, Any]) -> Candidate:
    """The candidate of a JSON object, which may hold further keys."""
    return Candidate(**{each.name: figures[each.name] for each in fields(Candidate)})
