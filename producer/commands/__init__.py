"""The command line. click lives here and in ``producer.__main__`` only.

A command parses, calls one function and prints what it returned. Its module is imported when
it is called, so that ``producer --help`` imports neither Celery nor Redis.
"""

from importlib import import_module

import click

COMMANDS: dict[str, str] = {
    "run": "Run WORKLOAD under one execution model, exactly, and say what it took.",
    "jobs": "List the jobs that a cluster keeps, with their state and progress.",
    "resume": "Go on with JOB where its producer stopped; computes nothing twice.",
    "cancel": "Cancel JOB: what is queued is taken back, what runs stops.",
    "compare": "Run WORKLOAD under several execution models, interleaved, and compare them.",
    "sweep": "Cut WORKLOAD into ever more chunks, and find out how many are best.",
    "scale": "Run WORKLOAD on ever more hosts or slots, and tell what each of them adds.",
    "race": "Find the pool and the concurrency that suit a task of your own Celery app.",
    "map": "Draw which pool wins over the share of waiting and the concurrency, on this machine.",
    "report": "Render the stored RESULTS of a comparison, a race or a map; measures nothing.",
    "up": "Start a local cluster that stays: Redis, a Celery worker for each pool, Flower.",
    "down": "Stop the local cluster, whole or broken, and remove what it left.",
    "status": "Tell which workers are there and, of the local cluster, which part is missing.",
    "env": 'Print shell lines for the local cluster: eval "$(producer env)".',
}
"""Name, which is also the module, and the first line of its help (a test compares them)."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 # click's signature
        """The names, in the order of ``COMMANDS``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 # click's signature
        """Import the command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"poolrace.producer.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; an unknown command is answered with the known ones."""
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
    """Run divisible work under every execution model Python offers, from one thread to Celery
    pools on several hosts; prove that the answer is exact; measure what each model costs.

    Which cluster a command talks to: --broker, else CELERY_BROKER_URL in the environment or in
    .env, else the one that 'producer up' started, else a temporary one of its own.
    """
