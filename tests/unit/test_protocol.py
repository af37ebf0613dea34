"""The protocol between producers and workers: what a worker of another release must understand."""

import inspect
from dataclasses import fields

from poolrace.workers.chunks import Chunk, ChunkResult, results_to_json
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.pools import POOLS
from poolrace.workers.protocol import PROTOCOL, QUEUES, queue_of
from poolrace.workers.runtime.presence import Presence
from poolrace.workers.tasks import compute_batch


def test_messages_results_and_announcements_are_those_of_this_protocol() -> None:
    """Whoever changes one of them must also give the protocol a new number."""
    results = results_to_json([ChunkResult(Chunk(0, 1), 0, 0.0, 0.0, 0.0, "here", "1.0")])
    described = {
        "arguments": list(inspect.signature(compute_batch.run).parameters),
        "results": sorted(results),
        "range": results["ranges"][0],
        "presence": [field.name for field in fields(Presence)],
        "host": [field.name for field in fields(HostFacts)],
    }
    assert (PROTOCOL, described) == (4, {
        "arguments": ["job", "workload", "parameters", "ranges", "time_limit_s"],
        "results": [
            "cpu_ns", "durations_ns", "host", "ranges", "slot", "values", "waited_ns",
        ],
        "range": [0, 1, 1],
        "presence": ["name", "pool", "slots", "pid", "since", "host", "version", "protocol"],
        "host": [
            "host", "machine", "cores", "cpu_quota", "cpu", "system", "python", "gil",
            "free_threaded", "jit", "build_flags", "versions",  # left out by workers up to 0.4.0
        ],
    })  # fmt: skip


def test_each_pool_has_a_queue_of_its_own_for_each_protocol() -> None:
    assert {queue_of(pool) for pool in POOLS} == set(QUEUES)
    assert all(name.endswith(f".{PROTOCOL}") for name in QUEUES)
    assert len(QUEUES) == len(POOLS)
