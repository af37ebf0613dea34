"""Prints the SHA-256 of every report of the named files, as JSON.

A test runs it in processes with another hash seed, locale, time zone and home.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.files import load
from poolrace.workers.errors import UsageError


def digests(paths: list[Path]) -> dict[str, str]:
    """File and format -> the SHA-256 of the report, or the message that refuses it."""
    return {f"{path.name} as {name}": _digest(path, name) for path in paths for name in FORMATS}


def _digest(path: Path, name: str) -> str:
    try:
        report = FORMATS[name](load(path))
    except UsageError as error:
        return str(error)
    return sha256(report.encode() if isinstance(report, str) else report).hexdigest()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(digests([Path(name) for name in sys.argv[1:]])))
