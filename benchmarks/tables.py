"""Renders a benchmark as Markdown. Pure: the same file gives the same text."""

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.history import Change
from benchmarks.peers import PEERS
from benchmarks.results import Benchmark
from benchmarks.rows import FIGURES, SUMS, Figure
from poolrace.producer.analysis.stats import median, spread

NOTHING = "-"


def render(benchmark: Benchmark) -> str:
    """The targets, the peers, what was left out, and what it was measured on."""
    beside = peers(benchmark) if has_peers(benchmark) else ""
    parts = [targets(benchmark), beside, _left_out(benchmark), _machine(benchmark)]
    return "\n\n".join(part for part in parts if part) + "\n"


def targets(benchmark: Benchmark) -> str:
    """Each figure with its target: the median of the rounds."""
    head = ("#", "work", "figure", "median", "±", "rounds", "target", "reached")
    lines = []
    for figure in FIGURES:
        work = benchmark.works.get(str(figure.row))
        if work is None:
            continue
        rounds = benchmark.rounds(figure)
        told = (
            (_number(median(rounds)), _number(spread(rounds)), str(len(rounds)))
            if rounds
            else (NOTHING, NOTHING, "0")
        )
        lines.append(
            (str(figure.row), work, figure.title + (f", {figure.unit}" if figure.unit else ""),
             *told, target_of(figure), reached(figure, rounds))
        )  # fmt: skip
    return table(head, lines)


def peers(benchmark: Benchmark) -> str:
    """The peers side by side: rows 1 and 2 against the seed's program, row 3 as a rate."""
    head = (
        "peer",
        *(f"{row}: time / seed's" for row in (1, 2)),
        "3: no-op chunks/s",
        "version",
    )
    lines = []
    for name, entry in PEERS.items():
        cells = [_cell(benchmark.rounds(side_by_side(row, name))) for row in SUMS]
        lines.append((entry.title, *cells, benchmark.peers.get(name, "")))
    return table(head, lines)


def has_peers(benchmark: Benchmark) -> bool:
    """Whether any of the rows was measured in which peers stand side by side."""
    return any(sample.row in SUMS for sample in benchmark.samples)


def configured() -> str:
    """What each peer was configured like."""
    return table(
        ("peer", "configured as"), [(entry.title, entry.configured) for entry in PEERS.values()]
    )


def history(found: Sequence[Change], before: Benchmark) -> str:
    """What changed since an earlier result, a line for each figure."""
    head = ("#", "figure", before.made_at, "now", "in words")
    lines = [
        (str(it.figure.row), it.figure.title, _number(it.before), _number(it.now), it.word)
        for it in found
    ]
    return table(head, lines)


def side_by_side(row: int, peer: str) -> Figure:
    """What stands in the peers' table and in their plot."""
    over = "seed" if SUMS[row] == "elapsed_s" else None
    return Figure(row, PEERS[peer].title, peer, SUMS[row], over)


def target_of(figure: Figure) -> str:
    """The target in words."""
    if figure.most is None and figure.least is None:
        return NOTHING
    limit = f"<= {figure.most:g}" if figure.most is not None else f">= {figure.least:g}"
    return f"{limit} (aim)" if figure.aim else limit


def reached(figure: Figure, rounds: Sequence[float]) -> str:
    """``yes``, ``no``, or ``not measured``; ``-`` where there is no target."""
    if not rounds:
        return "not measured"
    if figure.most is None and figure.least is None:
        return NOTHING
    value = median(rounds)
    too_much = figure.most is not None and value > figure.most
    too_little = figure.least is not None and value < figure.least
    return "no" if too_much or too_little else "yes"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(_lines(head, lines))


def _lines(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for line in lines:
        yield f"| {' | '.join(line)} |"


def _left_out(benchmark: Benchmark) -> str:
    lines = [f"- row {name}: {why}" for name, why in benchmark.left_out.items()]
    return "\n".join(["Left out:", "", *lines]) if lines else ""


def _machine(benchmark: Benchmark) -> str:
    host = benchmark.machine
    quota = f", quota {host['cpu_quota']:g}" if host["cpu_quota"] else ""
    rounds = benchmark.sizes["repeat"]
    return (
        f"{benchmark.made_at}, {rounds} interleaved round(s): {host['cores']} cores{quota},"
        f" {host['cpu']}, {host['system']}, {host['python']},"
        f" commit {benchmark.environment['commit']}"
    )


def _cell(rounds: Sequence[float]) -> str:
    return _number(median(rounds)) if rounds else NOTHING


def _number(value: float) -> str:
    """Three or four digits, whatever the size."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 100 or value < 1 else f"{value:.3f}"
