"""A task that hangs on every twentieth item: no pool but prefork and gevent ends such an item."""

import time

from celery import Celery

app = Celery("hanging", broker="amqp://broker.invalid//")


@app.task
def crawl(number: int) -> int:
    """Wait for a service that never answers number 0."""
    time.sleep(3600 if number == 0 else 0.02)
    return number
