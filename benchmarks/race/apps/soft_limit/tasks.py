"""A task that returns early at its soft time limit, which Celery applies in prefork only."""

import time

from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded

app = Celery("soft_limit", broker="amqp://broker.invalid//")


@app.task(soft_time_limit=0.2)
def search(seconds: float) -> str:
    """Search for some time; returns what was found until the limit."""
    try:
        time.sleep(seconds)
    except SoftTimeLimitExceeded:
        return "the first hits"
    return "all hits"
