"""Renders a benchmark as Markdown tables. Pure: the same file gives the same text."""

from collections.abc import Sequence

from benchmarks.history import Change
from benchmarks.markdown import origin, table
from benchmarks.peers import PEERS
from benchmarks.results import Benchmark
from benchmarks.rows import FIGURES, PEER_ROWS, Figure
from poolrace.producer.analysis.stats import median, spread

EMPTY = "-"
"""Text of a cell without a value."""


def render(benchmark: Benchmark) -> str:
    """The tables of targets and peers, the contenders left out, and the machine."""
    peer_table = peers(benchmark) if has_peers(benchmark) else ""
    parts = [targets(benchmark), peer_table, _left_out(benchmark), _machine(benchmark)]
    return "\n\n".join(part for part in parts if part) + "\n"


def targets(benchmark: Benchmark) -> str:
    """A table of the figures: median of the rounds, target, and whether it was reached."""
    head = ("#", "work", "figure", "median", "±", "rounds", "target", "reached")
    lines = []
    for figure in FIGURES:
        work = benchmark.works.get(str(figure.row))
        if work is None:
            continue
        rounds = benchmark.rounds(figure)
        summary = (
            (_number(median(rounds)), _number(spread(rounds)), str(len(rounds)))
            if rounds
            else (EMPTY, EMPTY, "0")
        )
        lines.append(
            (str(figure.row), work, figure.title + (f", {figure.unit}" if figure.unit else ""),
             *summary, target_of(figure), reached(figure, rounds))
        )  # fmt: skip
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


def history(changes: Sequence[Change], before: Benchmark) -> str:
    """A table of the changes since an earlier benchmark, a line for each figure."""
    head = ("#", "figure", before.made_at, "now", "in words")
    lines = [
        (
            str(change.figure.row),
            change.figure.title,
            _number(change.before),
            _number(change.now),
            change.verdict,
        )
        for change in changes
    ]
    return table(head, lines)


def peer_figure(row: int, peer: str) -> Figure:
    """The figure of a peer in the table of peers and in the charts."""
    over = "seed" if PEER_ROWS[row] == "elapsed_s" else None
    return Figure(row, PEERS[peer].title, peer, PEER_ROWS[row], over)


def target_of(figure: Figure) -> str:
    """The target of a figure as text."""
    if figure.most is None and figure.least is None:
        return EMPTY
    limit = f"<= {figure.most:g}" if figure.most is not None else f">= {figure.least:g}"
    return f"{limit} (aim)" if figure.aim else limit


def reached(figure: Figure, rounds: Sequence[float]) -> str:
    """``yes`` or ``no``, ``not measured`` without rounds, ``-`` without a target."""
    if not rounds:
        return "not measured"
    if figure.most is None and figure.least is None:
        return EMPTY
    value = median(rounds)
    too_much = figure.most is not None and value > figure.most
    too_little = figure.least is not None and value < figure.least
    return "no" if too_much or too_little else "yes"


def _left_out(benchmark: Benchmark) -> str:
    lines = [f"- row {name}: {why}" for name, why in benchmark.left_out.items()]
    return "\n".join(["Left out:", "", *lines]) if lines else ""


def _machine(benchmark: Benchmark) -> str:
    rounds = f"{benchmark.sizes['repeat']} interleaved round(s)"
    return origin(benchmark.made_at, rounds, benchmark.environment)


def _cell(rounds: Sequence[float]) -> str:
    return _number(median(rounds)) if rounds else EMPTY


def _number(value: float) -> str:
    """A number with three or four significant digits, or as a whole number from 1,000."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 100 or value < 1 else f"{value:.3f}"
