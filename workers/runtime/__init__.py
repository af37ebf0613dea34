"""What a live Celery worker does besides computing chunks."""
