"""Refuses candidates that this machine cannot hold, before a race or a map starts anything."""

from collections.abc import Iterable
from functools import partial

from poolrace.producer.race.options import RaceOptions, parse_pool
from poolrace.producer.results.candidate import Candidate
from poolrace.workers.capacity import Demand, require_capacity, worker_demand
from poolrace.workers.free_resources import free_resources
from poolrace.workers.pools import POOLS


def require_race_fits(options: RaceOptions) -> None:
    """Raise ``UsageError`` for a race with candidates that this machine cannot hold.

    Given candidates run at the same time. A pool whose concurrency is searched counts alone, with
    one slot per worker.
    """
    given: list[Candidate] = []
    for pool, concurrency in map(parse_pool, options.pools or POOLS):
        candidates = options.variants.candidates(pool, concurrency or 1)
        if concurrency:
            given += candidates
        else:
            for candidate in candidates:
                require_candidates_fit([candidate])
    require_candidates_fit(given)


def require_candidates_fit(candidates: Iterable[Candidate]) -> None:
    """Raise ``UsageError`` for candidates that this machine cannot hold at the same time."""
    free = free_resources()
    before = Demand()
    names: list[str] = []
    for candidate in candidates:
        pool, slots, workers = candidate.pool, candidate.concurrency, candidate.workers
        name = f"{candidate} beside {', '.join(names)}" if names else str(candidate)
        require_capacity(name, slots, "slots", partial(_with_slots, before, pool), free)
        worker = worker_demand(pool, slots)
        require_capacity(name, workers, "workers", partial(_with_workers, before, worker), free)
        before = _with_workers(before, worker, workers)
        names.append(str(candidate))


def _with_slots(before: Demand, pool: str, slots: int) -> Demand:
    return before + worker_demand(pool, slots)


def _with_workers(before: Demand, worker: Demand, workers: int) -> Demand:
    return before + worker.times(workers)
