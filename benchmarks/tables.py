"""Renders a benchmark as Markdown tables. Pure: the same file gives the same text."""

from collections.abc import Mapping, Sequence

from benchmarks.figures import FIGURES, PEER_ROWS, Figure, peer_figure
from benchmarks.history import Change
from benchmarks.markdown import origin, table
from benchmarks.peers import PEERS
from benchmarks.results import Benchmark
from poolrace.producer.analysis.stats import median, spread

EMPTY = "-"
"""Text of a cell without a value."""

NEWEST = 6
"""Number of benchmarks in the table of the history, at most."""


def render(benchmark: Benchmark) -> str:
    """The tables of targets and peers, the contenders left out, and the machine."""
    peer_table = peers(benchmark) if has_peers(benchmark) else ""
    parts = [targets(benchmark), peer_table, _left_out(benchmark), _machine(benchmark)]
    return "\n\n".join(part for part in parts if part) + "\n"


def targets(benchmark: Benchmark) -> str:
    """A table of the figures: value, target, and whether it was reached.

    The value is the median of the rounds, or their ninth decile where the figure says so.
    """
    head = ("#", "work", "figure", "value", "±", "rounds", "target", "reached")
    lines = []
    for figure in FIGURES:
        work = benchmark.works.get(str(figure.row))
        if work is None:
            continue
        rounds = benchmark.rounds(figure)
        summary = (
            (_number(figure.value(rounds)), _number(spread(rounds)), str(len(rounds)))
            if rounds
            else (EMPTY, EMPTY, "0")
        )
        lines.append(
            (
                str(figure.row),
                work,
                figure.title_with_unit,
                *summary,
                figure.target or EMPTY,
                verdict(figure, rounds),
            )
        )
    return table(head, lines)


def peers(benchmark: Benchmark) -> str:
    """A table of the peers: rows 1 and 2 as ratios to the seed's program, row 3 as a rate."""
    head = (
        "peer",
        *(f"{row}: time / seed's" for row in (1, 2)),
        "3: no-op chunks/s",
        "version",
    )
    lines = []
    for name, entry in PEERS.items():
        cells = [_cell(benchmark.rounds(peer_figure(row, name))) for row in PEER_ROWS]
        lines.append((entry.title, *cells, benchmark.peers.get(name, "")))
    return table(head, lines)


def has_peers(benchmark: Benchmark) -> bool:
    """Whether any row that measures all peers was measured."""
    return any(sample.row in PEER_ROWS for sample in benchmark.samples)


def configured() -> str:
    """A table of how each peer is configured."""
    return table(
        ("peer", "configured as"), [(entry.title, entry.configured) for entry in PEERS.values()]
    )


def changed(changes: Sequence[Change]) -> str:
    """A table of the changes since earlier benchmarks, a line for each figure."""
    if not changes:
        return "there is no earlier result of this machine and these sizes to compare with"
    head = ("#", "figure", "before", "now", "in words", "target", "earlier benchmark")
    lines = [
        (
            str(change.figure.row),
            change.figure.title_with_unit,
            _number(change.before),
            _number(change.now),
            change.verdict,
            change.figure.target or EMPTY,
            change.made_at,
        )
        for change in changes
    ]
    return table(head, lines)


def history(values: Mapping[Figure, Mapping[str, float]]) -> str:
    """A table of each figure's values in the newest benchmarks, the newest on the left."""
    times = sorted({time for by_time in values.values() for time in by_time}, reverse=True)
    times = times[:NEWEST]
    lines = [
        (
            str(figure.row),
            figure.title_with_unit,
            figure.target or EMPTY,
            *(_number(by_time[time]) if time in by_time else EMPTY for time in times),
        )
        for figure, by_time in values.items()
    ]
    return table(("#", "figure", "target", *times), lines)


def verdict(figure: Figure, rounds: Sequence[float]) -> str:
    """``yes`` or ``no``, ``not measured`` without rounds, ``-`` without a target."""
    if not rounds:
        return "not measured"
    if not figure.target:
        return EMPTY
    return "yes" if figure.reached(rounds) else "no"


def missed(benchmark: Benchmark) -> list[str]:
    """A line for each target that was measured and not reached; aims are no targets."""
    lines = []
    for figure in FIGURES:
        rounds = benchmark.rounds(figure)
        if rounds and not figure.aim and not figure.reached(rounds):
            value = _number(figure.value(rounds))
            lines.append(
                f"row {figure.row}: {figure.title_with_unit}: {value}, target {figure.target}"
            )
    return lines


def _left_out(benchmark: Benchmark) -> str:
    lines = [f"- row {name}: {why}" for name, why in benchmark.left_out.items()]
    return "\n".join(["Left out:", "", *lines]) if lines else ""


def _machine(benchmark: Benchmark) -> str:
    return origin(benchmark.made_at, "interleaved rounds", benchmark.environment)


def _cell(rounds: Sequence[float]) -> str:
    return _number(median(rounds)) if rounds else EMPTY


def _number(value: float) -> str:
    """A number with three or four significant digits, or as a whole number from 1,000."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 100 or value < 1 else f"{value:.3f}"
