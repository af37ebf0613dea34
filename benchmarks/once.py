"""One measurement in a fresh process: prints one JSON object of lists of values.

    python -m benchmarks.once peer ray --stop 1e8 --chunks 1024

What is measured is started, warmed, measured and ended by this process, so that nothing of
one measurement disturbs the next. ``benchmarks.measuring`` starts it and collects.
"""

import json

import click

from benchmarks.peers import PEERS, WAITING, peer_named
from benchmarks.services import private_redis
from benchmarks.work import WAIT_S, expected
from producer.commands.options import Count


@click.group()
def main() -> None:
    """One measurement; prints JSON."""


@main.command()
@click.argument("name")
@click.option("--stop", type=Count(least=1), required=True)
@click.option("--chunks", type=Count(least=1))
@click.option("--times", type=Count(least=1), default=1)
@click.option("--waiting", is_flag=True)
def peer(name: str, stop: int, chunks: int | None, times: int, *, waiting: bool) -> None:
    """Sum ``range(STOP)`` so many times on one warm peer."""
    with private_redis(), peer_named(name, WAITING if waiting else PEERS).make() as tool:
        timed = [tool.timed(stop, chunks) for _ in range(times)]
    for one in timed:
        if one.value != expected(stop):
            raise ValueError(f"{name}: the sum of range({stop}) is not {one.value}")
    seconds = [one.elapsed_s for one in timed]
    values = {"elapsed_s": seconds}
    if chunks:
        values["chunks_per_s"] = [chunks / one for one in seconds]
    if waiting:
        values["of_ideal"] = [one / (stop * WAIT_S / 1000) for one in seconds]
    click.echo(json.dumps(values))


if __name__ == "__main__":
    main()
