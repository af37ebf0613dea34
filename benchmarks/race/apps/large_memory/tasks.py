"""A task that waits while it holds 60 MB: memory decides how many items fit at a time."""

import time

from celery import Celery

app = Celery("large_memory", broker="amqp://broker.invalid//")


@app.task
def upload(megabytes: int) -> int:
    """Hold a file in memory while it is uploaded."""
    content = bytearray(b"x") * (megabytes * 2**20)
    time.sleep(0.5)
    return len(content)
