"""Results files: saves and loads comparisons, races and pool maps as JSON."""

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

METADATA_KEYS = ("format", "kind", "figures")
"""Keys of a results file that are not fields of the results; ``--json`` adds ``figures``."""

Results = Comparison | Race | PoolMap
"""The content of a results file; every report is made from one of these."""


def save(results: Results, path: Path) -> None:
    """Write a results file; an error leaves an existing file unchanged."""
    kind = next(name for name, (cls, _) in _KINDS.items() if isinstance(results, cls))
    data = {"format": FORMAT, "kind": kind, **results.to_json()}
    write_file(path, json.dumps(data, indent=1) + "\n")


def load(path: Path) -> Results:
    """Read a results file; raises ``UsageError`` if it is not one of this format version."""
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid JSON: {error}; create it again") from error
    version = data.get("format") if isinstance(data, dict) else None
    if version != FORMAT:
        raise UsageError(
            f"{path} has format version {version!r}, this poolrace reads {FORMAT}; create it again"
        )
    kind = data.get("kind", "comparison")
    if kind not in _KINDS:
        raise UsageError(f"{path} is of kind {kind!r}, not one of {', '.join(_KINDS)}")
    try:
        fields = {key: value for key, value in data.items() if key not in METADATA_KEYS}
        return _KINDS[kind][1](fields)
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not a {kind}: {error!r}; create it again") from error


def require_writable(path: Path) -> None:
    """Raise ``UsageError`` if ``path`` cannot be written; called before anything is measured."""
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise UsageError(f"cannot write {path}: it is not a regular file; give another path")
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; give another path") from error


def write_file(path: Path, content: str | bytes) -> None:
    """Replace the file in one step, so that readers never see a partial file; follows links."""
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
    finalists = [typed(Candidate, candidate) for candidate in data["finalists"]]
    return typed(Race, {**data, "laps": tuple(map(_lap, data["laps"])), "finalists": finalists})


def _pool_map(data: dict[str, Any]) -> PoolMap:
    laps = (typed(MapLap, {**map_lap, "lap": _lap(map_lap["lap"])}) for map_lap in data["laps"])
    return typed(PoolMap, {**data, "laps": tuple(laps)})


def _lap(data: dict[str, Any]) -> Lap:
    return typed(Lap, {**data, "candidate": typed(Candidate, data["candidate"])})


_KINDS: dict[str, tuple[type[Results], Callable[[dict[str, Any]], Results]]] = {
    "comparison": (Comparison, _comparison),
    "race": (Race, _race),
    "map": (PoolMap, _pool_map),
}
"""Kind of results, as in the file -> its class, and the function that rebuilds it."""
