"""An I/O-bound task that sends HTTP requests: many greenlets or threads are fastest.

Start the server first: ``python server.py PORT``.
"""

import os
from urllib.request import urlopen

from celery import Celery

app = Celery("http", broker="amqp://broker.invalid//")


@app.task
def fetch(path: str) -> int:
    """Fetch a path; returns the length of the answer."""
    with urlopen(f"{os.environ['EXAMPLE_SERVER']}/{path}") as answer:  # noqa: S310 # a local server
        return len(answer.read())
