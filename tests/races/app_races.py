"""Races of the apps whose answers are known, as a user calls them in the directory of the app."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.race.apps import App
from benchmarks.race.serving import environment_of
from tests.conftest import CommandLine
from tests.races.project import QUICK

Figures = dict[str, Any]


@dataclass(frozen=True)
class AppRace:
    """A finished race of an app: its verdict as JSON, its report, and its messages."""

    verdict: Figures
    report: str
    messages: str

    def candidate(self, pool: str) -> Figures:
        """Figures of the only raced candidate of a pool."""
        (figures,) = (row for row in self.verdict["candidates"] if row["pool"] == pool)
        return dict(figures)

    def reached(self, pool: str) -> float:
        """Items/s of the candidate of a pool."""
        return float(self.candidate(pool)["items_per_s"])


def race_app(app: App, results: Path, *pools: str) -> AppRace:
    """Race candidates of an app; ``results`` is a directory for the results file."""
    file = results / "race.json"
    chosen = [word for pool in pools for word in ("--pool", pool)]
    producer = CommandLine(app.directory, {})
    with environment_of(app), producer:
        answer = producer(
            "race", *app.arguments, *chosen, *QUICK, "--out", str(file),
        )  # fmt: skip
        assert answer.code == 0, answer.err
        report = producer("report", str(file))
    assert report.code == 0, report.err
    return AppRace(answer.json(), report.out, answer.err)
