"""``producer compare``."""

import json
from pathlib import Path
from typing import Any

import click

from producer.commands.options import Count, job_from, job_options, schedule_from, settings_from
from producer.compare import Plan, compare
from producer.executors import LOCAL_MODELS, ONE_SLOT, Model
from producer.progress import bars
from producer.reports import FORMATS
from producer.results import require_writable, save, write_text
from workers.errors import JobFailed, UsageError
from workers.pools import POOLS


@click.command()
@job_options
@click.option(
    "--pool",
    "pools",
    metavar="POOL[:SLOTS]",
    multiple=True,
    help=f"A Celery pool, or all: {', '.join(POOLS)}. Repeatable.",
)
@click.option(
    "--local",
    "locals_",
    metavar="MODEL[:SLOTS]",
    multiple=True,
    help=f"A local model, or all: {', '.join(LOCAL_MODELS)}. Repeatable.",
)
@click.option("--repeat", type=Count(least=1), default="3", show_default=True, help="Runs of each.")
@click.option("--out", type=click.Path(path_type=Path), help="Store raw results here, as JSON.")
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML report here.")
@click.option("--flower", is_flag=True, help="Run Flower in a cluster that is started for this.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON, not as a table.")
def command(
    pools: tuple[str, ...],
    locals_: tuple[str, ...],
    repeat: int,
    out: Path | None,
    report: Path | None,
    *,
    flower: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Run WORKLOAD under several execution models, interleaved, and compare them.

    Without --pool or --local it compares all of them. If no cluster is there, one is started
    and stopped afterwards.
    """
    plan = Plan(job_from(options), _models(pools, locals_), schedule_from(options), repeat)
    if out and report and out.resolve() == report.resolve():
        raise UsageError(f"--out and --report are both {out}; give two paths")
    for path in filter(None, (out, report)):
        require_writable(path)
    with bars(plan.job) as watch:
        comparison = compare(plan, settings_from(options), flower=flower, watch=watch)
    if out:
        save(comparison, out)
    if report:
        write_text(report, FORMATS["html"](comparison))
    text = json.dumps(comparison.to_json(), indent=2) if as_json else FORMATS["text"](comparison)
    click.echo(text, nl=as_json)
    if not comparison.exact:
        raise JobFailed("a run did not give the expected value")


def _models(pools: tuple[str, ...], locals_: tuple[str, ...]) -> list[Model]:
    if not pools and not locals_:
        pools = locals_ = ("all",)
    return [
        *(Model.parse("local", text) for text in _expanded(locals_, list(LOCAL_MODELS))),
        *(Model.parse("celery", text) for text in _expanded(pools, list(POOLS))),
    ]


def _expanded(texts: tuple[str, ...], every: list[str]) -> list[str]:
    """``all`` and ``all:SLOTS`` stand for every model, those with one slot left at it."""
    expanded: list[str] = []
    for text in texts:
        name, colon, slots = text.partition(":")
        if name == "all":
            expanded += [m if m in ONE_SLOT else f"{m}{colon}{slots}" for m in every]
        else:
            expanded.append(text)
    return expanded
