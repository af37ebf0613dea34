"""A task that fails for some of its items: failures are counted by exception, and not ranked."""

import time

from celery import Celery

app = Celery("failing", broker="amqp://broker.invalid//")


@app.task
def divide(one: int, other: int) -> float:
    """A quotient, after a wait."""
    time.sleep(0.01)
    return one / other
