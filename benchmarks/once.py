"""One measurement in a fresh process: prints one JSON object of lists of values.

    python -m benchmarks.once peer ray --stop 1e8 --chunks 1024

What is measured is started, warmed, measured and ended by this process, so that nothing of
one measurement disturbs the next. ``benchmarks.measuring`` starts it and collects.
"""

import json
from contextlib import nullcontext

import click

from benchmarks import hosts, own
from benchmarks.peers import PEERS, WAITING, peer_named
from benchmarks.peers.base import Timed
from benchmarks.services import private_redis
from benchmarks.work import WAIT_S, expected
from poolrace.producer.commands.options import Count

stop_option = click.option("--stop", type=Count(least=1), required=True)
times_option = click.option("--times", type=Count(least=1), default=1)

GREENLETS = 1000


@click.group()
def main() -> None:
    """One measurement; prints JSON."""


@main.command()
@click.argument("name")
@stop_option
@click.option("--chunks", type=Count(least=1))
@times_option
@click.option("--waiting", is_flag=True)
def peer(name: str, stop: int, chunks: int | None, times: int, *, waiting: bool) -> None:
    """Sum ``range(STOP)`` so many times on one warm peer."""
    entry = peer_named(name, WAITING if waiting else PEERS)
    redis = private_redis() if entry.redis else nullcontext()
    with redis, entry.make() as tool:
        seconds = [_checked(name, stop, tool.timed(stop, chunks)) for _ in range(times)]
    values = {"elapsed_s": seconds}
    if chunks:
        values["chunks_per_s"] = [chunks / one for one in seconds]
    if waiting:
        ideal_s = WAIT_S * max(1.0, stop / GREENLETS)
        values["of_ideal"] = [one / ideal_s for one in seconds]
    _tell(values)


@main.command()
@stop_option
def million(stop: int) -> None:
    """Memory and steadiness over so many chunks."""
    _tell(own.million(stop))


@main.command()
@stop_option
def cpu(stop: int) -> None:
    """CPU seconds of poolrace."""
    _tell(own.cpu(stop))


@main.command()
@stop_option
def bare(stop: int) -> None:
    """CPU seconds of the loop alone."""
    _tell(own.bare(stop))


@main.command()
@click.argument("name", type=click.Choice(sorted(own.COMMANDS)))
@times_option
def command(name: str, times: int) -> None:
    """Wall time of whole commands."""
    _tell(own.command(name, times))


@main.command("hosts")
@click.option("--hosts", "count", type=Count(least=1), required=True)
@stop_option
def on_hosts(count: int, stop: int) -> None:
    """Time on so many hosts of a fifth of a core."""
    _tell(hosts.scaled(count, stop))


def _checked(name: str, stop: int, timed: Timed) -> float:
    """The seconds; raises ``ValueError`` for a wrong sum: a fast wrong answer is a failure."""
    if timed.value != expected(stop):
        raise ValueError(f"{name}: the sum of range({stop}) is not {timed.value}")
    return timed.elapsed_s


def _tell(values: own.Values) -> None:
    click.echo(json.dumps(values))


if __name__ == "__main__":
    main()
