"""Runs beside the computing of a live Celery worker: announcing, pausing, cancelling, storing."""
