"""The Celery app of the pool map: its one task computes, then waits."""

import time

from celery import Celery

from poolrace.workers.workloads.mixed import Mixed

app = Celery("mixed", set_as_current=False)


@app.task(name="mixed", ignore_result=True)
def mixed(cpu_s: float, wait_s: float) -> None:
    """Compute ``cpu_s`` seconds, then wait ``wait_s``: one index of the workload ``mixed``."""
    for pause_s in Mixed(cpu_s=cpu_s, wait_s=wait_s).steps(0, 1):
        time.sleep(pause_s)  # the work itself
