"""Runs, comparisons, races, maps, and their file: what lies between measuring and reporting."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from poolrace.producer.results.candidate import Candidate
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.pool_map import MapLap, PoolMap
from poolrace.producer.results.race import Lap, Race
from poolrace.producer.results.run import Run
from poolrace.producer.results.schema import FORMAT, typed
from poolrace.workers.errors import UsageError

BESIDES = ("format", "kind", "figures")
"""What a file holds besides the comparison: ``--json`` prints figures that follow from it."""

Results = Comparison | Race | PoolMap
"""What a file holds, and what a report is of."""


def save(results: Results, path: Path) -> None:
    """Write the file, whole or not at all."""
    kind = next(name for name, (cls, _) in _KINDS.items() if isinstance(results, cls))
    data = {"format": FORMAT, "kind": kind, **results.to_json()}
    write_file(path, json.dumps(data, indent=1) + "\n")


def load(path: Path) -> Results:
    """Read a file that ``save`` wrote; raises ``UsageError`` for any other."""
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not whole JSON: {error}; make it anew") from error
    found = data.get("format") if isinstance(data, dict) else None
    if found != FORMAT:
        raise UsageError(
            f"{path} has format version {found!r}, this poolrace reads {FORMAT}; make it anew"
        )
    kind = data.get("kind", "comparison")
    if kind not in _KINDS:
        raise UsageError(f"{path} is of kind {kind!r}, not one of {', '.join(_KINDS)}")
    try:
        return _KINDS[kind][1]({it: data[it] for it in data if it not in BESIDES})
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not a {kind}: {error!r}; make it anew") from error


def require_writable(path: Path) -> None:
    """Raise ``UsageError`` if ``path`` could not be written, before anything is measured."""
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise UsageError(f"cannot write {path}: it is no regular file; give another path")
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; give another path") from error


def write_file(path: Path, content: str | bytes) -> None:
    """Replace the file at once, so that a reader never sees half of it; follows links."""
    target = path.resolve()
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".poolrace-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        Path(draft).chmod(0o644)
        Path(draft).replace(target)
    except BaseException:
        Path(draft).unlink()
        raise


def _comparison(data: dict[str, Any]) -> Comparison:
    return typed(Comparison, {**data, "runs": tuple(map(Run.from_json, data["runs"]))})


def _race(data: dict[str, Any]) -> Race:
    finalists = [typed(Candidate, it) for it in data["finalists"]]
    return typed(Race, {**data, "laps": tuple(map(_lap, data["laps"])), "finalists": finalists})


def _pool_map(data: dict[str, Any]) -> PoolMap:
    laps = (typed(MapLap, {**it, "lap": _lap(it["lap"])}) for it in data["laps"])
    return typed(PoolMap, {**data, "laps": tuple(laps)})


def _lap(data: dict[str, Any]) -> Lap:
    return typed(Lap, {**data, "candidate": typed(Candidate, data["candidate"])})


_KINDS: dict[str, tuple[type[Results], Callable[[dict[str, Any]], Results]]] = {
    "comparison": (Comparison, _comparison),
    "race": (Race, _race),
    "map": (PoolMap, _pool_map),
}
"""Kind, as a file names it -> its class, and how it is read."""
