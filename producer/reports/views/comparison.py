"""The figures of a comparison as rows of text: the one place that derives and rounds them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from poolrace.producer.analysis.stats import median, spread
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.run import Run

BASE = "local:single"
"""Speed-ups are over this model, and over the first row where it was not run."""


COLUMNS = (
    "workload", "start", "stop", "model", "slots", "hosts", "machines", "schedule", "chunks",
    "duplicates", "value", "expected", "exact", "elapsed_s", "startup_s", "cpu_s", "busy_s",
    "efficiency", "voluntary_switches", "involuntary_switches", "peak_memory_bytes",
)  # fmt: skip
"""The raw values of a run that fit into a line."""

WHAT = {
    "model": "model", "chunks": "number of chunks", "slots": "number of slots",
    "hosts": "number of hosts",
}  # fmt: skip
"""What a case is called, by what varies."""


@dataclass(frozen=True)
class Row:
    """The runs of one case, and its figures: medians over the runs."""

    model: str
    slots: int
    hosts: int
    chunks: int
    elapsed_s: float
    spread_s: float
    speed_up: float
    """Median time of the base over the median time of this case."""
    cpu_s: float
    voluntary_switches: int
    involuntary_switches: int
    peak_memory_bytes: int
    exact: bool

    @property
    def efficiency(self) -> float:
        """Speed-up over slots."""
        return self.speed_up / self.slots


def rows(comparison: Comparison) -> list[Row]:
    """A row a case: models in the order in which they were first run, numbers ascending."""
    cases: dict[tuple[str, int], list[Run]] = {}
    for run in comparison.runs:
        cases.setdefault(_case(comparison, run), []).append(run)
    if not cases:
        return []
    groups = [cases[case] for case in (cases if comparison.varies == "model" else sorted(cases))]
    base = next((runs for runs in groups if runs[0].model == BASE), groups[0])
    base_s = _median_s(base)
    return [_row(runs, base_s) for runs in groups]


def summary(comparison: Comparison) -> str:
    """What was run, in one line."""
    parameters = "".join(
        f" --{name.replace('_', '-')} {value}"
        for name, value in comparison.parameters.items()
        if value not in ([], None)
    )
    return (
        f"{comparison.workload}{parameters} over [{comparison.start:_}, {comparison.stop:_}),"
        f" schedule {comparison.schedule}, {comparison.repeat} run(s) of each"
        f" {WHAT[comparison.varies]}, interleaved"
    )


def proof(comparison: Comparison) -> str:
    """Whether the answers were exact, and how that is known, in one line."""
    wrong = sorted({run.model for run in comparison.runs if not run.exact})
    if wrong:
        return f"NOT EXACT: {', '.join(wrong)}; expected {comparison.expected}"
    duplicates = sum(run.duplicates for run in comparison.runs)
    return (
        f"value {comparison.expected}, exact in all {len(comparison.runs)} runs:"
        f" every index counted once ({duplicates} duplicate(s) ignored),"
        " and equal to the value found independently"
    )


def fleet(comparison: Comparison) -> list[str]:
    """Each host's share where several hosts worked, and what happened in the runs."""
    by_case: dict[tuple[str, int], Counter[str]] = {}
    for run in comparison.runs:
        # Hosts that rested did nothing: only runs on the same number of them are added up.
        number = run.hosts if comparison.varies == "hosts" else 0
        counted = by_case.setdefault((run.model, number), Counter())
        for host, slots in run.shares.items():
            counted[host] += sum(share.indices for share in slots.values())
    return [
        *(
            f"{model} ran on {len(counted)} hosts; shares of the indices: "
            + ", ".join(f"{host} {n / counted.total():.1%}" for host, n in sorted(counted.items()))
            for (model, _), counted in by_case.items()
            if len(counted) > 1
        ),
        *(
            f"run {number}, {run.model}, at {event.at_s:.1f} s: {event.what}"
            for number, run in enumerate(comparison.runs, start=1)
            for event in run.events
        ),
    ]


def machine(environment: dict[str, Any]) -> list[str]:
    """The hosts and versions: a line for hosts that are alike, a warning if cores are shared."""
    names: dict[str, list[str]] = {}
    machines: Counter[str] = Counter()
    for host in environment["hosts"]:
        quota = f", CPU quota {host['cpu_quota']:g}" if host["cpu_quota"] else ""
        gil = "" if host["gil"] else ", no GIL"
        facts = (
            f"{host['cores']} cores{quota}, {host['cpu']}, {host['system']}, {host['python']}{gil}"
        )
        names.setdefault(facts, []).append(host["host"])
        machines[host["machine"]] += 1
    versions = environment["versions"]
    return [
        *(f"{', '.join(hosts)}: {facts}" for facts, hosts in names.items()),
        *(
            f"{count} of these hosts share the cores of one machine: more of them add no core"
            for count in machines.values()
            if count > 1
        ),
        ", ".join(f"{name} {number}" for name, number in versions.items()),
    ]


def cores(comparison: Comparison) -> int:
    """Cores of all machines together: hosts that share a machine share them."""
    machines: dict[str, int] = {}
    for host in comparison.environment["hosts"]:
        machines[host["machine"]] = max(host["cores"], machines.get(host["machine"], 0))
    return sum(machines.values())


def _case(comparison: Comparison, run: Run) -> tuple[str, int]:
    """What tells the runs of one case from those of the others."""
    number = run.slots if comparison.varies == "model" else getattr(run, comparison.varies)
    return run.model, number


def _row(runs: Sequence[Run], base_s: float) -> Row:
    elapsed_s = _median_s(runs)
    return Row(
        model=runs[0].model,
        slots=runs[0].slots,
        hosts=max(run.hosts for run in runs),
        chunks=round(median(run.chunks for run in runs)),
        elapsed_s=elapsed_s,
        spread_s=spread([run.elapsed_s for run in runs]),
        speed_up=base_s / elapsed_s,
        cpu_s=median(run.cpu_s for run in runs),
        voluntary_switches=round(median(run.voluntary_switches for run in runs)),
        involuntary_switches=round(median(run.involuntary_switches for run in runs)),
        peak_memory_bytes=round(median(run.peak_memory_bytes for run in runs)),
        exact=all(run.exact for run in runs),
    )


def _median_s(runs: Sequence[Run]) -> float:
    return median(run.elapsed_s for run in runs)
