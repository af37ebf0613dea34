"""A Celery app that has no task: ``celery --app tests.faults.stray worker`` is a stray worker."""

import os

from celery import Celery

URL = os.environ["CELERY_BROKER_URL"]

app = Celery("stray", broker=URL, backend=URL)
