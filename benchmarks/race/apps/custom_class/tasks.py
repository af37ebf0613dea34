"""A task class of the project: its hooks run around each item."""

import threading
from typing import Any

from celery import Celery, Task

app = Celery("custom_class", broker="amqp://broker.invalid//")


class Audited(Task):
    """Counts the items that began and succeeded."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.begun = self.succeeded = 0

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Celery calls this before each item."""
        with self.lock:
            self.begun += 1

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Celery calls this for each item."""
        if self.begun == 0:
            raise RuntimeError("before_start was not called")
        return super().__call__(*args, **kwargs)

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        """Celery calls this after each item that succeeded."""
        with self.lock:
            self.succeeded += 1


@app.task(base=Audited, bind=True)
def total(self: Audited, below: int) -> int:
    """Add up the squares below a number, in pure Python."""
    return sum(n * n for n in range(below))
