"""``make chaos``: random jobs under random faults, for a given time.

The seed determines the jobs and the faults. The exit code is 1 if a value was wrong or a job
failed or hung.
"""

import itertools
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import click

from poolrace.producer.broker.checkpoint_store import OWNER_EXPIRE_S, owner_key
from poolrace.producer.broker.client import connect
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.experiments.saved_jobs import saved_jobs
from poolrace.producer.jobs.checkpoint import FINISHED
from poolrace.producer.results.run import Run
from poolrace.producer.settings import Settings
from tests.conftest import CommandLine, wait_until
from tests.faults.faults import FAULTS, Target

SLOTS = {"prefork": 2, "threads": 2, "gevent": 8, "solo": 1}
HUNG_S = 150.0
"""Seconds after which a job counts as hung; without a fault it takes a few seconds."""

ABORTED = 130
"""Exit code of a producer after Ctrl-C."""

COMPLETE_S = 60.0
"""Seconds to wait at most until the cluster is complete, or a job has begun."""


@dataclass
class Tally:
    """Results of all rounds: jobs, faults and failures."""

    jobs: int = 0
    wrong: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    lost_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Fault -> longest time without a result, in seconds, of each run with that fault."""

    @property
    def good(self) -> bool:
        """Whether every job ended with the right value."""
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


def random_command(dice: random.Random) -> list[str]:
    """``producer run`` with a random job of one or two seconds and a random schedule."""
    name = dice.choice(["sum", "mixed", "minimum", "factorial"])
    least, most, *parameters = {
        "sum": (20_000_000, 60_000_000),
        "mixed": (200, 800),
        "minimum": (1_000_000, 8_000_000),
        "factorial": (20, 60, "--wait-s", "0.005"),
    }[name]
    stop = dice.randrange(int(least), int(most))
    start = dice.randrange(stop // 4)
    count = stop - start
    schedule = dice.choice(
        [
            ["auto"],
            ["static", "--chunks", str(dice.randint(1, min(count, 40)))],
            ["dynamic", "--chunk-size", str(-(-count // 30))],
            ["guided", "--chunk-size", str(-(-count // 100))],
        ]
    )
    bounds = ("--start", str(start), "--stop", str(stop))
    return ["run", name, *bounds, *map(str, parameters), "--schedule", *schedule, "--json"]


def quiet_s(run: Run) -> float:
    """The longest time without a result."""
    times = [0.0, *(record.arrived_s for record in run.records)]
    return max(later - earlier for earlier, later in itertools.pairwise(times))


@dataclass(frozen=True)
class Round:
    """One or two jobs on a pool, and a fault while they run."""

    cluster: Cluster
    producer: CommandLine
    fault: str
    tally: Tally

    def run(self, dice: random.Random) -> None:
        """Start the jobs, cause the fault, and check the results."""
        pool = dice.choice(list(SLOTS))
        commands = [[*random_command(dice), "--pool", pool] for _ in range(dice.choice([1, 1, 2]))]
        delay_s, seconds = dice.uniform(0.0, 1.5), dice.uniform(1.0, 8.0)
        processes = [self.producer.start(*command) for command in commands]
        wait_until(lambda: all(map(self._begun, processes)), COMPLETE_S)
        time.sleep(delay_s)  # the fault begins at a random moment
        FAULTS[self.fault](Target(self.cluster, pool, seconds, processes))
        self.tally.faults[self.fault] += 1
        for process, command in zip(processes, commands, strict=True):
            self._judge(process, command)

    def _begun(self, process: "subprocess.Popen[str]") -> bool:
        """Whether the job of the process is saved in Redis, or the process has ended.

        A fault before that says nothing: a producer without a cluster fails at once by design.
        """
        saved = saved_jobs(Settings(broker_url=self.cluster.broker_url))
        owners = {job.producer.partition("@")[0] for job in saved if job.producer}
        return str(process.pid) in owners or process.poll() is not None

    def _judge(self, process: "subprocess.Popen[str]", command: list[str]) -> None:
        self.tally.jobs += 1
        description = f"{self.fault}: {' '.join(command)}"
        try:
            out, err = process.communicate(timeout=HUNG_S)
            resumed = process.returncode in (-signal.SIGKILL, ABORTED)
            if resumed:
                again = self.producer(*self._resuming(command), timeout_s=HUNG_S)
                out, err = again.out, again.err
        except subprocess.TimeoutExpired:
            self.tally.hung.append(description)
            return
        if not out:
            self.tally.failed.append(f"{description}: {err}")
            return
        run = Run.from_json(json.loads(out))
        if not run.exact:
            self.tally.wrong.append(f"{description}: {run.value} instead of {run.expected}")
        if not resumed:
            self.tally.lost_s[self.fault].append(quiet_s(run))

    def _resuming(self, command: list[str]) -> list[str]:
        """The command that resumes the job of ``command``, or ``command`` if no job is saved."""
        job_of_command = (command[1], int(command[3]), int(command[5]))
        saved = saved_jobs(Settings(broker_url=self.cluster.broker_url))
        unfinished = [
            job.job
            for job in saved
            if (job.workload, job.start, job.stop) == job_of_command and job.state != FINISHED
        ]
        if not unfinished:
            return command
        with connect(self.cluster.broker_url) as client:
            wait_until(lambda: not client.exists(owner_key(unfinished[0])), OWNER_EXPIRE_S + 1)
        return ["resume", unfinished[0], "--json"]


def chaos(seconds: float, seed: int, rounds: int = 1) -> Tally:
    """Run rounds for ``seconds`` seconds, ``rounds`` at least.

    Each begins when the cluster is complete again.
    """
    tally = Tally()
    dice = random.Random(seed)  # not used for secrets
    with (
        tempfile.TemporaryDirectory() as state,
        temporary(Settings(state_dir=Path(state)), SLOTS) as cluster,
        CommandLine(Path(state), {"CELERY_BROKER_URL": cluster.broker_url}) as producer,
    ):
        deadline = time.monotonic() + seconds
        while not tally.hung and (time.monotonic() < deadline or tally.faults.total() < rounds):
            Round(cluster, producer, dice.choice(list(FAULTS)), tally).run(dice)
            wait_until(lambda: not cluster.broken_parts(), COMPLETE_S)
    return tally


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="Seconds to run.")
@click.option("--seed", default=1, show_default=True, help="Seed of the random jobs and faults.")
def main(seconds: float, seed: int) -> None:
    """Run random jobs under random faults."""
    tally = chaos(seconds, seed)
    click.echo(f"seed {seed}\n{tally.render()}")
    sys.exit(not tally.good)


if __name__ == "__main__":
    main(prog_name="make chaos")
