"""A connection for each process, opened at a signal that threads and gevent never send.

Celery sends ``worker_process_init`` in each process of prefork, and in a worker of solo.
"""

import sqlite3
import time
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

app = Celery("process_connection", broker="amqp://broker.invalid//")

connections: list[sqlite3.Connection] = []


@worker_process_init.connect
def connect(**_: Any) -> None:
    """Open the connection of this process."""
    connections.append(sqlite3.connect(":memory:"))


@app.task
def query(number: int) -> int:
    """Query the database, which takes some time."""
    time.sleep(0.05)
    answer: int = connections[0].execute("SELECT ? + 1", (number,)).fetchone()[0]
    return answer
