"""Measures a pool map: every pool in every cell, in rounds, on workers of this machine."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from poolrace.producer.environment import describe_this_machine, now
from poolrace.producer.race import pool_map_app
from poolrace.producer.race.app_info import AppInfo, probe
from poolrace.producer.race.capacity import require_candidates_fit
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import MapOptions, RaceOptions, Target
from poolrace.producer.race.sandbox import Sandbox, open_sandbox
from poolrace.producer.race.session import RaceSession
from poolrace.producer.results.candidate import CONCURRENT, Candidate
from poolrace.producer.results.interruption import interruption_by
from poolrace.producer.results.pool_map import MapLap, PoolMap
from poolrace.producer.rounds import rotated
from poolrace.workers.errors import ClusterError

ReportStep = Callable[[str], None]
"""Function that is called before each lap with a description of it."""


def measure_map(
    options: MapOptions,
    report_step: ReportStep = lambda _: None,
    keep: Callable[[PoolMap], None] = lambda _: None,
) -> PoolMap:
    """Measure a pool map; raises ``ClusterError`` if no worker starts.

    If an error or Ctrl-C ends the measuring, ``keep`` is called with the incomplete map of the
    laps so far, unless there are none.
    """
    made_at = now()
    for concurrency in options.concurrencies:
        require_candidates_fit(Candidate(pool, concurrency) for pool in CONCURRENT)
    target = Target(pool_map_app.__name__, "mixed", sys.executable, Path.cwd())
    laps: list[MapLap] = []
    left_out: dict[str, str] = {}
    try:
        with open_sandbox(None) as sandbox:
            app = probe(target, sandbox, [_item(options, 0.0)])
            for concurrency in options.concurrencies:
                row = _Row(options, target, sandbox, app, left_out, report_step)
                laps += row.measure([Candidate(pool, concurrency) for pool in CONCURRENT])
    except BaseException as error:
        if laps:
            incomplete = _pool_map(options, made_at, left_out, laps)
            keep(replace(incomplete, complete=False, interruption=interruption_by(error)))
        raise
    if not laps:
        raise ClusterError(f"no pool could be measured: {', '.join(left_out.values())}")
    return _pool_map(options, made_at, left_out, laps)


def _pool_map(
    options: MapOptions, made_at: str, left_out: dict[str, str], laps: Sequence[MapLap]
) -> PoolMap:
    return PoolMap(
        made_at=made_at,
        item_s=options.item_s,
        shares=list(options.shares),
        concurrencies=list(options.concurrencies),
        repeat=options.repeat,
        left_out=left_out,
        environment=describe_this_machine(),
        laps=tuple(laps),
        planned=options.laps,
    )


@dataclass(frozen=True)
class _Row:
    """One row of the map: all waiting shares at one concurrency."""

    options: MapOptions
    target: Target
    sandbox: Sandbox
    app: AppInfo
    left_out: dict[str, str]
    report_step: ReportStep

    def measure(self, candidates: Sequence[Candidate]) -> Iterator[MapLap]:
        """Measure the row. The workers keep running, only their items change with the share."""
        options = self.options
        items = [_item(options, share) for share in options.shares]
        unlimited = RaceOptions(
            self.target, items, budget_s=float("inf"), max_executions=sys.maxsize
        )
        with RaceSession(unlimited, self.sandbox, self.app) as session:
            running = session.start(candidates)
            for candidate in candidates:
                if candidate not in running:
                    self.left_out[str(candidate)] = "its workers did not start"
            for share, item in zip(options.shares, items, strict=True):
                session.use_items([item])
                for number in range(options.repeat):
                    for candidate in rotated(running, number):
                        self.report_step(f"{candidate}, waiting {share:.0%}, round {number + 1}")
                        lap = session.measure(candidate, "search")
                        if lap.lost:
                            running.remove(candidate)
                            self.left_out[str(candidate)] = "its workers were lost"
                        else:
                            yield MapLap(share, lap)


def _item(options: MapOptions, share: float) -> Item:
    """An item whose arguments are the seconds to compute and the seconds to wait."""
    return Item(0, [options.item_s * (1 - share), options.item_s * share], {})
