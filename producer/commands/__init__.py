"""The command line. Only this package and ``producer.__main__`` may use click.

Each command parses its options, calls one function and prints the result. A command's module is
imported when the command is called, so ``producer --help`` imports neither Celery nor Redis.
"""

from importlib import import_module

import click

COMMANDS: dict[str, str] = {
    "demo": "Compare all execution models on the sum of range(0, 100_000_000), in two minutes.",
    "run": "Run WORKLOAD under one execution model; print its exact value and the time taken.",
    "jobs": "List the jobs saved in a cluster, with state and progress.",
    "resume": "Resume JOB from its last checkpoint.",
    "cancel": "Cancel JOB: remove its queued chunks, and stop its running ones.",
    "compare": "Run WORKLOAD under several execution models, interleaved, and compare them.",
    "sweep": "Run WORKLOAD in different numbers of chunks, and find the best number.",
    "scale": "Run WORKLOAD on a growing number of hosts or slots, and show the speed-up.",
    "race": "Find the pool and the concurrency that suit a task of your own Celery app.",
    "map": "Find the fastest pool for each share of waiting and each concurrency.",
    "report": "Render the stored RESULTS of a comparison, a race or a map.",
    "up": "Start a local cluster that keeps running: Redis, a Celery worker per pool, Flower.",
    "down": "Stop the local cluster, even a damaged one, and remove its files.",
    "status": "Show the workers of a cluster, and missing parts of the local cluster.",
    "env": 'Print the local cluster\'s shell variables, for eval "$(producer env)".',
}
"""Name of each command, also of its module -> first sentence of its help (a test compares)."""


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
        """Find the command as click does; the error for an unknown command lists all commands."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"{args[0]!r} is not a command; choose {', '.join(COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 # click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="poolrace", prog_name="poolrace")
def producer() -> None:
    """Run divisible work under every execution model that Python offers, from one thread to Celery
    pools on several hosts; prove that the result is exact; measure what each model costs.

    A command uses the cluster of --broker, else of CELERY_BROKER_URL in the environment or in
    .env, else the local cluster that 'producer up' started, else a temporary one.
    """
