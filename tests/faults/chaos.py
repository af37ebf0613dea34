"""``make chaos``: random jobs under random faults, for a given time; the same seed, the same
jobs and faults. Ends with code 1 if a value was wrong or a job did not come to its end.
"""

import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from dataclasses import dataclass, field
from pathlib import Path

import click

from producer.cluster.local import Cluster, temporary
from producer.executors import Model, make_executor
from producer.jobs import Job
from producer.measure import measure
from producer.results import Run
from producer.schedules import ScheduleChoice
from tests.faults.faults import FAULTS, Target
from workers.errors import PoolraceError
from workers.settings import Settings
from workers.workloads import make_workload

SLOTS = {"prefork": 2, "threads": 2, "gevent": 8, "solo": 1}
HUNG_S = 120.0
"""A job that takes longer is hung: none takes more than seconds by itself."""

HEALED_S = 60.0


@dataclass
class Tally:
    """What came of it."""

    jobs: int = 0
    wrong: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    lost_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Fault -> the longest time without a result in each run that it hit."""

    @property
    def good(self) -> bool:
        """Whether every job came to its end with the right value."""
        return not (self.wrong or self.hung or self.failed)

    def render(self) -> str:
        """The table, for the terminal."""
        lines = [f"{'fault':30} {'injected':>8}  time without a result, median and longest"]
        for name in FAULTS:
            seconds = self.lost_s.get(name, [])
            lost = f"{statistics.median(seconds):.1f} s, {max(seconds):.1f} s" if seconds else "-"
            lines.append(f"{name:30} {self.faults[name]:>8}  {lost}")
        lines.append(
            f"{self.jobs} jobs; wrong values: {len(self.wrong)}, hung: {len(self.hung)},"
            f" failed: {len(self.failed)}"
        )
        return "\n".join((*lines, *self.wrong, *self.hung, *self.failed))


def random_job(dice: random.Random) -> tuple[Job, ScheduleChoice]:
    """A job of a second or two, and how it is cut."""
    name = dice.choice(["sum", "mixed", "minimum", "factorial"])
    workload, stop = {
        "sum": lambda: (make_workload("sum", {}), dice.randrange(20_000_000, 60_000_000)),
        "mixed": lambda: (make_workload("mixed", {}), dice.randrange(200, 800)),
        "minimum": lambda: (make_workload("minimum", {}), dice.randrange(1_000_000, 8_000_000)),
        "factorial": lambda: (
            make_workload("factorial", {"wait_s": 0.005}),
            dice.randrange(20, 60),
        ),
    }[name]()
    start = dice.randrange(stop // 4)
    count = stop - start
    schedule = dice.choice(
        [
            ScheduleChoice(),
            ScheduleChoice("static", chunks=dice.randint(1, min(count, 40))),
            ScheduleChoice("dynamic", chunk_size=-(-count // 30)),
            ScheduleChoice("guided", chunk_size=-(-count // 100)),
        ]
    )
    return Job(workload, start, stop), schedule


def run(cluster: Cluster, pool: str, job: Job, schedule: ScheduleChoice) -> Run:
    """One measured run."""
    executor = make_executor(
        Model("celery", pool), job, Settings(broker_url=cluster.broker_url), schedule
    )
    return measure(job, executor, schedule.make(len(job)), expected=job.expected())


def quiet_s(run: Run) -> float:
    """The longest time without a result."""
    times = [0.0, *(record.arrived_s for record in run.records)]
    return max(later - earlier for earlier, later in itertools.pairwise(times))


def round_of_chaos(cluster: Cluster, dice: random.Random, tally: Tally) -> None:
    """One or two jobs on a pool, and a fault somewhere in the middle of them."""
    pool = dice.choice(list(SLOTS))
    jobs = [random_job(dice) for _ in range(dice.choice([1, 1, 2]))]
    name = dice.choice(list(FAULTS))
    delay_s, seconds = dice.uniform(0.1, 1.0), dice.uniform(1.0, 8.0)
    threads = ThreadPoolExecutor(len(jobs))
    futures = [threads.submit(run, cluster, pool, job, cut) for job, cut in jobs]
    time.sleep(delay_s)  # the moment of the fault is one of its dice
    FAULTS[name](Target(cluster, pool, seconds))
    tally.faults[name] += 1
    for future, (job, cut) in zip(futures, jobs, strict=True):
        _judge(future, f"{name}: {job} on {pool} by {cut}", name, tally)
    threads.shutdown(wait=not tally.hung)


def _judge(future: "Future[Run]", what: str, fault: str, tally: Tally) -> None:
    tally.jobs += 1
    try:
        finished = future.result(timeout=HUNG_S)
    except NotDone:
        tally.hung.append(what)
        return
    except PoolraceError as error:
        tally.failed.append(f"{what}: {error}")
        return
    if not finished.exact:
        tally.wrong.append(f"{what}: {finished.value} instead of {finished.expected}")
    tally.lost_s[fault].append(quiet_s(finished))


def chaos(seconds: float, seed: int) -> Tally:
    """Rounds until the time is over, each on a cluster that is whole again."""
    tally = Tally()
    dice = random.Random(seed)  # no secret comes of it
    with (
        tempfile.TemporaryDirectory() as state,
        temporary(Settings(state_dir=Path(state)), SLOTS) as cluster,
    ):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not tally.hung:
            round_of_chaos(cluster, dice, tally)
            _wait_until_whole(cluster)
    return tally


def _wait_until_whole(cluster: Cluster) -> None:
    deadline = time.monotonic() + HEALED_S
    while broken := cluster.broken_parts():
        if time.monotonic() > deadline:
            raise PoolraceError(f"the cluster did not heal: no {', no '.join(broken)}")
        time.sleep(0.1)  # between two looks at other processes


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long.")
@click.option("--seed", default=1, show_default=True, help="Which jobs and faults.")
def main(seconds: float, seed: int) -> None:
    """Random jobs under random faults."""
    tally = chaos(seconds, seed)
    click.echo(f"seed {seed}\n{tally.render()}")
    sys.stdout.flush()
    os._exit(not tally.good)  # a hung job does not end by itself


if __name__ == "__main__":
    main(prog_name="make chaos")
