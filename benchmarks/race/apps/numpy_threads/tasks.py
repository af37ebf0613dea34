"""A task that multiplies matrices: the threads of numpy's own library use all cores at once."""

import numpy as np
from celery import Celery

app = Celery("numpy_threads", broker="amqp://broker.invalid//")


@app.task
def multiply(size: int) -> float:
    """Multiply a matrix with itself, some times; returns the largest entry."""
    matrix = np.random.default_rng(1).random((size, size)) / size
    for _ in range(8):
        matrix = matrix @ matrix
    return float(matrix.max())
