"""A task that sleeps in C, which gevent cannot patch: under gevent items run one by one."""

import ctypes

from celery import Celery

app = Celery("usleep", broker="amqp://broker.invalid//")

libc = ctypes.CDLL(None)


@app.task
def nap(seconds: float) -> None:
    """Sleep in usleep(3), which releases the GIL and does not return to gevent's loop."""
    libc.usleep(int(seconds * 1e6))
