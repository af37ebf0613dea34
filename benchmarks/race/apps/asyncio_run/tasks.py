"""A task that runs coroutines with ``asyncio.run``: a thread can run one event loop at a time."""

import asyncio

from celery import Celery

app = Celery("asyncio_run", broker="amqp://broker.invalid//")


@app.task
def fetch_all(number: int) -> int:
    """Wait for that many answers at once; returns their number."""
    return asyncio.run(_gather(number))


async def _gather(number: int) -> int:
    return sum(await asyncio.gather(*(_fetch() for _ in range(number))))


async def _fetch() -> int:
    await asyncio.sleep(0.05)
    return 1
