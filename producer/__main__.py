"""Entry point of the program ``producer``: runs a command, turns errors into exit codes."""

import logging
import os
import sys
from typing import NoReturn

import click

from poolrace.producer.commands import as_called, producer
from poolrace.producer.commands.closed_pipe import discard_output
from poolrace.producer.errors import INTERRUPTED
from poolrace.producer.printable import printable
from poolrace.producer.processes.signals import handle_signals
from poolrace.producer.processes.surroundings import (
    describe_os_error,
    open_standard_streams,
    require_current_directory,
)
from poolrace.producer.program import PROGRAM
from poolrace.workers.errors import PoolraceError
from poolrace.workers.settings import mask

MAX_DIGITS = 200_000
"""Decimal digits of an integer in output, at most: twice the digits of the sum of all factorials
up to the limit of the workload. Python's own limit of 4,300 would end such a run with a
traceback."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    open_standard_streams()
    sys.set_int_max_str_digits(MAX_DIGITS)
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter(f"{PROGRAM}: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("poolrace").setLevel(logging.INFO)
    if f"_{PROGRAM.upper()}_COMPLETE" in os.environ:
        logging.disable()  # the shell completes a line; a message would appear within that line
    try:
        handle_signals()
        require_current_directory()
        code = producer(prog_name=PROGRAM, standalone_mode=False)
    except PoolraceError as error:
        code = _print_error(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        code = error.exit_code
    except click.ClickException as error:
        code = _print_error(_worded(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort) as error:
        interrupt = error.__cause__ or error  # click raises Abort from KeyboardInterrupt
        notes = getattr(interrupt, "__notes__", ["everything that this command started is stopped"])
        code = _print_error("; ".join(["interrupted", *notes]), INTERRUPTED)
    except BrokenPipeError:
        discard_output()
        code = 1
    except OSError as error:
        code = _print_error(describe_os_error(error), 1)
    sys.exit(code)


class LogFormatter(logging.Formatter):
    """Formats log messages; the command lines in them name the program as it was called."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of the record."""
        lines = super().format(record).split("\n")
        return as_called("\n".join(map(printable, lines)))


def _worded(error: click.ClickException) -> str:
    """Return click's message as our messages are written: small first letter, no full stop."""
    message = error.format_message().removesuffix(".")
    return message[:1].lower() + message[1:]


def _print_error(message: str, code: int) -> int:
    """Print the message on one line of standard error, without passwords; return the code."""
    text = mask(as_called(printable(" ".join(message.split()))))
    click.echo(f"{PROGRAM}: {text}", err=True)
    return code


if __name__ == "__main__":
    main()
