"""A task whose argument Celery turns into a pydantic model, and whose result into a dict."""

import time

from celery import Celery
from pydantic import BaseModel

app = Celery("pydantic_models", broker="amqp://broker.invalid//")


class Order(BaseModel):
    """The argument."""

    number: int
    goods: list[str]


class Receipt(BaseModel):
    """The result."""

    number: int
    lines: int


@app.task(pydantic=True)
def confirm(order: Order, express: bool = False) -> Receipt:
    """Wait for a database, and confirm the order."""
    time.sleep(0.05)
    return Receipt(number=order.number, lines=len(order.goods))
