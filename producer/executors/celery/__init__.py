"""The executor for Celery pools: messages, what is in flight, recovery of lost chunks."""
