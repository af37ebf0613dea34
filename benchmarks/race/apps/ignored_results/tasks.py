"""A task whose results Celery does not store, though the app has a result backend."""

import time

from celery import Celery

app = Celery("ignored_results", broker="amqp://broker.invalid//", backend="redis://db.invalid/1")


@app.task(ignore_result=True)
def record(event: str) -> int:
    """Send an event to a service."""
    time.sleep(0.05)
    return len(event)
