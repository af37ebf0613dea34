"""Computes chunks of a workload, in any program or as a Celery worker.

The lower half of the package. It knows nothing of schedules, ledgers, measurements or reports,
and imports nothing from ``producer``. Computing a chunk needs the standard library only.
"""
