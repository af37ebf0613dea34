"""The figures of a comparison: medians, spread and speed-up of each case. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from poolrace.producer.analysis.stats import median, spread
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.run import Run
from poolrace.workers.errors import UsageError
from poolrace.workers.workloads import make_workload

BASE_MODEL = "local:single"
"""The model that speed-ups refer to; without runs of it they refer to the first case."""

CaseKey = tuple[str, int]
"""A model, and the number of chunks, slots or hosts: equal for all runs of one case."""


@dataclass(frozen=True)
class CaseSummary:
    """The figures of one case: medians over its runs. The fields are keys of ``--json``."""

    model: str
    slots: int
    usable_slots: float
    """Number of slots that this work can keep busy: all of them while it waits, but no more than
    the cores while it computes."""
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
    """Whether all runs of the case are exact."""
    cpu_bound: bool
    """Whether the workload computes for most of its time, apart from waiting for a core."""

    @property
    def efficiency(self) -> float:
        """Speed-up over usable slots."""
        return self.speed_up / self.usable_slots


def case_summaries(comparison: Comparison) -> list[CaseSummary]:
    """One summary per case: models in the order of their first runs, numbers ascending."""
    cases = list(runs_by_case(comparison).values())
    base = next((runs for runs in cases if runs[0].model == BASE_MODEL), cases[0])
    most_busy_slots = total_cores(comparison) / _computing_share(base)
    return [_summary(runs, _median_s(base), most_busy_slots) for runs in cases]


def runs_by_case(comparison: Comparison) -> dict[CaseKey, list[Run]]:
    """The runs of each case: models in the order of their first runs, numbers ascending."""
    cases: dict[CaseKey, list[Run]] = {}
    for run in comparison.runs:
        cases.setdefault(_case_key(comparison, run), []).append(run)
    return cases if comparison.varies == "model" else dict(sorted(cases.items()))


def by_model(comparison: Comparison) -> dict[str, Comparison]:
    """One comparison per model, with its runs only, in the order of the first runs."""
    runs: dict[str, list[Run]] = {}
    for run in comparison.runs:
        runs.setdefault(run.model, []).append(run)
    return {model: replace(comparison, runs=tuple(each)) for model, each in runs.items()}


def median_runs(comparison: Comparison) -> list[Run]:
    """The run with the median time of each case; of an even number the faster of the two."""
    return [
        sorted(runs, key=lambda run: run.elapsed_s)[(len(runs) - 1) // 2]
        for runs in runs_by_case(comparison).values()
    ]


def within_spread(case: CaseSummary, other: CaseSummary) -> bool:
    """Whether the median times differ by no more than the spreads of both cases together."""
    difference_s = abs(case.elapsed_s - other.elapsed_s)
    return difference_s <= math.hypot(case.spread_s, other.spread_s)


def total_cores(comparison: Comparison) -> int:
    """Number of cores of all machines; hosts on the same machine share its cores."""
    cores_by_machine: dict[str, int] = {}
    for host in comparison.environment.hosts:
        cores = cores_by_machine.get(host.machine, 0)
        cores_by_machine[host.machine] = max(host.cores, cores)
    return sum(cores_by_machine.values())


def _case_key(comparison: Comparison, run: Run) -> CaseKey:
    number = run.slots if comparison.varies == "model" else getattr(run, comparison.varies)
    return run.model, number


def _computing_share(runs: Sequence[Run]) -> float:
    """The share of computing in the time of all chunks, waits included; above 0, at most 1."""
    busy_s = sum(run.busy_s for run in runs)
    cpu_s = sum(run.cpu_s for run in runs)
    return max(cpu_s / busy_s, 1e-9) if 0 < cpu_s < busy_s else 1.0


def _summary(runs: Sequence[Run], base_s: float, most_busy_slots: float) -> CaseSummary:
    elapsed_s = _median_s(runs)
    return CaseSummary(
        model=runs[0].model,
        slots=runs[0].slots,
        usable_slots=min(runs[0].slots, most_busy_slots),
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
        cpu_bound=_is_cpu_bound(runs[0]),
    )


def _is_cpu_bound(run: Run) -> bool:
    """By the workload's parameters: on a busy machine a run takes longer than its CPU time, too."""
    try:
        return not make_workload(run.workload, run.parameters).waits
    except UsageError:  # a workload of another version
        return run.cpu_s >= run.elapsed_s / 2


def _median_s(runs: Sequence[Run]) -> float:
    return median(run.elapsed_s for run in runs)
