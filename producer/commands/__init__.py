"""The command line. Only this package and ``producer.__main__`` may use click.

Each command parses its options, calls one function and prints the result. A command's module is
imported when the command is called, so ``producer --help`` imports neither Celery nor Redis.
"""

import re
from importlib import import_module

import click

from poolrace.producer.program import PROGRAM, examples
from poolrace.workers.errors import unknown

GROUPS: dict[str, dict[str, str]] = {
    "Measure": {
        "demo": "Compare all models on the sum of range(0, 100_000_000).",
        "run": "Run WORKLOAD under one execution model; print value and time.",
        "compare": "Run WORKLOAD under several execution models, and compare them.",
        "sweep": "Run WORKLOAD in different numbers of chunks; find the best.",
        "scale": "Run WORKLOAD on more and more hosts or slots; show the speed-up.",
        "claims": "Test claims about threads, processes and coroutines; give verdicts.",
    },
    "Choose a pool": {
        "race": "Find the pool and the concurrency for a task of your Celery app.",
        "map": "Find the fastest pool for each share of waiting.",
    },
    "Results and jobs": {
        "report": "Render the stored RESULTS of a run, comparison, race, map or claims.",
        "diff": "Compare two results files case by case: faster, slower or the same.",
        "jobs": "List the jobs saved in a cluster, with state and progress.",
        "resume": "Resume JOB from its last checkpoint.",
        "cancel": "Cancel JOB: remove its queued chunks, stop its running ones.",
    },
    "Local cluster": {
        "up": "Start a local cluster: Redis, a worker per pool, Flower.",
        "status": "Show the workers of a cluster, and missing parts.",
        "watch": "Show a running cluster live: workers, slots, queues, jobs and events.",
        "env": "Print the local cluster's shell variables.",
        "down": "Stop the local cluster, even a damaged one; remove its files.",
    },
}
"""Heading in the list of commands -> name of a command, also of its module -> first sentence of its
help (a test compares), which fits into one line."""

COMMANDS = {name: text for group in GROUPS.values() for name, text in group.items()}

COMMAND_LINE = re.compile(rf"\bproducer (?=(?:{'|'.join(COMMANDS)})\b)")
"""Pattern of a command line within a text; texts call the program ``producer``."""


def as_called(text: str) -> str:
    """Return the text with the program's name, as it was called, in its command lines."""
    return COMMAND_LINE.sub(f"{PROGRAM} ", text)


class LazyGroup(click.Group):
    """A click group that imports a command when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 # click's signature
        """Return the names in the order of ``COMMANDS``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 # click's signature
        """Import the command; return ``None`` if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"poolrace.producer.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command as click does; an unknown one is refused with a suggestion."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(str(unknown("command", args[0], COMMANDS)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 # click's signature
        """List the commands by group, without importing them."""
        # Not map(len, ...): here map is the module of that command, once it is imported.
        width = max(len(name) for name in COMMANDS)
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{width}}", text) for name, text in group.items()])

    def get_help(self, ctx: click.Context) -> str:
        """Return the help; its command lines name the program as it was called."""
        return as_called(super().get_help(ctx))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "run sum --pool gevent",
        "compare mixed --repeat 1 --report report.html",
        "run --help",
    ),
)
@click.version_option(package_name="poolrace", prog_name="poolrace")
def producer() -> None:
    """Run divisible work under every execution model that Python offers, from one thread to Celery
    pools on several hosts; prove that the result is exact; measure what each model costs.

    A command uses the cluster of --broker, else of CELERY_BROKER_URL in the environment or in
    .env, else the local cluster that 'producer up' started, else a temporary one.
    """
