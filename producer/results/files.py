"""Results files: saves and loads comparisons, races, maps, single runs and claims as JSON."""

import json
import os
import reprlib
import tempfile
from pathlib import Path
from typing import Any

from msgspec import ValidationError, convert

from poolrace.producer.results.claims import Claims
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Race
from poolrace.producer.results.single_run import SingleRun
from poolrace.workers.errors import UsageError

FORMAT = 5
"""Version of the format of the results files that are written."""

OLDEST_FORMAT = 4
"""Version of the oldest format that is read: that of poolrace 0.1.0. Format 5 added fields that
older files do not have."""

MAX_MESSAGE = 200
"""Characters of a message on a wrong field, at most."""

Results = Comparison | Race | PoolMap | SingleRun | Claims
"""The content of a results file; every report is made from one of these."""

_KINDS: dict[str, type[Results]] = {
    "comparison": Comparison, "race": Race, "map": PoolMap, "run": SingleRun,
    "claims": Claims,
}  # fmt: skip
"""Kind of results, as in the file -> its class."""


def to_json(results: Results) -> dict[str, Any]:
    """The results as a JSON object, with format version and kind: the content of a file."""
    kind = next(name for name, cls in _KINDS.items() if isinstance(results, cls))
    return {"format": FORMAT, "kind": kind, **results.to_json()}


def save(results: Results, path: Path) -> None:
    """Write a results file; an error leaves an existing file unchanged."""
    write_file(path, json.dumps(to_json(results), indent=1) + "\n")


def load(path: Path) -> Results:
    """Read a results file; raises ``UsageError`` for any other file, and names a wrong field."""
    data = _read_json(path)
    if not isinstance(data, dict) or "format" not in data:
        raise UsageError(
            f"{path} has no format version: it is not a results file, but perhaps the output of"
            " run --json; give a file that --out of run, compare, sweep, scale, race, map"
            " or claims has written"
        )
    _require_known_format(path, data["format"])
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise UsageError(f"{path} is of kind {reprlib.repr(kind)}, not one of {', '.join(_KINDS)}")
    try:
        return convert(data, _KINDS[kind])
    except ValidationError as error:
        raise UsageError(
            f"{path} is not a {kind}: {_abridged(str(error))}; create it again"
        ) from error


def _require_known_format(path: Path, version: object) -> None:
    if version in range(OLDEST_FORMAT, FORMAT + 1):
        return
    newer = type(version) is int and version > FORMAT
    raise UsageError(
        f"{path} has format version {reprlib.repr(version)}, this poolrace reads"
        f" {OLDEST_FORMAT} to {FORMAT}; {'update poolrace' if newer else 'create it again'}"
    )


def _read_json(path: Path) -> Any:
    try:
        return _encodable(json.loads(path.read_text()))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid JSON: {error}; create it again") from error


def _abridged(message: str) -> str:
    """The message without the middle of a long value; the place of the value is at its end."""
    return message if len(message) <= MAX_MESSAGE else f"{message[:80]} ... {message[-80:]}"


def _encodable(value: Any) -> Any:
    """The JSON value with ``?`` in place of lone surrogates, which no encoding has."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, list):
        return [_encodable(element) for element in value]
    if isinstance(value, dict):
        return {_encodable(name): _encodable(field) for name, field in value.items()}
    return value


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
    except RuntimeError as error:  # before Python 3.13
        raise UsageError(f"cannot write {path}: it is a loop of links") from error


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
