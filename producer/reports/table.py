"""The figures of a comparison as rows of text: the one place that derives and rounds them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from producer.results import Comparison, Run
from producer.stats import median, spread

BASE = "local:single"
"""Speed-ups are over this model, and over the first one where it was not run."""

HEADER = (
    "model", "slots", "hosts", "time s", "±", "speed-up", "efficiency", "CPU s",
    "vol. switches", "invol. switches", "peak MiB", "exact",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """The runs of one model, and its figures: medians over the runs."""

    model: str
    slots: int
    hosts: int
    elapsed_s: float
    spread_s: float
    speed_up: float
    """Median time of the base over the median time of this model."""
    cpu_s: float
    voluntary_switches: int
    involuntary_switches: int
    peak_memory_bytes: int
    exact: bool

    @property
    def efficiency(self) -> float:
        """Speed-up over slots."""
        return self.speed_up / self.slots

    def cells(self) -> tuple[str, ...]:
        """The row as text, in the order of ``HEADER``."""
        return (
            self.model,
            str(self.slots),
            str(self.hosts),
            f"{self.elapsed_s:.3f}",
            f"{self.spread_s:.3f}",
            f"{self.speed_up:.2f}",
            f"{self.efficiency:.2f}",
            f"{self.cpu_s:.2f}",
            f"{self.voluntary_switches:,}",
            f"{self.involuntary_switches:,}",
            f"{self.peak_memory_bytes / 2**20:.0f}",
            "yes" if self.exact else "NO",
        )


def rows(comparison: Comparison) -> list[Row]:
    """A row a model, in the order in which the models were first run."""
    by_model: dict[tuple[str, int], list[Run]] = {}
    for run in comparison.runs:
        by_model.setdefault((run.model, run.slots), []).append(run)
    if not by_model:
        return []
    base = next((runs for (model, _), runs in by_model.items() if model == BASE), None)
    base_s = _median_s(base or next(iter(by_model.values())))
    return [_row(model, slots, runs, base_s) for (model, slots), runs in by_model.items()]


def summary(comparison: Comparison) -> str:
    """What was run, in one line."""
    parameters = "".join(
        f" --{name.replace('_', '-')} {value}"
        for name, value in comparison.parameters.items()
        if value not in ([], None)
    )
    return (
        f"{comparison.workload}{parameters} over [{comparison.start:_}, {comparison.stop:_}),"
        f" schedule {comparison.schedule}, {comparison.repeat} run(s) of each model, interleaved"
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
    by_model: dict[str, Counter[str]] = {}
    for run in comparison.runs:
        counted = by_model.setdefault(run.model, Counter())
        for host, slots in run.shares.items():
            counted[host] += sum(share.indices for share in slots.values())
    return [
        *(
            f"{model} ran on {len(counted)} hosts; shares of the indices: "
            + ", ".join(f"{host} {n / counted.total():.1%}" for host, n in sorted(counted.items()))
            for model, counted in by_model.items()
            if len(counted) > 1
        ),
        *(
            f"run {number}, {run.model}, at {event.at_s:.1f} s: {event.what}"
            for number, run in enumerate(comparison.runs, start=1)
            for event in run.events
        ),
    ]


def machine(comparison: Comparison) -> list[str]:
    """The hosts and versions: a line for hosts that are alike, a warning if cores are shared."""
    names: dict[str, list[str]] = {}
    machines: Counter[str] = Counter()
    for host in comparison.environment["hosts"]:
        quota = f", CPU quota {host['cpu_quota']:g}" if host["cpu_quota"] else ""
        gil = "" if host["gil"] else ", no GIL"
        facts = (
            f"{host['cores']} cores{quota}, {host['cpu']}, {host['system']}, {host['python']}{gil}"
        )
        names.setdefault(facts, []).append(host["host"])
        machines[host["machine"]] += 1
    versions = comparison.environment["versions"]
    return [
        *(f"{', '.join(hosts)}: {facts}" for facts, hosts in names.items()),
        *(
            f"{count} of these hosts share the cores of one machine: more of them add no core"
            for count in machines.values()
            if count > 1
        ),
        ", ".join(f"{name} {number}" for name, number in versions.items()),
    ]


def _row(model: str, slots: int, runs: Sequence[Run], base_s: float) -> Row:
    elapsed_s = _median_s(runs)
    return Row(
        model=model,
        slots=slots,
        hosts=max(run.hosts for run in runs),
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
