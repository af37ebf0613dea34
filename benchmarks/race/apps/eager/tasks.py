"""Settings for tests that were left in place: ``delay`` would run the task in the caller."""

import time

from celery import Celery

app = Celery("eager", broker="amqp://broker.invalid//")
app.conf.update(task_always_eager=True, task_eager_propagates=True)


@app.task
def send(address: str) -> str:
    """Wait for a mail server."""
    time.sleep(0.05)
    return address
