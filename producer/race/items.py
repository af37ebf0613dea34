"""Reads items from JSON Lines: the arguments of each call of the task. Pure."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from poolrace.workers.errors import UsageError

CALL_KEYS = {"args", "kwargs"}
"""Keys of an object that holds a whole call; other objects are keyword arguments themselves."""

SHOWN_CHARACTERS = 60
"""Characters of an invalid line that an error message shows."""

EXAMPLES = '[1, 2] or {"name": 1}'
"""Items that error messages show."""


@dataclass(frozen=True)
class Item:
    """The arguments of one call, and the number of their line."""

    line: int
    args: list[Any]
    kwargs: dict[str, Any]


def read_items(lines: Iterable[str], limit: int | None = None) -> list[Item]:
    """Read one item from each line that is not empty.

    Raises ``UsageError`` with the number of an invalid line, and if no line holds an item.
    """
    items: list[Item] = []
    for number, line in enumerate(lines, start=1):
        if limit is not None and len(items) >= limit:
            break
        if line.strip():
            items.append(_item(number, line))
    if not items:
        raise UsageError(f"there is no item; give one per line, as {EXAMPLES}")
    return items


def digest(items: Iterable[Item]) -> str:
    """SHA-256 of the arguments of these items, in any order, as hexadecimal digits."""
    calls = sorted(json.dumps([item.args, item.kwargs], sort_keys=True) for item in items)
    return hashlib.sha256("\n".join(calls).encode()).hexdigest()


def _item(number: int, line: str) -> Item:
    text = line.strip()
    shown = text[:SHOWN_CHARACTERS]
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{error.msg} at character {error.colno}"
        raise UsageError(
            f"line {number} is not JSON: {place}; {shown!r}; give one item per line, as {EXAMPLES}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"line {number} is not JSON: {error}; {shown!r}") from error
    if isinstance(value, list):
        return Item(number, value, {})
    if not isinstance(value, dict):
        raise UsageError(
            f"line {number} is neither an array (arguments) nor an object (keyword arguments):"
            f" {shown}; write [{shown}]"
        )
    if not value or value.keys() - CALL_KEYS:
        return Item(number, [], value)
    args, kwargs = value.get("args", []), value.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise UsageError(f'line {number}: "args" must be an array and "kwargs" an object')
    return Item(number, args, kwargs)
