"""The Celery app, under a name of its own; it finds the tasks of ``shop.jobs``."""

from celery import Celery

celery_app = Celery("shop", broker="amqp://broker.invalid//")
celery_app.autodiscover_tasks(["shop.jobs"], related_name="work")
