"""A task that fails for one item in ten, and waits."""

import time

from celery import Celery

app = Celery("unreliable", broker="amqp://broker.invalid//")


@app.task
def parse(text: str) -> int:
    """Wait for a service, and parse its answer."""
    time.sleep(0.05)
    return int(text)
