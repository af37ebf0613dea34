"""A task that imports a module of the project while it runs."""

import time

from celery import shared_task


@shared_task(name="shop.price")
def price(number: int) -> int:
    """Wait for a database, and compute a price."""
    from shop.rates import RATE  # noqa: PLC0415 # projects do so to avoid import cycles

    time.sleep(0.05)
    return number * RATE
