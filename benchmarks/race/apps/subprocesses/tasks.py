"""A task that runs a computing program, as a converter of videos does: the pool only waits."""

import subprocess
import sys

from celery import Celery

app = Celery("subprocesses", broker="amqp://broker.invalid//")

PROGRAM = "print(sum(n * n for n in range(int(input()))))"


@app.task
def convert(size: int) -> int:
    """Run the program."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM],
        input=str(size), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)
