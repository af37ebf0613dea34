"""A task whose messages go to a queue of its own, as the settings say."""

import time

from celery import Celery

app = Celery("routed")
app.config_from_object("settings")


@app.task
def resize(width: int) -> int:
    """Wait for a service that resizes a picture."""
    time.sleep(0.05)
    return width
