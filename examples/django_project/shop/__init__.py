"""A Django project with Celery, set up as Celery's documentation recommends."""

from shop.celery import app as celery_app

__all__ = ["celery_app"]
