"""The choices of two races or maps: the recommended candidates, the winners of cells. Pure."""

from dataclasses import dataclass

from poolrace.producer.analysis.pool_map_winners import MapCell, PoolSummary, map_cells
from poolrace.producer.analysis.race_verdict import judge
from poolrace.producer.results.files import Results
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Race

RECOMMENDED = "recommended"
"""Name of the choice of a race."""


@dataclass(frozen=True)
class Choice:
    """A choice that both results make. The fields are keys of ``--json``."""

    name: str
    """``recommended``, or the cell of a map."""
    old: str | None
    """The chosen candidate or pool; ``None`` if nothing is chosen."""
    new: str | None
    alike: bool
    """Whether one of the results calls both of them alike."""

    @property
    def changed(self) -> bool:
        """Whether the choices differ."""
        return self.old != self.new


@dataclass(frozen=True)
class _Chosen:
    """The choice of one result."""

    best: str | None
    tied: frozenset[str]
    """Candidates or pools that are not distinguishable from the fastest, this one included."""


def compare_choices(old: Results, new: Results) -> list[Choice]:
    """The choices that both results make: none for comparisons or for cells without a winner."""
    old_chosen, new_chosen = _chosen(old), _chosen(new)
    return [
        Choice(
            name=name,
            old=chosen.best,
            new=new_chosen[name].best,
            alike=any({chosen.best, new_chosen[name].best} <= each.tied
                      for each in (chosen, new_chosen[name])),
        )
        for name, chosen in old_chosen.items()
        if name in new_chosen
    ]  # fmt: skip


def decided_once(old: Results, new: Results) -> list[str]:
    """The cells of both maps that have a winner in one of the maps only; none for other results."""
    if not (isinstance(old, PoolMap) and isinstance(new, PoolMap)):
        return []
    winners = [
        {_name(cell): cell.winner for row in map_cells(results) for cell in row}
        for results in (old, new)
    ]
    common = [name for name in winners[0] if name in winners[1]]
    return [name for name in common if (winners[0][name] is None) != (winners[1][name] is None)]


def _chosen(results: Results) -> dict[str, _Chosen]:
    if isinstance(results, Race):
        return {RECOMMENDED: _recommended(results)}
    if isinstance(results, PoolMap):
        cells = (cell for row in map_cells(results) for cell in row)
        return {_name(cell): _winner(cell, cell.winner) for cell in cells if cell.winner}
    return {}


def _recommended(race: Race) -> _Chosen:
    verdict = judge(race)
    if not verdict.conclusive:
        return _Chosen(None, frozenset())
    tied = {str(summary.candidate) for summary in (verdict.fastest, *verdict.tied)}
    return _Chosen(str(verdict.recommended.candidate), frozenset(tied))


def _winner(cell: MapCell, winner: PoolSummary) -> _Chosen:
    return _Chosen(winner.pool, frozenset(summary.pool for summary in cell.tied))


def _name(cell: MapCell) -> str:
    return f"{cell.share:.0%} waiting, {cell.concurrency} slots"
