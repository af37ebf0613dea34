"""What the task is called with: JSON Lines, as Celery's arguments. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from poolrace.workers.errors import UsageError

CALL = {"args", "kwargs"}
"""An object with these keys alone is a call, any other one is keyword arguments."""


@dataclass(frozen=True)
class Item:
    """The arguments of one call, and the line that they came from."""

    line: int
    args: list[Any]
    kwargs: dict[str, Any]


def read_items(lines: Iterable[str], limit: int | None = None) -> list[Item]:
    """The items of JSON Lines; empty lines count as lines and are no items.

    Raises ``UsageError`` with the line for what is no item, and if there is none.
    """
    items: list[Item] = []
    for number, line in enumerate(lines, start=1):
        if limit is not None and len(items) >= limit:
            break
        if line.strip():
            items.append(_item(number, line))
    if not items:
        raise UsageError('there is no item; give one a line, as in [1, 2] or {"name": 1}')
    return items


def _item(number: int, line: str) -> Item:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"line {number} is no JSON: {error}; {line.strip()[:60]!r}") from error
    if isinstance(value, list):
        return Item(number, value, {})
    if not isinstance(value, dict):
        raise UsageError(
            f"line {number} is neither an array (arguments) nor an object (keyword arguments):"
            f" {line.strip()[:60]}; write [{line.strip()[:60]}]"
        )
    if not value or value.keys() - CALL:
        return Item(number, [], value)
    args, kwargs = value.get("args", []), value.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise UsageError(f'line {number}: "args" must be an array and "kwargs" an object')
    return Item(number, args, kwargs)
