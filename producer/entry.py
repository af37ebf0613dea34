"""Entry point of the installed commands: Ctrl-C during the imports prints no traceback."""

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Import the command line, which takes 0.3 s, and run it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from poolrace.producer.__main__ import main as run  # noqa: PLC0415 # after the line above

    run()
