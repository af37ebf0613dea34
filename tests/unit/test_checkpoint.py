"""The checkpoint of a job as JSON."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from poolrace.producer.executors.models import Model
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


DAMAGED: list[Any] = [
    None,
    True,
    -1,
    1.5,
    10**30,
    float("nan"),
    float("inf"),
    "x",
    "\ud800",
    [],
    [[5, 3]],
    {},
]
"""Values that a field of a damaged checkpoint may have."""


def mutations(value: Any) -> Iterator[Any]:
    """The value with one part of it, at any depth, replaced, removed, or given twice."""
    yield from DAMAGED
    if isinstance(value, int) and not isinstance(value, bool):
        yield from (value - 1, value + 1, str(value), float(value))
    if isinstance(value, dict):
        yield {**value, "another": 1}
        for name, part in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield from ({**value, name: mutated} for mutated in mutations(part))
    if isinstance(value, list):
        yield from (value + value, value[::-1])
        for number, part in enumerate(value):
            yield value[:number] + value[number + 1 :]
            for mutated in mutations(part):
                yield [*value[:number], mutated, *value[number + 1 :]]


def assert_usable(restored: Checkpoint) -> None:
    """Assert that a job can be listed and resumed: the ledger and the gaps fit the range."""
    ledger = restored.job.ledger()
    assert ledger.done == restored.done
    assert ledger.done + sum(map(len, ledger.gaps)) == len(restored.job)
    assert all(gap.start < gap.stop for gap in ledger.gaps)
    restored.schedule.make(len(restored.job))
    Model("celery", restored.pool)
    json.dumps(restored.to_json(), allow_nan=False).encode()


def test_a_damaged_checkpoint_is_refused_or_can_be_used(checkpoint: Checkpoint) -> None:
    """Every mutation of every field either gives a valid checkpoint, or one kind of error."""
    refused = accepted = 0
    for data in mutations(checkpoint.to_json()):
        try:
            restored = Checkpoint.from_json(data)
        except ValueError as error:
            assert str(error).startswith("not a checkpoint: ")  # noqa: PT017 # one of two outcomes
            refused += 1
        else:
            assert_usable(restored)
            accepted += 1
    assert refused > 10 * accepted > 0


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ({"intervals": [[5, 3]]}, r"interval \[5, 3\)"),
        ({"intervals": [[0, 1_000_000]]}, r"lies outside of \[20, 60\)"),
        ({"intervals": [[20, 30], [25, 35]]}, r"interval \[25, 35\)"),
        ({"slots": "x"}, r"`\$.slots`"),
        ({"pool": "fibers"}, "pool 'fibers' is unknown"),
        ({"state": "asleep"}, r"`\$.state`"),
        ({"job": "*"}, r"`\$.job`"),
        ({"made_at": "yesterday"}, "yesterday"),
    ],
    ids=str,
)
def test_a_refusal_names_the_damaged_field(
    damage: dict[str, Any], named: str, checkpoint: Checkpoint
) -> None:
    with pytest.raises(ValueError, match=named):
        Checkpoint.from_json({**checkpoint.to_json(), **damage})
