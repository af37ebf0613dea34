"""CPU-bound in pure Python: counts primes. Processes win, for each has a GIL of its own."""

from celery import Celery

app = Celery("pure_python", broker="amqp://broker.invalid//")


@app.task
def count_primes(below: int) -> int:
    """How many primes there are below a number."""
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(2, below))
