"""Calls the factory, for ``celery -A make_celery``."""

from shop import create_app, tasks

flask_app = create_app()
celery_app = flask_app.extensions["celery"]

__all__ = ["celery_app", "flask_app", "tasks"]
