"""Runs one measurement in a new process, and prints its values as one JSON object of lists.

    python -m benchmarks.once peer ray --stop 1e8 --chunks 1024

This process starts, warms, measures and stops the tool, so that a measurement cannot disturb the
next one. ``benchmarks.measuring`` starts the process and reads its output.
"""

import json
from contextlib import nullcontext

import click

from benchmarks import hosts, in_turn, poolrace_only
from benchmarks.peers import PEERS, WAITING, peer_named
from benchmarks.peers.base import Timed
from benchmarks.services import private_redis
from benchmarks.work import WAIT_S, expected
from poolrace.producer.commands.options import Count, Numbers

stop_option = click.option("--stop", type=Count(least=1), required=True)
times_option = click.option("--times", type=Count(least=1), default=1)
repeat_option = click.option("--repeat", type=Count(least=1), default=1)

GREENLETS = 1000
"""Number of waits at a time, from which the ideal time is computed."""


@click.group()
def main() -> None:
    """Run one measurement, and print its values as JSON."""


@main.command()
@click.argument("name")
@stop_option
@click.option("--chunks", type=Count(least=1))
@times_option
@click.option("--waiting", is_flag=True)
def peer(name: str, stop: int, chunks: int | None, times: int, *, waiting: bool) -> None:
    """Sum ``range(STOP)`` with a warm peer, ``--times`` times."""
    entry = peer_named(name, WAITING if waiting else PEERS)
    redis = private_redis() if entry.redis else nullcontext()
    with redis, entry.make() as tool:
        times_s = [_checked(name, stop, tool.timed(stop, chunks)) for _ in range(times)]
    values = {"elapsed_s": times_s}
    if chunks:
        values["chunks_per_s"] = [chunks / elapsed_s for elapsed_s in times_s]
    if waiting:
        ideal_s = WAIT_S * max(1.0, stop / GREENLETS)
        values["of_ideal"] = [elapsed_s / ideal_s for elapsed_s in times_s]
    _print(values)


@main.command()
@stop_option
def million(stop: int) -> None:
    """Measure memory and throughput over ``--stop`` chunks of one index."""
    _print(poolrace_only.million(stop))


@main.command()
@stop_option
@repeat_option
def cpu(stop: int, repeat: int) -> None:
    """Measure the CPU seconds of poolrace and of the loop alone, in turn."""
    _print(in_turn.cpu(stop, repeat))


@main.command()
@repeat_option
def commands(repeat: int) -> None:
    """Measure the wall time of whole commands, in turn."""
    _print(in_turn.commands(repeat))


@main.command("hosts")
@click.option("--hosts", "numbers", type=Numbers(least=1), required=True)
@stop_option
@repeat_option
def on_hosts(numbers: tuple[int, ...], stop: int, repeat: int) -> None:
    """Measure host-seconds on each number of hosts of a fifth of a core."""
    _print(hosts.run_on_hosts(numbers, stop, repeat))


@main.command()
@stop_option
@repeat_option
def pairs(stop: int, repeat: int) -> None:
    """Measure the sum by the seed's program, by prefork and by local processes, in turn."""
    _print(in_turn.pairs(stop, repeat))


@main.command()
@stop_option
@repeat_option
def demo(stop: int, repeat: int) -> None:
    """Measure the sum by prefork and by local processes, in turn, beside the demo's cluster."""
    _print(in_turn.demo(stop, repeat))


@main.command()
@click.option("--hosts", "count", type=Count(least=1), required=True)
@click.option("--slots", type=Count(least=1), required=True)
def simulation(count: int, slots: int) -> None:
    """Measure the time that a simulation of ``--hosts`` hosts takes."""
    _print(poolrace_only.simulation(count, slots))


def _checked(name: str, stop: int, timed: Timed) -> float:
    """The seconds that a sum took; raises ``ValueError`` for a wrong sum."""
    if timed.value != expected(stop):
        raise ValueError(f"{name}: the sum of range({stop}) is not {timed.value}")
    return timed.elapsed_s


def _print(values: poolrace_only.Values) -> None:
    click.echo(json.dumps(values))


if __name__ == "__main__":
    main()
