"""A task that returns two megabytes: storing its result takes longer than the task."""

from celery import Celery

app = Celery("large_results", broker="amqp://broker.invalid//", backend="redis://db.invalid/1")


@app.task
def export(rows: int) -> list[str]:
    """Export rows of a thousand characters."""
    return ["x" * 1000] * rows
