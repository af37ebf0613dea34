"""Rounds: the order in which cases or finalists are measured in each round. Pure."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def rotated(sequence: Sequence[T], number: int) -> list[T]:
    """Return the elements in the order of round ``number``, which counts from 0.

    Each round starts with the next element, so a machine that slows down or speeds up during the
    measurement affects all elements alike.
    """
    first = number % len(sequence) if sequence else 0
    return [*sequence[first:], *sequence[:first]]
