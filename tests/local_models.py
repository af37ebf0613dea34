"""The local models that the Python of the tests can run."""

from poolrace.producer.executors.models import LOCAL_MODELS, Model, missing
from poolrace.workers.workloads import make_workload

RUNNABLE = [
    name for name in LOCAL_MODELS if not missing(Model("local", name), make_workload("sum", {}))
]
"""All of them from Python 3.14 on; before it, all but ``interpreters``."""
