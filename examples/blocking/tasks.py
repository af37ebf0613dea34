"""A task that waits in a C library, as some database drivers do, which gevent cannot patch.

Under gevent all greenlets of a worker are blocked while one of them waits in C.
"""

import ctypes

from celery import Celery

app = Celery("blocking", broker="amqp://broker.invalid//")

libc = ctypes.CDLL(None)


@app.task
def query(seconds: float) -> None:
    """Wait in poll(2), called directly from C as a C driver does."""
    libc.poll(None, 0, int(seconds * 1000))
