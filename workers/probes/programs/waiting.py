"""A process that waits. Its own module: a spawned process imports it, and should import no more."""

from contextlib import suppress
from multiprocessing.connection import Connection


def wait(connection: Connection) -> None:
    """Tell that the process has started; wait until it is told to end, or its parent has ended."""
    connection.send("ready")
    with suppress(EOFError):
        connection.recv()
