"""Computes chunks of a workload: alone, or as a Celery worker.

The lower of the two packages. It knows nothing of schedules, ledgers, measurements or
reports, and imports nothing from ``producer``.
"""
