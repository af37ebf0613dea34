"""Provides ``psutil``; on Linux, where it is not installed, the part of it in ``procfs.py``.

So a worker needs only ``celery[redis]`` in its interpreter.
"""

import sys

try:
    import psutil
except ModuleNotFoundError:
    if sys.platform != "linux":
        raise
    from poolrace.workers import procfs as psutil  # type: ignore[no-redef]

__all__ = ["psutil"]
