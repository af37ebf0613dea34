"""Words that the shell completes: names of models, files, and ids of jobs.

click completes the names of commands and options, and the choices of an option. Redis is imported
when ids are completed: most commands with a completion do not need it.
"""

from collections.abc import Callable, Container, Iterable

import click
from click.shell_completion import CompletionItem

from poolrace.producer.settings import Settings
from poolrace.workers.errors import PoolraceError

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]
"""Function that click calls with the typed part of a word; it returns the possible words."""


def complete_names(names: Iterable[str]) -> Completion:
    """Return the completion of a name in ``names``."""

    def complete(
        _ctx: click.Context, _parameter: click.Parameter, typed: str
    ) -> list[CompletionItem[str]]:
        return [CompletionItem(name) for name in names if name.startswith(typed)]

    return complete


def complete_jobs(states: Container[str]) -> Completion:
    """Return the completion of the id of a job that is in one of these states."""

    def complete(
        ctx: click.Context, _parameter: click.Parameter, typed: str
    ) -> list[CompletionItem[str]]:
        from poolrace.producer.experiments.saved_jobs import saved_jobs  # noqa: PLC0415 # see above

        try:
            jobs = saved_jobs(Settings.from_env(ctx.params.get("broker")))
        except PoolraceError:
            return []  # no cluster answers: there is nothing to complete
        return [
            CompletionItem(job.job, help=f"{job.state}, {job.done:.0%} of {job.workload}")
            for job in jobs
            if job.state in states and job.job.startswith(typed)
        ]

    return complete


def complete_path(
    _ctx: click.Context, _parameter: click.Parameter, typed: str
) -> list[CompletionItem[str]]:
    """Return the request that the shell completes a path."""
    return [CompletionItem(typed, type="file")]
