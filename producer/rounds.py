"""In which order those that are compared take their turns. Pure."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def rotated(entrants: Sequence[T], number: int) -> list[T]:
    """All of them, once, in round ``number``, which counts from 0.

    Each round begins with another one than the round before, so that a machine which slows
    down or speeds up does so for all alike.
    """
    first = number % len(entrants) if entrants else 0
    return [*entrants[first:], *entrants[:first]]
