"""A task that sleeps for 0.1 s, as one that waits for a fast service does."""

import time

from celery import Celery

app = Celery("sleeping", broker="amqp://broker.invalid//")


@app.task
def nap(seconds: float) -> None:
    """Sleep."""
    time.sleep(seconds)
