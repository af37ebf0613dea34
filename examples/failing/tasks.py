"""A task that fails for some items: a race counts the failures by exception."""

import time

from celery import Celery

app = Celery("failing", broker="amqp://broker.invalid//")


@app.task
def divide(dividend: int, divisor: int) -> float:
    """Wait, then return the quotient."""
    time.sleep(0.01)
    return dividend / divisor
