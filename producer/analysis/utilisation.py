"""Accumulates the utilisation of slots over time in bounded memory. Pure."""

from collections.abc import Callable
from itertools import zip_longest

from poolrace.producer.results.run import Utilisation, UtilisationRow

MAX_BINS = 240
"""Number of bins of a row, at most; their length doubles when the run gets longer."""

MAX_ROWS = 64
"""Number of rows, at most: with more slots there is a row per host, with more hosts only one."""

SHORTEST_BIN_S = 0.001
"""Length of a bin in seconds at the start of a run."""

DIGITS = 6
"""Decimal digits of the stored seconds: microseconds."""

Key = tuple[str, str]
"""Host and slot of a row; the slot is empty for a whole host, both are for all hosts."""

_LEVELS: tuple[Callable[[Key], Key], ...] = (
    lambda key: key,
    lambda key: (key[0], ""),
    lambda _: ("", ""),
)
"""Key of a slot -> key of its row: by slots, by hosts, all hosts together."""


class UtilisationSum:
    """Sum of the busy seconds of a run, by row and bin; never larger than its two limits."""

    def __init__(self) -> None:
        self._bin_s = SHORTEST_BIN_S
        self._level = 0
        self._rows: dict[Key, list[float]] = {}

    def add(self, host: str, slot: str, began_s: float, ended_s: float, busy_s: float) -> None:
        """Add the busy seconds of a chunk, spread evenly over the time in which it ran."""
        while ended_s > self._bin_s * MAX_BINS:
            self._double()
        row = self._row((host, slot))
        bin_s = self._bin_s
        first = min(int(began_s / bin_s), MAX_BINS - 1)
        last = min(int(ended_s / bin_s), MAX_BINS - 1)
        if first >= last:
            row[first] += busy_s
            return
        per_s = busy_s / (ended_s - began_s)
        row[first] += per_s * ((first + 1) * bin_s - began_s)
        for number in range(first + 1, last):
            row[number] += per_s * bin_s
        row[last] += per_s * (ended_s - last * bin_s)

    def total(self, elapsed_s: float) -> Utilisation:
        """The utilisation of a run that took ``elapsed_s`` seconds."""
        while elapsed_s > self._bin_s * MAX_BINS:
            self._double()
        bins = min(int(elapsed_s / self._bin_s) + 1, MAX_BINS)
        return Utilisation(
            self._bin_s,
            [
                UtilisationRow(host, slot, [max(0.0, round(s, DIGITS)) for s in row[:bins]])
                for (host, slot), row in self._rows.items()
            ],
        )

    def _row(self, key: Key) -> list[float]:
        """The row of a slot; a new row may join the rows of slots, or of hosts."""
        row = self._rows.get(_LEVELS[self._level](key))
        if row is not None:
            return row
        while self._level < len(_LEVELS) - 1 and len(self._rows) >= MAX_ROWS:
            self._level += 1
            self._rows = merged(self._rows, _LEVELS[self._level])
        return self._rows.setdefault(_LEVELS[self._level](key), [0.0] * MAX_BINS)

    def _double(self) -> None:
        """Double the length of the bins."""
        self._bin_s *= 2
        for key, row in self._rows.items():
            pairs = [row[number] + row[number + 1] for number in range(0, MAX_BINS, 2)]
            self._rows[key] = pairs + [0.0] * (MAX_BINS - len(pairs))


def merged(rows: dict[Key, list[float]], key_of: Callable[[Key], Key]) -> dict[Key, list[float]]:
    """The rows added up by their new keys."""
    sums: dict[Key, list[float]] = {}
    for key, row in rows.items():
        before = sums.get(key_of(key), [])
        sums[key_of(key)] = [a + b for a, b in zip_longest(before, row, fillvalue=0.0)]
    return sums


def by_host(key: Key) -> Key:
    """The key of the row of the whole host."""
    return _LEVELS[1](key)


def of_all_hosts(key: Key) -> Key:
    """The key of the row of all hosts together."""
    return _LEVELS[2](key)
