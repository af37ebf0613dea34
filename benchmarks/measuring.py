"""Measures the contenders of each row, interleaved, each in its own process. Prints nothing."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace

from benchmarks.peers import PEERS
from benchmarks.results import Benchmark, Sample
from benchmarks.rows import Contender, Row, Sizes
from benchmarks.services import ROOT, kill_all, left_running, new_mark
from poolrace.producer.environment import describe, now
from poolrace.producer.rounds import rotated
from poolrace.workers.errors import ClusterError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.settings import inherited_environment

MEASUREMENT_S = 3600.0
"""Seconds after which a measurement is stopped; the longest, a million chunks, takes minutes."""

FAILED = "failed: "
"""Start of the reason why a contender that failed is left out."""

Progress = Callable[[str], None]
"""Takes a line about the progress of the measurements."""


def benchmarks(
    rows: Sequence[Row], sizes: Sizes, progress: Progress, *, quick: bool
) -> Iterator[Benchmark]:
    """Measure the rows; after each row, yield the benchmark of all rows so far.

    A contender that is missing or fails is left out, with the reason.
    """
    left_out = {
        f"{row.number} {contender.name}": contender.missing
        for row in rows
        for contender in row.contenders
        if contender.missing
    }
    benchmark = _empty(sizes, quick=quick)
    for row in rows:
        samples = (*benchmark.samples, *_measured(row, left_out, progress))
        works = {**benchmark.works, str(row.number): row.work}
        benchmark = replace(benchmark, works=works, left_out=dict(left_out), samples=samples)
        yield benchmark


def measure_once(arguments: Sequence[str]) -> dict[str, list[float]]:
    """Run one measurement in a new process; returns its values by name.

    Raises ``ClusterError`` if the measurement fails, or leaves a process running.
    """
    mark = new_mark()
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "benchmarks.once", *arguments],
            cwd=ROOT,
            env=inherited_environment(**mark),
            capture_output=True,
            text=True,
            check=False,
            timeout=MEASUREMENT_S,
        )
    finally:
        leftover = left_running(mark)
        names = ", ".join(sorted({process.name() for process in leftover if process.is_running()}))
        kill_all(leftover)
    if finished.returncode:
        last_line = finished.stderr.strip().splitlines()[-1:] or [
            f"exit code {finished.returncode}"
        ]
        raise ClusterError(last_line[0])
    if names:
        raise ClusterError(f"left running: {names}")
    values: dict[str, list[float]] = json.loads(finished.stdout.splitlines()[-1])
    return values


def _empty(sizes: Sizes, *, quick: bool) -> Benchmark:
    """A benchmark without samples, made now on this machine."""
    versions = {
        name: f"{entry.package} {entry.version}" for name, entry in PEERS.items() if entry.version
    }
    return Benchmark(
        made_at=now(),
        quick=quick,
        sizes={**asdict(sizes), "hosts": list(sizes.hosts)},
        works={},
        environment=asdict(describe([HostFacts.collect("bench")])),
        peers=versions,
        left_out={},
        samples=(),
    )


def _measured(row: Row, left_out: dict[str, str], progress: Progress) -> Iterator[Sample]:
    """Measure a row; adds each contender that fails to ``left_out``."""
    for number in range(row.repeat):
        for contender in rotated(row.contenders, number):
            name = f"{row.number} {contender.name}"
            if name in left_out or number >= _measurements(row, contender):
                continue
            command = contender.command
            if contender.in_turn:
                command = (*command, "--repeat", str(row.repeat))
            try:
                values = measure_once(command)
            except (ClusterError, subprocess.TimeoutExpired) as error:
                left_out[name] = f"{FAILED}{error}"
                progress(f"row {row.number} {contender.name}: {left_out[name]}")
                continue
            round_name = f"row {row.number} round {number + 1}/{_measurements(row, contender)}"
            progress(f"{round_name} {contender.name}: {_shortened(values)}")
            yield from _samples(row, contender, number, values)


def _measurements(row: Row, contender: Contender) -> int:
    """Number of processes that measure the contender; one measures all rounds in turn."""
    return 1 if contender.in_turn else min(row.repeat, contender.repeat or row.repeat)


def _samples(
    row: Row, contender: Contender, number: int, values: dict[str, list[float]]
) -> Iterator[Sample]:
    """The sample of a round; of contenders measured in turn, one for each of them and round."""
    if not contender.in_turn:
        yield Sample(row.number, contender.name, number, values)
        return
    for name, by_round in values.items():
        for round_number, value in enumerate(by_round):
            yield Sample(row.number, name, round_number, {contender.in_turn: [value]})


def _shortened(values: dict[str, list[float]]) -> str:
    return ", ".join(f"{name} {min(measured):.4g}" for name, measured in values.items())
