"""I/O-bound: asks a server over HTTP. Greenlets and threads win, for waiting needs no core.

``python server.py PORT`` is the server.
"""

import os
from urllib.request import urlopen

from celery import Celery

app = Celery("http", broker="amqp://broker.invalid//")


@app.task
def fetch(path: str) -> int:
    """How long the answer is."""
    with urlopen(f"{os.environ['EXAMPLE_SERVER']}/{path}") as answer:  # noqa: S310 # a local server
        return len(answer.read())
