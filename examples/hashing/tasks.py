"""A CPU-bound task in C code that releases the GIL: threads equal processes, with less memory."""

import hashlib

from celery import Celery

app = Celery("hashing", broker="amqp://broker.invalid//")


@app.task
def derive(password: str, rounds: int = 50_000) -> str:
    """Derive a key from a password, as a login does."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", rounds).hex()
