"""Shows a cluster in the terminal: live on the alternate screen, or as one frame."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live

from poolrace.producer.watch.render import Frame
from poolrace.producer.watch.snapshot import Snapshot
from poolrace.workers.errors import UsageError


def require_terminal(console: Console) -> None:
    """Raise ``UsageError`` unless the console is a terminal that can place its cursor."""
    if not console.is_terminal or console.is_dumb_terminal:
        kind = "a dumb terminal" if console.is_terminal else "no terminal"
        raise UsageError(
            f"the output is {kind}, so there is no live view; print one frame with:"
            " producer watch --once"
        )


def show_live(read: Callable[[], Snapshot], interval_s: float, console: Console) -> None:
    """Show a frame every ``interval_s`` seconds, until a signal ends the command.

    The terminal is restored by any exception, and signals raise one.
    """
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(Frame(read()), refresh=True)
            time.sleep(interval_s)  # the user's time between two frames


def print_frame(snapshot: Snapshot, console: Console) -> None:
    """Print one whole frame."""
    console.print(Frame(snapshot, whole=True), highlight=False)
