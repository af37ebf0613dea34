"""A task that waits for a service which answers four requests at a time: more slots do not help.

Start the server first: ``python server.py PORT``.
"""

import os
from urllib.request import urlopen

from celery import Celery

app = Celery("slow_service", broker="amqp://broker.invalid//")


@app.task
def fetch(path: str) -> int:
    """Fetch a path; returns the length of the answer."""
    with urlopen(f"{os.environ['EXAMPLE_SERVER']}/{path}") as answer:  # noqa: S310 # a local server
        return len(answer.read())
