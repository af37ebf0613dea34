"""Refuses candidates that this machine cannot hold, before a race or a map starts anything."""

from collections.abc import Iterable

from poolrace.producer.race.options import RaceOptions, parse_pool
from poolrace.producer.results.candidate import Candidate
from poolrace.workers.capacity import require_capacity, worker_demand
from poolrace.workers.pools import POOLS


def require_race_fits(options: RaceOptions) -> None:
    """Raise ``UsageError`` for a race with a candidate that this machine cannot hold.

    A pool whose concurrency is searched counts with one slot per worker.
    """
    for pool, concurrency in map(parse_pool, options.pools or POOLS):
        require_candidates_fit(options.variants.candidates(pool, concurrency or 1))


def require_candidates_fit(candidates: Iterable[Candidate]) -> None:
    """Raise ``UsageError`` for a candidate that this machine cannot hold."""
    for candidate in candidates:
        demand = worker_demand(candidate.pool, candidate.concurrency, candidate.workers)
        require_capacity(str(candidate), demand)
