"""The cases of results that a diff compares, and the checks that two results are alike. Pure."""

from collections.abc import Iterator
from typing import Any

from poolrace.producer.analysis.diff_statistics import MIN_VALUES
from poolrace.producer.analysis.pool_map_comparison import MIN_LAPS
from poolrace.producer.results.claims import Claims
from poolrace.producer.results.comparison import Comparison, Varies
from poolrace.producer.results.files import Results
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Lap, Race
from poolrace.producer.results.run import Run
from poolrace.producer.results.single_run import SingleRun
from poolrace.workers.errors import UsageError

COMMANDS = {
    "model": "compare", "chunks": "sweep", "slots": "scale --slots", "hosts": "scale --hosts",
    Race.varies: "race", PoolMap.varies: "map", SingleRun.varies: "run",
    Claims.varies: "claims",
}  # fmt: skip
"""Field in which the runs or laps differ -> the command that measures such results."""

MUST_EQUAL: dict[type[Results], tuple[str, ...]] = {
    Comparison: ("workload", "parameters", "start", "stop", "schedule"),
    Race: ("task", "items"),
    PoolMap: ("item_s",),
}
"""Kind of results -> the fields that say what was measured."""

NUMBERS: dict[Varies, tuple[str, ...]] = {
    "model": ("slots",), "chunks": ("chunks", "slots"), "slots": ("slots",),
    "hosts": ("hosts", "slots"),
}  # fmt: skip
"""Field that varies -> the numbers that tell the cases of one model apart."""

Case = tuple[str, str]
"""The name of a case, and the kind of its laps: empty, except in a race."""

SEARCH, FINAL = "search", "final"
"""Kinds of the laps of a candidate that are compared with laps of the same kind."""


def require_alike(old: Results, new: Results) -> None:
    """Raise ``UsageError`` if the results are of two kinds, or of unlike work."""
    if old.varies != new.varies:
        raise UsageError(
            f"OLD comes from producer {COMMANDS[old.varies]}, NEW from producer"
            f" {COMMANDS[new.varies]}; give two results of one kind"
        )
    if isinstance(old, SingleRun):
        raise UsageError(
            "OLD and NEW hold one run each, whose difference may be chance; measure both with"
            " producer compare --repeat 3 or more"
        )
    if isinstance(old, Claims):
        raise UsageError(
            "OLD and NEW hold claims, which have verdicts and not one time each; read both with"
            " producer report"
        )
    for field in MUST_EQUAL[type(old)]:
        values = getattr(old, field), getattr(new, field)
        if values[0] != values[1]:
            raise UsageError(
                f"{field} is {_text(values[0])} in OLD, and {_text(values[1])} in NEW: the files"
                " cannot be compared; measure the same work twice"
            )
    if isinstance(old, Race) and isinstance(new, Race):
        digests = {old.items_digest, new.items_digest} - {""}
        if len(digests) > 1:
            raise UsageError(
                f"the {old.items} item(s) of OLD and NEW have different arguments: the files"
                " cannot be compared; measure the same work twice"
            )


def values_of(results: Results) -> dict[Case, list[float]]:
    """The values of each case, in the order of the first ones: seconds, or items per second."""
    values: dict[Case, list[float]] = {}
    for case, value in _values(results):
        values.setdefault(case, []).append(value)
    return values


def is_rate(results: Results) -> bool:
    """Whether the values are items per second, of which more are better, and not seconds."""
    return not isinstance(results, Comparison)


def least_values(results: Results) -> int:
    """Number of values of a case in each file before it is judged.

    The clear cells of a map get two laps only; their noise is known from the many other cells.
    """
    return MIN_LAPS if isinstance(results, PoolMap) else MIN_VALUES


def _values(results: Results) -> Iterator[tuple[Case, float]]:
    if isinstance(results, Comparison):
        for run in results.runs:
            yield (case_name(run, results.varies), ""), run.elapsed_s
    elif isinstance(results, Race):
        for lap in results.laps:
            if not lap.lost:
                yield (str(lap.candidate), FINAL if lap.kind == FINAL else SEARCH), lap.items_per_s
    elif isinstance(results, PoolMap):
        for map_lap in results.laps:
            if not map_lap.lap.lost:
                yield (_cell_name(map_lap.share, map_lap.lap), ""), map_lap.lap.items_per_s


def case_name(run: Run, varies: Varies) -> str:
    """The model and the numbers of a run, as in ``celery:threads, 4 chunks, 1 slot``."""
    numbers = ((getattr(run, field), field) for field in NUMBERS[varies])
    counts = (f"{n} {field.removesuffix('s') if n == 1 else field}" for n, field in numbers)
    return ", ".join((run.model, *counts))


def _cell_name(share: float, lap: Lap) -> str:
    return f"{lap.candidate} at {share:.0%} waiting"


def _text(value: Any) -> str:
    """A value of a field as text; parameters as options."""
    if isinstance(value, dict):
        return (
            " ".join(f"--{name.replace('_', '-')} {each}" for name, each in value.items()) or "{}"
        )
    return str(value)
