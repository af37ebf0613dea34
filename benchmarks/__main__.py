"""``make bench``: runs the benchmarks, stores and compares the results, checks the targets."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.history import changes, values_over_time
from benchmarks.measuring import FAILED, benchmarks
from benchmarks.peers import PEERS, peer_named
from benchmarks.report import write, write_history
from benchmarks.results import Benchmark, save, stored
from benchmarks.rows import QUICK, ROWS, Row, Sizes, expected_seconds, rows
from benchmarks.services import ROOT
from benchmarks.tables import changed, missed, render
from poolrace.producer.commands.options import Count
from poolrace.workers.errors import PoolraceError, UsageError

RESULTS = ROOT / "benchmarks" / "results"
"""Default directory of the results."""


@click.command()
@click.option(
    "--rows", "numbers", default="all", help="Rows to measure, as in 1,2,9.  [default: all]"
)
@click.option("--peers", "names", default="all", help="Peers to measure, as in ray,rq; the seed's"
              " program and poolrace are always measured.  [default: all]")  # fmt: skip
@click.option(
    "--repeat", type=Count(least=1), help="Interleaved rounds of each row.  [default: by row]"
)
@click.option("--quick", is_flag=True, help="Measure tiny sizes once, to see that everything runs.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=RESULTS,
              help="Directory of the results.")  # fmt: skip
def main(numbers: str, names: str, repeat: int | None, *, quick: bool, out: Path) -> None:
    """Measure poolrace beside its peers.

    The exit code is 1 if a measurement fails or a target is not reached.
    """
    try:
        sizes = QUICK if quick else Sizes()
        sizes = replace(sizes, repeat=repeat) if repeat else sizes
        chosen = [row for row in rows(sizes, _peers(names)) if row.number in _rows(numbers)]
        earlier = list(stored(out))  # read now, so that an unreadable file fails early
        target = out / "quick" if quick else out
        began = time.monotonic()
        _progress(_expectation(chosen, quick=quick))
        for benchmark in benchmarks(chosen, sizes, _progress, quick=quick):
            path = save(benchmark, target)  # each row, so that a failure loses one row only
        write(benchmark, target)
        if not quick:
            write_history(values_over_time([benchmark, *earlier], benchmark), target)
        click.echo(f"{render(benchmark)}\n{_changes(earlier, benchmark)}\n\nraw values: {path}")
        _progress(f"took {_minutes(time.monotonic() - began)}")
    except PoolraceError as error:
        click.echo(f"benchmarks: {error}", err=True)
        sys.exit(error.exit_code)
    failed = [reason for reason in benchmark.left_out.values() if reason.startswith(FAILED)]
    targets = [] if quick else missed(benchmark)
    for line in targets:
        click.echo(f"target not reached: {line}", err=True)
    sys.exit(1 if failed or targets else 0)


def _expectation(chosen: Sequence[Row], *, quick: bool) -> str:
    if quick:
        return f"{len(chosen)} row(s) of tiny sizes, some minutes at most"
    return f"{len(chosen)} row(s), about {_minutes(expected_seconds(chosen))} on two idle cores"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"


def _progress(line: str) -> None:
    click.echo(line, err=True)


def _rows(text: str) -> list[int]:
    if text == "all":
        return list(ROWS)
    numbers = [int(part) if part.strip().isdecimal() else 0 for part in text.split(",")]
    if not set(numbers) <= set(ROWS):
        raise UsageError(f"--rows {text}: give numbers from {ROWS[0]} to {ROWS[-1]}, as in 1,2,9")
    return numbers


def _peers(text: str) -> list[str]:
    if text == "all":
        return list(PEERS)
    names = [name.strip() for name in text.split(",")]
    for name in names:
        peer_named(name)
    return [name for name in PEERS if name in ("seed", "poolrace", *names)]


def _changes(earlier: Sequence[Benchmark], now: Benchmark) -> str:
    if now.quick:
        return "quick results are not compared with earlier ones"
    return changed(changes(earlier, now))


if __name__ == "__main__":
    main()
