"""The executor for Celery pools: messages, batches in flight, recovery of lost chunks."""
