"""Waits in a C library, as drivers for databases do: gevent cannot patch it.

Under gevent all greenlets of a worker stand still while one of them waits in C.
"""

import ctypes

from celery import Celery

app = Celery("blocking", broker="amqp://broker.invalid//")

libc = ctypes.CDLL(None)


@app.task
def query(seconds: float) -> None:
    """Wait for an answer in poll(2), which a C driver calls and Python does not see."""
    libc.poll(None, 0, int(seconds * 1000))
