"""The strategy of a pool map: which laps of which cells. Pure: a generator that yields requests.

All pools are measured twice in each cell. Cells that this leaves unclear get more laps, within the
time budget. If the budget is too short for all cells, those that the model and their neighbours
decide get no laps.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from poolrace.producer.analysis.pool_map_comparison import MIN_LAPS
from poolrace.producer.analysis.pool_map_model import MapModel
from poolrace.producer.analysis.pool_map_winners import MapCell, judge_cells
from poolrace.producer.race.requests import Start, Stop
from poolrace.producer.results.candidate import CONCURRENT, Candidate
from poolrace.producer.results.pool_map import MapLap, PoolMap
from poolrace.producer.rounds import rotated

LAP_S = 0.4
"""Seconds that a lap takes by the model, unless its slots need longer for one item each."""

WAVES = 1.25
"""Items per slot of a lap, at least: the last item then begins after the first ones have ended,
so that the speed is that of busy slots."""

OVERHEAD_S = 0.15
"""Seconds of a lap besides its items: usage and memory are read before and after it."""

EXTRA_SHARE = 0.15
"""Share of the time budget that is kept for more laps of unclear cells."""

LATER_FACTOR = 1.1
"""Ratio of the time that is kept for the later rows to the time that they are expected to need."""

START_S = 6.0
"""Seconds to start and stop the workers of a row, before that of a row has been measured."""


@dataclass(frozen=True)
class MeasureCell:
    """Request to measure one lap of a candidate whose workers run, in one cell of its row."""

    candidate: Candidate
    share: float
    items: int
    """Number of items of the lap."""


Request = Start | MeasureCell | Stop


@dataclass(frozen=True)
class Answer:
    """Result of a request, with the time used so far."""

    elapsed_s: float
    """Seconds since the measurement began."""
    started: Sequence[Candidate] = ()
    """After ``Start``: the candidates whose workers are ready."""
    lap: MapLap | None = None
    """After ``MeasureCell``: the lap. If it is lost, the candidate's workers have been stopped."""


Steps = Generator[Request, Answer, None]


class MapStrategy:
    """A pool map in progress: its laps so far, and the time that they took."""

    def __init__(self, plan: PoolMap) -> None:
        self.laps: list[MapLap] = []
        self.left_out: dict[str, str] = {}
        """Candidate -> why it has no more laps."""
        self._plan = plan
        self._least = min(plan.repeat, MIN_LAPS)
        self._elapsed_s = 0.0
        self._start_s = START_S
        self._laps_s = 0.0
        """Seconds that all laps took."""
        self._predicted_s = 0.0
        """Seconds that all laps take by the model."""
        self._running: list[Candidate] = []
        self._model = MapModel.fit(plan)

    def measured(self) -> PoolMap:
        """The map with the laps so far, and whether it is complete."""
        so_far = self._so_far()
        unfinished = [
            cell
            for row in judge_cells(so_far)
            for cell in row
            if cell.laps < self._least and self._candidates(cell.concurrency)
        ]
        missing = sum(
            max(0, self._least - len(cell.speeds_of(candidate.pool)))
            for cell in unfinished
            for candidate in self._candidates(cell.concurrency)
        )
        return replace(
            so_far,
            complete=all(cell.outcome == "predicted" for cell in unfinished),
            planned=len(self.laps) + missing,
        )

    def steps(self) -> Steps:
        """Measure the map row by row, which is one concurrency after the other."""
        rows = self._plan.concurrencies
        for number, concurrency in enumerate(rows):
            shares = [share for row, share in self._chosen(rows[number:]) if row == concurrency]
            if shares and self._left_s() > self._start_s:
                yield from self._row(concurrency, shares, rows[number + 1 :])

    def _row(self, concurrency: int, shares: Sequence[float], later: Sequence[int]) -> Steps:
        """Measure these cells of a row. The workers keep running, only their items change."""
        began_s = self._elapsed_s
        yield from self._start(concurrency)
        start_s = self._elapsed_s - began_s
        for number in range(self._least):
            for share in shares:
                if self._round_s(share, concurrency) <= self._left_s():
                    yield from self._round(share, concurrency, number)
        yield from self._measure_unclear(concurrency, self._elapsed_s + self._extra_s(later))
        ended_s = self._elapsed_s
        self._note((yield Stop(self._running)))
        self._start_s = start_s + self._elapsed_s - ended_s

    def _start(self, concurrency: int) -> Steps:
        candidates = self._candidates(concurrency)
        answer = yield Start(candidates)
        self._note(answer)
        self._running = list(answer.started)
        for candidate in candidates:
            if candidate not in self._running:
                self.left_out[str(candidate)] = "its workers did not start"

    def _measure_unclear(self, concurrency: int, until_s: float) -> Steps:
        """Measure rounds of the unclear cells of a row, those with the fewest laps first."""
        while len(self._running) > 1:
            unclear = [
                cell
                for cell in self._cells(concurrency)
                if cell.outcome == "not distinguishable"
                and MIN_LAPS <= cell.laps < self._plan.repeat
                and self._elapsed_s + self._round_s(cell.share, concurrency) <= until_s
            ]
            if not unclear:
                return
            cell = min(unclear, key=lambda cell: cell.laps)
            yield from self._round(cell.share, concurrency, cell.laps)

    def _round(self, share: float, concurrency: int, number: int) -> Steps:
        """Measure one lap of each running pool in a cell."""
        for candidate in rotated(self._running, number):
            began_s = self._elapsed_s
            items = _items(self._model, candidate.pool, share, concurrency)
            answer = yield MeasureCell(candidate, share, items)
            self._note(answer)
            self._laps_s += self._elapsed_s - began_s
            self._predicted_s += _lap_s(self._model, candidate.pool, share, concurrency)
            if answer.lap is None:
                raise ValueError(f"the request to measure {candidate} was answered without a lap")
            if answer.lap.lap.lost:
                self._running.remove(candidate)
                self.left_out[str(candidate)] = "its workers were lost"
            else:
                self.laps.append(answer.lap)
        self._model = MapModel.fit(self._so_far())

    def _chosen(self, rows: Sequence[int]) -> dict[tuple[int, float], float]:
        """The cells of these last rows that get laps, and the seconds that their first laps take.

        If the time is too short for all of them, the most expensive ones that the model and their
        neighbours decide are left out.
        """
        costs = {
            (concurrency, share): self._least * self._round_s(share, concurrency)
            for concurrency in rows
            for share in self._plan.shares
        }
        reserve_s = EXTRA_SHARE * self._plan.budget_s * len(rows) / len(self._plan.concurrencies)
        left_s = self._left_s() - reserve_s - self._start_s * len(rows)
        predicted = [
            (cell.concurrency, cell.share)
            for row in judge_cells(self._so_far())
            for cell in row
            if cell.outcome == "predicted" and cell.concurrency in rows
        ]
        for place in sorted(predicted, key=lambda place: -costs[place]):
            if sum(costs.values()) <= left_s:
                break
            del costs[place]
        return costs

    def _extra_s(self, later: Sequence[int]) -> float:
        """Seconds that the unclear cells of a row may use: an equal part of what is to spare."""
        needed_s = self._start_s * len(later) + sum(self._chosen(later).values())
        return (self._left_s() - LATER_FACTOR * needed_s) / (1 + len(later))

    def _round_s(self, share: float, concurrency: int) -> float:
        """Seconds of one lap of each pool in a cell, by the model and by the laps so far."""
        slowness = self._laps_s / self._predicted_s if self._predicted_s else 1.0
        return slowness * sum(_lap_s(self._model, pool, share, concurrency) for pool in CONCURRENT)

    def _left_s(self) -> float:
        return self._plan.budget_s - self._elapsed_s

    def _so_far(self) -> PoolMap:
        return replace(self._plan, laps=tuple(self.laps), left_out=dict(self.left_out))

    def _cells(self, concurrency: int) -> list[MapCell]:
        """The cells of one row."""
        rows = judge_cells(self._so_far())
        return rows[self._plan.concurrencies.index(concurrency)]

    def _candidates(self, concurrency: int) -> list[Candidate]:
        """The candidates of a row that are not left out."""
        candidates = [Candidate(pool, concurrency) for pool in CONCURRENT]
        return [candidate for candidate in candidates if str(candidate) not in self.left_out]

    def _note(self, answer: Answer) -> None:
        self._elapsed_s = answer.elapsed_s


def _items(model: MapModel, pool: str, share: float, concurrency: int) -> int:
    """Number of items of a lap: those of ``LAP_S`` seconds, and enough to keep all slots busy."""
    least = ceil(WAVES * concurrency) + 1
    return max(least, round(LAP_S * model.speed(pool, share, concurrency)))


def _lap_s(model: MapModel, pool: str, share: float, concurrency: int) -> float:
    """Seconds that a lap takes by the model."""
    items = _items(model, pool, share, concurrency)
    return items / model.speed(pool, share, concurrency) + model.item_s + OVERHEAD_S
