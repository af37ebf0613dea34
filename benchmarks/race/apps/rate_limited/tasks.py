"""A task with a rate limit: in production the limit decides, whatever the pool is."""

import time

from celery import Celery

app = Celery("rate_limited", broker="amqp://broker.invalid//")


@app.task(rate_limit="30/m")
def call(seconds: float) -> None:
    """Wait for a service that allows thirty calls a minute."""
    time.sleep(seconds)
