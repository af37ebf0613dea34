"""The parts of a live Celery worker besides computing: announcing, pausing, cancelling, storing."""
