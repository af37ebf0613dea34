"""``producer``, also as ``python -m producer``: calls a command, turns errors into exit codes."""

import logging
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from poolrace.producer.commands import producer
from poolrace.producer.errors import INTERRUPTED
from poolrace.workers.errors import PoolraceError
from poolrace.workers.settings import mask

MAX_DIGITS = 200_000
"""Decimal digits that an integer may have in output: twice the sum of all factorials up to the
limit. Python's own limit, 4,300, would end a run of factorial with a traceback."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    sys.set_int_max_str_digits(MAX_DIGITS)
    # A shell that starts us in the background has SIGINT ignored; we heed it all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    logging.basicConfig(format="producer: %(message)s")
    logging.getLogger("poolrace").setLevel(logging.INFO)
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _terminated)
    try:
        code = producer(prog_name="producer", standalone_mode=False)
    except PoolraceError as error:
        code = _complain(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        code = error.exit_code
    except click.ClickException as error:
        code = _complain(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        code = _complain("interrupted; nothing of it goes on", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has enough; keep the interpreter from writing more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        code = _complain(f"cannot write the output: {error.strerror}", 1)
    sys.exit(code)


def _complain(message: str, code: int) -> int:
    click.echo(f"producer: {mask(' '.join(message.split()))}", err=True)
    return code


def _terminated(signum: int, _frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C does: every context is left in order, what was started is stopped."""
    signal.signal(signum, signal.SIG_IGN)
    sys.exit(128 + signum)


if __name__ == "__main__":
    main()
