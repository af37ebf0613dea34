"""``make bench``: measures, writes the results, says what changed since the last time."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.history import changes, newest_alike
from benchmarks.measuring import benchmarks
from benchmarks.peers import PEERS, peer_named
from benchmarks.report import write
from benchmarks.results import Benchmark, save, stored
from benchmarks.rows import QUICK, ROWS, Sizes, rows
from benchmarks.services import ROOT
from benchmarks.tables import history, render
from poolrace.producer.commands.options import Count
from poolrace.workers.errors import PoolraceError, UsageError

RESULTS = ROOT / "benchmarks" / "results"


@click.command()
@click.option("--rows", "numbers", default="all", help="As in 1,2,9.  [default: all]")
@click.option("--peers", "names", default="all", help="As in ray,rq; the seed's program and"
              " poolrace come along.  [default: all]")  # fmt: skip
@click.option("--repeat", type=Count(least=1), help="Interleaved rounds.  [default: 5]")
@click.option("--quick", is_flag=True, help="Tiny sizes, once: shows that everything runs.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=RESULTS,
              help="Directory of the results.")  # fmt: skip
def main(numbers: str, names: str, repeat: int | None, *, quick: bool, out: Path) -> None:
    """Measure poolrace beside its peers."""
    try:
        sizes = QUICK if quick else Sizes()
        sizes = replace(sizes, repeat=repeat) if repeat else sizes
        chosen = [row for row in rows(sizes, _peers(names)) if row.number in _rows(numbers)]
        earlier = list(stored(out))  # a file that cannot be read shows before the measuring
        target = out / "quick" if quick else out
        for found in benchmarks(chosen, sizes, _say, quick=quick):
            path = save(found, target)  # after each row: an hour's work is not lost with the rest
        write(found, target)
        click.echo(f"{render(found)}\n{_since(earlier, found)}\n\nraw values: {path}")
    except PoolraceError as error:
        click.echo(f"benchmarks: {error}", err=True)
        sys.exit(error.exit_code)
    failed = [name for name, why in found.left_out.items() if why.startswith("failed")]
    sys.exit(1 if failed else 0)


def _say(words: str) -> None:
    click.echo(words, err=True)


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


def _since(earlier: Sequence[Benchmark], now: Benchmark) -> str:
    if now.quick:
        return "a quick run is compared with nothing"
    before = newest_alike(earlier, now)
    if before is None:
        return "there is no earlier result of this machine to compare with"
    return history(changes(before, now), before)


if __name__ == "__main__":
    main()
