"""Makes the Celery app, with the same configuration for workers and producers.

Holds no app: the app of a worker is in ``tasks.py``, and a producer makes one for each run.
"""

from celery import Celery

from poolrace.workers.celery_config import configuration
from poolrace.workers.runtime.backend import OVERRIDES
from poolrace.workers.runtime.transport import install
from poolrace.workers.settings import WorkerSettings

TASK = "poolrace.compute"
"""Celery name of the task that computes the batch of chunks in a message."""

PROBE_TASK = "poolrace.probe"
"""Celery name of the task that measures one experiment of the claims."""

ON_HOST = "on host "
"""Prefix of the last line of a failed chunk's traceback; the host's name follows."""


def make_app(settings: WorkerSettings) -> Celery:
    """A Celery app that uses the broker and the result backend of ``settings``."""
    install()
    app = Celery("poolrace", broker=settings.broker_url)
    app.loader.override_backends = OVERRIDES
    app.conf.update(configuration(settings))
    return app
