"""Measures rows: each contender in turn, each in a process of its own. Prints nothing."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace

from benchmarks.peers import PEERS
from benchmarks.results import Benchmark, Sample
from benchmarks.rows import Row, Sizes
from benchmarks.services import ROOT, end_all, left_behind, new_mark
from poolrace.producer.environment import describe, now
from poolrace.producer.rounds import rotated
from poolrace.workers.errors import ClusterError
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.settings import inherited_environment

ONCE_S = 3600.0
"""Seconds that one measurement may take; the longest, a million chunks, takes some minutes."""

Say = Callable[[str], None]


def benchmarks(rows: Sequence[Row], sizes: Sizes, say: Say, *, quick: bool) -> Iterator[Benchmark]:
    """Measure the rows; yields, after each, all that was measured so far.

    Who cannot be measured, or fails, is left out with the reason.
    """
    left_out = {
        f"{row.number} {contender.name}": contender.missing
        for row in rows
        for contender in row.contenders
        if contender.missing
    }
    so_far = _empty(sizes, quick=quick)
    for row in rows:
        samples = (*so_far.samples, *_measured(row, sizes.repeat, left_out, say))
        works = {**so_far.works, str(row.number): row.work}
        so_far = replace(so_far, works=works, left_out=dict(left_out), samples=samples)
        yield so_far


def once(arguments: Sequence[str]) -> dict[str, list[float]]:
    """One measurement; raises ``ClusterError`` if it failed, or left a process behind."""
    mark = new_mark()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.once", *arguments],
            cwd=ROOT,
            env=inherited_environment(**mark),
            capture_output=True,
            text=True,
            check=False,
            timeout=ONCE_S,
        )
    finally:
        stray = left_behind(mark)
        names = ", ".join(sorted({process.name() for process in stray if process.is_running()}))
        end_all(stray)
    if done.returncode:
        words = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise ClusterError(words[0])
    if names:
        raise ClusterError(f"left running: {names}")
    values: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return values


def _empty(sizes: Sizes, *, quick: bool) -> Benchmark:
    """With the moment and the machine, and no values yet."""
    versions = {name: (entry.package, entry.version) for name, entry in PEERS.items()}
    return Benchmark(
        made_at=now(),
        quick=quick,
        sizes={**asdict(sizes), "hosts": list(sizes.hosts)},
        works={},
        environment=describe([HostFacts.collect("bench")]),
        peers={name: f"{package} {found}" for name, (package, found) in versions.items() if found},
        left_out={},
        samples=(),
    )


def _measured(row: Row, repeat: int, left_out: dict[str, str], say: Say) -> Iterator[Sample]:
    for number in range(repeat):
        for contender in rotated(row.contenders, number):
            name = f"{row.number} {contender.name}"
            if name in left_out:
                continue
            try:
                values = once(contender.command)
            except (ClusterError, subprocess.TimeoutExpired) as error:
                left_out[name] = f"failed: {error}"
                say(f"row {row.number} {contender.name}: {left_out[name]}")
                continue
            say(f"row {row.number} round {number + 1}/{repeat} {contender.name}: {_words(values)}")
            yield Sample(row.number, contender.name, number, values)


def _words(values: dict[str, list[float]]) -> str:
    return ", ".join(f"{name} {min(found):.4g}" for name, found in values.items())
