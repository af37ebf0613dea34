"""Fixtures: benchmarks with chosen values."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from benchmarks.results import Benchmark, Sample
from benchmarks.rows import Sizes
from poolrace.workers.host_facts import HostFacts

MakeBenchmark = Callable[..., Benchmark]

FACTS = HostFacts(
    host="bench",
    machine="0",
    cores=2,
    cpu_quota=None,
    cpu="a CPU",
    system="Linux 6.1",
    python="CPython 3.11.7",
    gil=True,
)


@pytest.fixture
def make_benchmark() -> MakeBenchmark:
    """Makes a benchmark of row 1 from times of poolrace, beside seed's programs that took 1 s."""

    def make(
        times_s: list[float], made_at: str = "2026-01-01T00:00:00+00:00", **facts: Any
    ) -> Benchmark:
        samples = [
            Sample(1, contender, number, {"elapsed_s": [seconds]})
            for number, elapsed_s in enumerate(times_s)
            for contender, seconds in (("seed", 1.0), ("poolrace", elapsed_s))
        ]
        samples += [Sample(3, "poolrace", 0, {"chunks_per_s": [3000.0]})]
        return Benchmark(
            made_at=made_at,
            quick=False,
            sizes={**asdict(Sizes()), "hosts": [1, 2, 4, 8]},
            works={"1": "the sum", "3": "no-ops"},
            environment={"hosts": [{**FACTS.to_json(), **facts}], "versions": {}, "commit": "abc"},
            peers={"ray": "ray 2.60.0"},
            left_out={"7 hosts 1": "no Docker engine answers"},
            samples=tuple(samples),
        )

    return make
