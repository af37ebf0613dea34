"""CPU-bound in a library that releases the GIL: derives keys. Threads keep up, in less memory."""

import hashlib

from celery import Celery

app = Celery("hashing", broker="amqp://broker.invalid//")


@app.task
def derive(password: str, rounds: int = 50_000) -> str:
    """A key out of a password, as a login checks it."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", rounds).hex()
