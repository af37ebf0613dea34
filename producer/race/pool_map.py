"""Measures a pool map: executes the requests of its strategy on workers of this machine."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from poolrace.producer.environment import describe_this_machine, now
from poolrace.producer.errors import JobFailed
from poolrace.producer.race import pool_map_app
from poolrace.producer.race.app_info import probe
from poolrace.producer.race.background_load import CpuSnapshot
from poolrace.producer.race.capacity import require_candidates_fit
from poolrace.producer.race.items import Item
from poolrace.producer.race.options import MapOptions, RaceOptions, Target
from poolrace.producer.race.pool_map_strategy import Answer, MapStrategy, MeasureCell, Request
from poolrace.producer.race.requests import GivenUp, Start
from poolrace.producer.race.sandbox import open_sandbox
from poolrace.producer.race.session import RaceSession
from poolrace.producer.results.candidate import CONCURRENT, Candidate
from poolrace.producer.results.interruption import interruption_by
from poolrace.producer.results.pool_map import MapLap, PoolMap
from poolrace.workers.errors import ClusterError

ReportStep = Callable[[str], None]
"""Function that is called before each lap with a description of it."""

LONGEST_ITEM = 3.0
"""Ratio of the time limit of an item to its time with all slots on one core, at least."""


def measure_map(
    options: MapOptions,
    report_step: ReportStep = lambda _: None,
    keep: Callable[[PoolMap], None] = lambda _: None,
) -> PoolMap:
    """Measure a pool map; raises ``ClusterError`` if no worker starts, ``JobFailed`` if
    no lap ends within the time budget.

    If an error or Ctrl-C ends the measuring, ``keep`` is called with the incomplete map of the
    laps so far, unless there are none.
    """
    began = time.monotonic()
    require_candidates_fit(Candidate(pool, max(options.concurrencies)) for pool in CONCURRENT)
    strategy = MapStrategy(_plan(options))
    try:
        _measure(options, strategy, began, report_step)
    except GivenUp:
        pass  # the laps so far are the map
    except BaseException as error:
        if strategy.laps:
            interruption = interruption_by(error)
            keep(replace(strategy.measured(), complete=False, interruption=interruption))
        raise
    if not strategy.laps and strategy.left_out:
        raise ClusterError(f"no pool could be measured: {', '.join(strategy.left_out.values())}")
    if not strategy.laps:
        raise JobFailed(
            f"no lap ended within the budget of {options.budget_s:g} s; give a higher --budget-s,"
            f" or a shorter item than --item-s {options.item_s:g}"
        )
    return strategy.measured()


def _plan(options: MapOptions) -> PoolMap:
    """The map before its first lap."""
    return PoolMap(
        made_at=now(),
        item_s=options.item_s,
        shares=list(options.shares),
        concurrencies=list(options.concurrencies),
        repeat=options.repeat,
        left_out={},
        environment=describe_this_machine(),
        laps=(),
        planned=options.laps,
        budget_s=options.budget_s,
    )


def _measure(
    options: MapOptions, strategy: MapStrategy, began: float, report_step: ReportStep
) -> None:
    """Execute the requests of the strategy; raises ``GivenUp`` at the end of the budget."""
    target = Target(pool_map_app.__name__, "mixed", sys.executable, Path.cwd())
    first = [_item(options, max(options.shares))]
    longest_s = LONGEST_ITEM * options.item_s * max(options.concurrencies)
    race_options = RaceOptions(
        target,
        first,
        budget_s=options.budget_s,
        time_limit_s=max(RaceOptions.time_limit_s, longest_s),
        max_executions=sys.maxsize,
    )
    with open_sandbox(None) as sandbox:
        app = probe(target, sandbox, first)
        with RaceSession(race_options, sandbox, app, began) as session:
            workers = _Workers(options, session, report_step)
            steps = strategy.steps()
            try:
                request = next(steps)
                while True:
                    request = steps.send(workers.answer(request))
            except StopIteration:
                return


class _Workers:
    """Executes requests, and measures the background load during each lap."""

    def __init__(self, options: MapOptions, session: RaceSession, report_step: ReportStep) -> None:
        self._options = options
        self._session = session
        self._report_step = report_step
        self._before = CpuSnapshot.now()

    def answer(self, request: Request) -> Answer:
        """Execute a request; raises ``GivenUp`` at the end of the budget."""
        session = self._session
        if isinstance(request, Start):
            # Workers warm up with the item that computes least.
            session.use_items([_item(self._options, max(self._options.shares))])
            started = session.start(request.candidates)
            self._before = CpuSnapshot.now()
            return Answer(session.elapsed_s, started)
        if isinstance(request, MeasureCell):
            lap = self._lap(request)
            return Answer(session.elapsed_s, lap=lap)
        session.stop(request.candidates)
        return Answer(session.elapsed_s)

    def _lap(self, request: MeasureCell) -> MapLap:
        cell = f"waiting {request.share:.0%}"
        self._report_step(f"{request.candidate}, {cell}")
        self._session.use_items([_item(self._options, request.share)])
        lap = self._session.measure(request.candidate, "search", request.items, logged=cell)
        # The end of a lap is the beginning of the next one: taking a snapshot takes milliseconds.
        before, self._before = self._before, CpuSnapshot.now()
        return MapLap(request.share, lap, self._before.cores_left(before))


def _item(options: MapOptions, share: float) -> Item:
    """An item whose arguments are the seconds to compute and the seconds to wait."""
    return Item(0, [options.item_s * (1 - share), options.item_s * share], {})
