"""The text that the reports of all comparisons share: summary, exactness, hosts and events."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from poolrace.producer.reports.views import interpreters, simulated_scale
from poolrace.producer.results.comparison import Comparison, Varies
from poolrace.producer.results.fields import Parameter
from poolrace.producer.results.natural_order import natural_key
from poolrace.producer.results.run import Run

COLUMNS = (
    "workload", "start", "stop", "model", "slots", "hosts", "machines", "schedule", "chunks",
    "duplicates", "value", "expected", "exact", "elapsed_s", "startup_s", "cpu_s", "busy_s",
    "efficiency", "voluntary_switches", "involuntary_switches", "peak_memory_bytes",
)  # fmt: skip
"""The fields of a run that are columns of the CSV report."""

CASE_NAMES: dict[Varies, str] = {
    "model": "model", "chunks": "number of chunks", "slots": "number of slots",
    "hosts": "number of hosts",
}  # fmt: skip
"""Field that varies -> the name of one case in sentences."""


def raw_values(run: Run) -> list[Any]:
    """The fields of the run, in the order of ``COLUMNS``."""
    return [getattr(run, column) for column in COLUMNS]


def summary(comparison: Comparison) -> str:
    """Workload, parameters, range, schedule and number of runs, in one line."""
    job = (
        f"{comparison.workload}{as_options(comparison.parameters)} over"
        f" [{comparison.start:_}, {comparison.stop:_}), schedule {comparison.schedule}"
    )
    if comparison.simulation:
        return f"{job}; {simulated_scale.summary(comparison.simulation)}"
    return f"{job}, {comparison.repeat} run(s) of each {CASE_NAMES[comparison.varies]}, interleaved"


def as_options(parameters: Mapping[str, Parameter]) -> str:
    """The parameters of a workload as options, each after a space; without empty ones."""
    return "".join(
        f" --{name.replace('_', '-')} {value}"
        for name, value in parameters.items()
        if value not in ([], None)
    )


def exactness(comparison: Comparison) -> str:
    """Whether the values of all runs are exact, and the checks that show it, in one line."""
    if comparison.simulation:
        return simulated_scale.exactness(comparison)
    wrong = sorted({run.model for run in comparison.runs if not run.exact})
    if wrong:
        return f"NOT EXACT: {', '.join(wrong)}; expected {comparison.expected}"
    duplicates = sum(run.duplicates for run in comparison.runs)
    return (
        f"value {comparison.expected}, exact in all {len(comparison.runs)} runs: every index was"
        f" counted once ({duplicates} duplicate(s) ignored), and the value equals one that was"
        " computed independently"
    )


def notes(comparison: Comparison) -> list[str]:
    """Models left out, shares of the indices where several hosts took part, and events."""
    left_out = interpreters.left_out(comparison.left_out)
    return [*left_out, *_host_shares(comparison), *_events(comparison)]


def _host_shares(comparison: Comparison) -> Iterator[str]:
    indices_by_case: dict[tuple[str, int], Counter[str]] = {}
    for run in comparison.runs:
        # Paused hosts compute nothing: only runs on the same number of hosts are added up.
        hosts = run.hosts if comparison.varies == "hosts" else 0
        indices = indices_by_case.setdefault((run.model, hosts), Counter())
        for host, slots in run.shares.items():
            indices[host] += sum(share.indices for share in slots.values())
    for (model, _), indices in indices_by_case.items():
        if len(indices) > 1:
            total = max(indices.total(), 1)
            shares = (
                f"{host} {indices[host] / total:.1%}" for host in sorted(indices, key=natural_key)
            )
            yield f"{model} ran on {len(indices)} hosts; shares of the indices: {', '.join(shares)}"


def _events(comparison: Comparison) -> Iterator[str]:
    for number, run in enumerate(comparison.runs, start=1):
        for event in run.events:
            yield f"run {number}, {run.model}, at {event.at_s:.1f} s: {event.what}"
