"""Tasks that Celery retries when a service does not answer, which one item in twenty shows."""

import time
from typing import Any

from celery import Celery

app = Celery("retrying", broker="amqp://broker.invalid//")


def fetch(number: int) -> int:
    """Wait for the service, which refuses number 0."""
    time.sleep(0.05)
    if number == 0:
        raise ConnectionError("the service refuses number 0")
    return number


@app.task(bind=True, max_retries=3, default_retry_delay=60)
def crawl(self: Any, number: int) -> int:
    """Fetch, and ask for a retry if that fails."""
    try:
        return fetch(number)
    except ConnectionError as error:
        raise self.retry(exc=error) from error


@app.task(autoretry_for=(ConnectionError,), retry_backoff=60, max_retries=3)
def crawl_again(number: int) -> int:
    """Fetch; Celery retries if that fails."""
    return fetch(number)
