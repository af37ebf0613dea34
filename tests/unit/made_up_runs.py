"""A made-up run with everything that a report can show: two hosts, faults, a batch, waits."""

from poolrace.producer.results.environment import Environment
from poolrace.producer.results.run import ChunkMark, ChunkRecord, Event, Run, SlotShare
from poolrace.producer.results.single_run import SingleRun
from poolrace.workers.host_facts import HostFacts

CHUNKS: tuple[tuple[str, str, float, float, float, ChunkMark], ...] = (
    ("b", "2", 0.0, 0.9, 0.5, ""),
    ("b", "10", 0.0, 1.0, 0.75, ""),
    ("a", "1", 0.0, 0.5, 0.0, ""),
    ("b", "2", 0.25, 1.5, 0.125, ""),
    ("b", "2", 0.25, 1.5, 0.125, ""),
    ("b", "10", 1.25, 1.75, 0.5, "resent"),
    ("a", "1", 0.25, 1.75, 0.25, "duplicate"),
)
"""Host, slot, seconds at which the chunk was sent and its result arrived, its duration and mark.
Two chunks are of one batch, and slot 1 left before its second result."""

SECONDS = 2.0


def single_run() -> SingleRun:
    """The run as ``producer run --out`` stores it."""
    facts = [HostFacts.collect(host) for host in ("a", "b")]
    environment = Environment(facts, {"celery": "5.7.0"})
    invocation = "producer run sum --stop 60 --pool prefork:3"
    return SingleRun("2026-01-02T03:04:05+00:00", environment, run(), invocation=invocation)


def run() -> Run:
    """The run of chunks of ten indices each."""
    counted = [chunk for chunk in CHUNKS if chunk[5] != "duplicate"]
    shares: dict[str, dict[str, SlotShare]] = {}
    for host, slot, _, _, duration_s, _ in counted:
        share = shares.setdefault(host, {}).setdefault(slot, SlotShare())
        share.chunks += 1
        share.indices += 10
        share.busy_s += duration_s / 2
    stop = 10 * len(counted)
    value = sum(range(stop))
    return Run(
        job="3f9c2a7be810", workload="sum", parameters={"kernel": "loop"}, start=0, stop=stop,
        model="celery:prefork", slots=3, hosts=2, machines=1, schedule="static",
        chunks=len(counted), duplicates=1, retries=0, resent=1, backups=0, resumed=0,
        value=value, expected=value, exact=True, intervals=[[0, stop]],
        elapsed_s=SECONDS, startup_s=0.5, cpu_s=1.0, busy_s=1.0, efficiency=0.5,
        voluntary_switches=1, involuntary_switches=2, peak_memory_bytes=2**20,
        shares=shares, records=[*_records()],
        events=[
            Event(0.75, "prefork@a fell silent", "silent", "a"),
            Event(1.25, "1 chunk of prefork@a sent again", "resent", "a"),
            Event(1.75, "the connection to Redis is back", "reconnected"),
        ],
    )  # fmt: skip


def _records() -> list[ChunkRecord]:
    starts = {"duplicate": 50}
    return [
        ChunkRecord(
            start=(start := starts.get(mark, 10 * number)),
            stop=start + 10,
            host=host,
            slot=slot,
            arrived_s=arrived_s,
            duration_s=duration_s,
            value=sum(range(start, start + 10)),
            merged=None,
            sent_s=sent_s,
            cpu_s=duration_s / 2,
            waited_s=0.0,
            mark=mark,
        )
        for number, (host, slot, sent_s, arrived_s, duration_s, mark) in enumerate(CHUNKS)
    ]
