"""Entry point of the program ``producer``: runs a command, turns errors into exit codes."""

import logging
import re
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from poolrace.producer.commands import COMMANDS, producer
from poolrace.producer.commands.closed_pipe import discard_output
from poolrace.producer.errors import INTERRUPTED
from poolrace.producer.printable import printable
from poolrace.producer.program import PROGRAM
from poolrace.workers.errors import PoolraceError
from poolrace.workers.settings import mask

MAX_DIGITS = 200_000
"""Decimal digits of an integer in output, at most: twice the digits of the sum of all factorials
up to the limit of the workload. Python's own limit of 4,300 would end such a run with a
traceback."""

COMMAND_LINE = re.compile(rf"\bproducer (?=(?:{'|'.join(COMMANDS)})\b)")
"""Pattern of a command line within a message; messages call the program ``producer``."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    sys.set_int_max_str_digits(MAX_DIGITS)
    # A shell starts a background command with SIGINT ignored; handle SIGINT there, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter(f"{PROGRAM}: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("poolrace").setLevel(logging.INFO)
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _exit_on_signal)
    try:
        code = producer(prog_name=PROGRAM, standalone_mode=False)
    except PoolraceError as error:
        code = _print_error(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        code = error.exit_code
    except click.ClickException as error:
        code = _print_error(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        code = _print_error("interrupted; everything that this command started is stopped",
                            INTERRUPTED)  # fmt: skip
    except BrokenPipeError:
        discard_output()
        code = 1
    except OSError as error:
        code = _print_error(f"cannot write the output: {error.strerror}", 1)
    sys.exit(code)


class LogFormatter(logging.Formatter):
    """Formats log messages; the command lines in them name the program as it was called."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of the record."""
        lines = super().format(record).split("\n")
        return _as_called("\n".join(map(printable, lines)))


def _as_called(message: str) -> str:
    """Put the program's name, as it was called, into the command lines of a message."""
    return COMMAND_LINE.sub(f"{PROGRAM} ", message)


def _print_error(message: str, code: int) -> int:
    """Print the message on one line of standard error, without passwords; return the code."""
    text = mask(_as_called(printable(" ".join(message.split()))))
    click.echo(f"{PROGRAM}: {text}", err=True)
    return code


def _exit_on_signal(signum: int, _frame: FrameType | None) -> NoReturn:
    """Exit as after Ctrl-C, so that each context manager stops the processes that it started."""
    signal.signal(signum, signal.SIG_IGN)
    sys.exit(128 + signum)


if __name__ == "__main__":
    main()
