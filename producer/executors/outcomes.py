"""The outcomes of chunks as JSON, between interpreters: a result, or the error that ended a chunk.

Needs the standard library only.
"""

from typing import Any

from poolrace.producer.errors import ChunkFailed, JobFailed
from poolrace.workers.chunks import Chunk, ChunkResult
from poolrace.workers.compute import Cancelled
from poolrace.workers.errors import PoolraceError, UsageError

ERRORS: dict[str, type[Exception]] = {
    cls.__name__: cls for cls in (ChunkFailed, JobFailed, UsageError, PoolraceError, Cancelled)
}
"""Class of an error by its name; any other error keeps its name within its text."""


def error_to_json(error: Exception) -> dict[str, Any]:
    """The error as a JSON object."""
    name = type(error).__name__
    text = str(error) if name in ERRORS else f"{name}: {error}"
    return {"error": name, "message": text}


def outcome_from_json(data: Any) -> ChunkResult:
    """The result in the JSON object; raises the error that is there instead.

    An error of no class in ``ERRORS`` becomes ``JobFailed``. Raises ``ValueError`` for any other
    value.
    """
    if isinstance(data, dict) and "error" in data:
        raise ERRORS.get(data["error"], JobFailed)(data["message"])
    return ChunkResult.from_json(data)


def chunk_to_json(chunk: Chunk) -> list[int]:
    """The chunk as a list of start and stop."""
    return [chunk.start, chunk.stop]


def chunk_from_json(data: Any) -> Chunk:
    """The chunk in such a list."""
    start, stop = data
    return Chunk(start, stop)
