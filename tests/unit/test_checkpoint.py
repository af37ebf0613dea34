"""The checkpoint of a job as JSON."""

import json
from typing import Any

import pytest

from poolrace.producer.jobs.checkpoint import Checkpoint
from poolrace.producer.jobs.job import Job
from poolrace.producer.jobs.schedules import ScheduleChoice
from poolrace.workers.chunks import Chunk
from poolrace.workers.workloads import make_workload


@pytest.fixture
def checkpoint() -> Checkpoint:
    """Half of a job whose value is too large for a plain JSON integer."""
    job = Job(
        make_workload("factorial", {"wait_s": 0.5}),
        20,
        60,
        generation=2,
        done=(Chunk(20, 30), Chunk(40, 50)),
        value=1 << 5000,
        time_limit_s=1.5,
    )
    schedule = ScheduleChoice("dynamic", chunk_size=10)
    return Checkpoint(job, "threads", 2, schedule, "failed", "2026-01-01T00:00:00Z", "no memory")


def test_a_checkpoint_survives_json(checkpoint: Checkpoint) -> None:
    restored = Checkpoint.from_json(json.loads(json.dumps(checkpoint.to_json())))
    assert restored.to_json() == checkpoint.to_json()
    assert restored.job.value == 1 << 5000
    assert restored.job.key == checkpoint.job.key
    assert restored.schedule == checkpoint.schedule
    assert restored.done == 20


@pytest.mark.parametrize("data", [None, [], {}, {"parameters": 7}, {"parameters": {}}])
def test_json_that_is_no_checkpoint_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="not a checkpoint"):
        Checkpoint.from_json(data)
