"""What an app needs while it is measured: its environment variables and its server."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.race.apps import SERVER, App
from poolrace.producer.cluster.ports import LOOPBACK, free_port, is_free
from poolrace.producer.processes.die_with_parent import die_with_parent_command
from poolrace.producer.processes.polling import poll_until
from poolrace.workers.errors import ClusterError

SERVER_S = 30.0
"""Seconds that the server of an app may take to start."""

BUSY = "while True: pass"
"""Program that computes until it is ended."""


@contextmanager
def environment_of(app: App) -> Iterator[None]:
    """Set the app's environment variables in this process, and run its server if it has one."""
    variables = dict(app.variables)
    if not app.needs_server:
        with _variables(variables):
            yield
        return
    port = free_port()
    variables[SERVER] = f"http://{LOOPBACK}:{port}"
    server = [sys.executable, str(app.folder / "server.py"), str(port)]
    with _variables(variables), _running(server) as process:
        poll_until(lambda: not is_free(port) or process.poll() is not None, SERVER_S)
        if is_free(port):
            raise ClusterError(f"the server of {app.name} did not start on port {port}")
        yield


@contextmanager
def busy_process() -> Iterator[None]:
    """Run a process that uses one core."""
    with _running([sys.executable, "-c", BUSY]):
        yield


@contextmanager
def _running(command: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command that ends with the block, or with this process."""
    with subprocess.Popen(die_with_parent_command(command)) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
