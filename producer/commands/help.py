"""The help of a command: its options by section; the program is named as it was called.

Written for click alone: cloup groups options, too, and takes 25 ms to import. rich-click takes
130 ms, and draws frames in a pipe, too.
"""

from collections.abc import Iterator
from dataclasses import fields

import click

from poolrace.producer.commands import as_called
from poolrace.workers.workloads import WORKLOADS

WORKLOAD_OPTIONS = (
    "--start",
    "--stop",
    *dict.fromkeys(
        f"--{field.name.replace('_', '-')}"
        for workload in WORKLOADS.values()
        for field in fields(workload)
    ),
)
"""Options of the range, and of the parameters of all workloads."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "Task": ("--app", "--task", "--items", "--limit", "--repeat-items", "--python", "--yes"),
    "Workload": WORKLOAD_OPTIONS,
    "Chunks": ("--schedule", "--chunks", "--chunk-size"),
    "Models and slots": (
        "--pool", "--local", "--slots", "--hosts", "--workers", "--prefetch",
        "--max-tasks-per-child", "--waiting", "--item-s", "--on",
        "--simulate", "--slots-per-host",
    ),
    "Measuring": ("--repeat", "--budget-s", "--time-limit", "--max-memory", "--max-executions"),
    "Comparison": ("--margin", "--fail-if"),
    "Output": (
        "--format", "--out", "--report", "--json", "--wide", "--once", "--web", "--interval-s",
    ),
    "Cluster": ("--broker", "--flower", "--flower-port"),
    "Other": ("--version", "--help"),
}  # fmt: skip
"""Heading in the help of a command -> the options below it; a test asks for each option."""

NAMES_WIDTH = 24
"""Characters of the column of options, at most; the text of a longer one begins on a new line."""


def sections(
    command: click.Command, ctx: click.Context
) -> Iterator[tuple[str, list[click.Option]]]:
    """Yield the headings of a command's help, each with the options below it."""
    left = [option for option in command.get_params(ctx) if isinstance(option, click.Option)]
    for title, names in SECTIONS.items():
        below = [option for option in left if not {*names}.isdisjoint(option.opts)]
        left = [option for option in left if option not in below]
        if title == "Other":
            below += left
        if below:
            yield title, below


TYPED = f"{__name__}.typed"
"""Key of the arguments as typed, in the ``meta`` of a command's context."""


class Command(click.Command):
    """A click command whose help has its options in sections, in columns of one width."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments as click does, and keep them as they were typed."""
        ctx.meta[TYPED] = tuple(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section."""
        rows = {
            title: [record for option in options if (record := option.get_help_record(ctx))]
            for title, options in sections(self, ctx)
        }
        names = [name for records in rows.values() for name, _ in records]
        width = max(len(name) for name in names if len(name) <= NAMES_WIDTH)
        for title, records in rows.items():
            with formatter.section(title):
                padded = [(f"{name:<{width}}", text) for name, text in records]
                formatter.write_dl(padded, col_max=width)

    def get_help(self, ctx: click.Context) -> str:
        """Return the help; its command lines name the program as it was called."""
        return as_called(super().get_help(ctx))
