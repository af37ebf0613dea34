"""A CPU-bound task in pure Python: processes are fastest, because each has its own GIL."""

from celery import Celery

app = Celery("pure_python", broker="amqp://broker.invalid//")


@app.task
def count_primes(below: int) -> int:
    """Count the primes below a number."""
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(2, below))
