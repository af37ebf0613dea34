"""``producer watch``."""

import json
import time

import click
from rich.console import Console

from poolrace.producer.broker.client import connect
from poolrace.producer.cluster.resolve import ResolvedCluster, resolve
from poolrace.producer.commands.help import Command
from poolrace.producer.commands.options import FiniteFloat, broker_option
from poolrace.producer.program import examples
from poolrace.producer.settings import Settings
from poolrace.producer.watch.reader import Reader
from poolrace.producer.watch.snapshot import Snapshot
from poolrace.producer.watch.terminal import print_frame, require_terminal, show_live
from poolrace.workers.errors import UsageError
from poolrace.workers.runtime.presence import REFRESH_S

RATES_S = 1.5 * REFRESH_S
"""Seconds between two snapshots within which each worker announces itself again."""


@click.command(cls=Command, epilog=examples("watch", "watch --once", "watch --web 8080"))
@broker_option
@click.option("--once", is_flag=True, help="Print one frame and end.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print one JSON object.")
@click.option("--web", type=click.IntRange(1, 65535), metavar="PORT", help="Show a web page"
              " on this port of this machine, behind the login of Flower.")  # fmt: skip
@click.option("--interval-s", metavar="SECONDS", type=FiniteFloat(min=0.2, max=60),
              default=1.0, show_default=True,
              help="Seconds between two frames.")  # fmt: skip
def command(
    broker: str | None, web: int | None, interval_s: float, *, once: bool, as_json: bool
) -> None:
    """Show a running cluster live: workers, slots, queues, jobs and events."""
    if as_json and not once:
        raise UsageError("--json prints one frame; give --once, too")
    if web and once:
        raise UsageError("--web and --once exclude each other; give one of them")
    console = Console()
    if not once and not web:
        require_terminal(console)
    resolved = resolve(Settings.from_env(broker))
    settings = resolved.settings
    with connect(str(settings.broker_url), settings.ca_file) as client:
        reader = Reader(client, str(settings.broker_url))
        if web:
            # Only a web page needs tornado, which takes 0.1 s to import.
            from poolrace.producer.watch.web import serve  # noqa: PLC0415

            serve(reader.read, interval_s, web, _login(resolved), _say_address)
        elif once:
            snapshot = _with_rates(reader)
            if as_json:
                click.echo(json.dumps(snapshot.to_json(), indent=2))
            else:
                print_frame(snapshot, console)
        else:
            show_live(reader.read, interval_s, console)


def _with_rates(reader: Reader) -> Snapshot:
    """The second of two snapshots, which has the rates of the workers."""
    reader.read()
    time.sleep(RATES_S)  # a rate needs two announcements, and these come at fixed times
    return reader.read()


def _say_address(url: str) -> None:
    click.echo(f"{url} shows the cluster, with the login of Flower; Ctrl-C ends it", err=True)


def _login(resolved: ResolvedCluster) -> str:
    """``USER:PASSWORD`` of the cluster's Flower."""
    login = resolved.local.flower_login if resolved.local else resolved.given.flower_login
    if not login:
        raise UsageError("no login for the web page; set FLOWER_BASIC_AUTH=USER:PASSWORD")
    return login
