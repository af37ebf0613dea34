"""The view of a simulated scaling series: table rows, limits, and ways to move the limit."""

from collections.abc import Sequence
from typing import Any

from poolrace.producer.analysis.saturation import BUSY, Part, Saturation, least_s, saturations
from poolrace.producer.analysis.scaling_summary import ScalingSummary
from poolrace.producer.analysis.stats import median
from poolrace.producer.reports.views.column import columns
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.run import Run
from poolrace.producer.results.simulation import (
    Alternative,
    Calibration,
    RealHosts,
    SimulatedCase,
    Simulation,
)

WARNING = (
    "SIMULATION: no host ran this job. The real dispatch and schedule ran in virtual time on"
    " simulated slots, with costs of messages and indices that were measured on this cluster"
)

TABLE = columns(
    "hosts", "slots", "time s", "speed-up", "efficiency", "chunks", "slots busy", "producer",
    "Redis", "host", "network", "longest chunk", "limit",
    priorities=(0, 0, 0, 0, 0, 2, 1, 1, 1, 1, 1, 1, 0),
)  # fmt: skip
"""The table's columns: those from ``slots busy`` to ``longest chunk`` are shares of the time."""

LIMITS: dict[Part, str] = {
    "slots": "none",
    "producer": "producer CPU",
    "redis": "Redis CPU",
    "host": "worker CPU",
    "network": "network",
    "granularity": "granularity",
}
"""Part of the cluster -> name of the limit."""

UNEVEN = 0.1
"""Relative difference between parts of the range from which their costs count as uneven."""

CLOSE = 0.1
"""Relative error of a simulated time up to which the report says that the simulation fits."""

FASTER = 0.95
"""Time of an alternative over that of the series, up to which the alternative is recommended."""


def title(compared: Comparison, scaling: ScalingSummary) -> str:
    """Workload and model in one line."""
    return f"{compared.workload} under {scaling.base.model}: simulated speed-up with more hosts"


def summary(simulation: Simulation) -> str:
    """The measured costs, in one line."""
    costs = simulation.calibration
    return (
        f"costs measured in {costs.elapsed_s:.1f} s with {costs.messages} messages:"
        f" {_ms(costs.send_s + costs.receive_s)} of producer CPU,"
        f" {_ms(2 * costs.redis_s)} of Redis CPU and {_ms(costs.host_s + costs.slot_s)} of a slot"
        f" per message, {_ms(costs.latency_s)} latency; a unit of cost computes"
        f" {costs.work_s:.3g} s and waits {costs.wait_s:.3g} s"
    )


def exactness(compared: Comparison) -> str:
    """Whether each index was counted once, in one line."""
    if compared.exact:
        return f"every index was counted once in all {len(compared.runs)} simulated runs"
    return "NOT EXACT: a simulated run did not count every index once"


def cells(
    compared: Comparison, simulation: Simulation, scaling: ScalingSummary
) -> list[tuple[str, ...]]:
    """One table row per number of hosts, in the order of ``TABLE``."""
    return [
        (
            f"{step.number}",
            f"{step.case.slots}",
            f"{step.case.elapsed_s:.3f}",
            f"{step.case.speed_up:.2f}",
            f"{step.efficiency:.2f}",
            f"{step.case.chunks}",
            *(f"{share:.0%}" for share in _shares(each)),
            LIMITS[each.limit],
        )
        for step, each in zip(scaling.steps, saturations(compared, simulation), strict=True)
    ]


def findings(compared: Comparison, simulation: Simulation, scaling: ScalingSummary) -> list[str]:
    """Sentences on the speed-up, the first limit, ways to move it, and real hosts."""
    all_shares = saturations(compared, simulation)
    last, run, case = scaling.steps[-1], compared.runs[-1], simulation.cases[-1]
    return [
        (
            f"{last.number} hosts with {simulation.slots_per_host} slot(s) each would give a"
            f" speed-up of {last.case.speed_up:.2f} over one host, an efficiency of"
            f" {last.efficiency:.2f}."
        ),
        _first_limit(scaling, all_shares),
        *_ways(all_shares[-1], run, case, simulation),
        *_uneven(simulation.calibration),
        *_real(simulation.real),
    ]


def figures(
    compared: Comparison, simulation: Simulation, scaling: ScalingSummary
) -> dict[str, Any]:
    """The derived values as a JSON object."""
    steps = scaling.to_json()["steps"]
    shares = [each.to_json() for each in saturations(compared, simulation)]
    base_s = compared.runs[0].elapsed_s
    return {
        "simulated": True,
        "steps": [{**step, "busy": each} for step, each in zip(steps, shares, strict=True)],
        "alternatives": [
            {**vars(each), "speed_up": base_s / each.elapsed_s} for each in simulation.alternatives
        ],
        "real": [{**vars(each), "error": _error(each)} for each in simulation.real],
    }


def _shares(each: Saturation) -> tuple[float, ...]:
    return (
        each.slots, each.producer, each.redis, each.host, each.network, each.granularity,
    )  # fmt: skip


def _first_limit(scaling: ScalingSummary, all_shares: Sequence[Saturation]) -> str:
    for step, each in zip(scaling.steps, all_shares, strict=True):
        if each.limit != "slots":
            return (
                f"From {step.number} host(s) on, {LIMITS[each.limit]} limits the speed-up first:"
                f" the slots are busy for {each.slots:.0%} of the time."
            )
    return f"Nothing saturates: the slots are busy for {BUSY:.0%} of the time or more."


def _ways(shares: Saturation, run: Run, case: SimulatedCase, simulation: Simulation) -> list[str]:
    """Ways to move the limit of the largest number of hosts."""
    if shares.limit == "slots":
        return []
    lines = []
    if case.longest_index_s >= BUSY * least_s(run, case) > case.slots_s / run.slots:
        lines.append(
            f"A single index takes {case.longest_index_s:.3g} s, longer than a slot's share of the"
            f" work ({case.slots_s / run.slots:.3g} s): no chunk size makes the job shorter."
        )
    if not simulation.alternatives:
        return [*lines, "No alternatives were simulated: one run takes too long to simulate."]
    one_host_s = simulation.cases[0].slots_s / simulation.slots_per_host
    for each in sorted(simulation.alternatives, key=lambda each: each.elapsed_s):
        if each.elapsed_s <= FASTER * run.elapsed_s:
            gain = run.elapsed_s / each.elapsed_s
            lines.append(
                f"{_change(each)} would make {run.hosts} hosts {gain:.2f} times as fast:"
                f" {each.elapsed_s:.3f} s, an efficiency of"
                f" {one_host_s / run.hosts / each.elapsed_s:.2f}."
            )
    if len(lines) == 0:
        tried = "; ".join(map(_change, simulation.alternatives))
        lines.append(
            f"None of these would make {run.hosts} hosts more than {1 - FASTER:.0%} faster:"
            f" {tried}."
        )
    return lines


def _change(each: Alternative) -> str:
    servers = [
        *([f"{each.producers} producers"] if each.producers > 1 else []),
        *([f"{each.redis_servers} Redis servers"] if each.redis_servers > 1 else []),
    ]
    if servers:
        return " and ".join(servers)
    return f"--schedule {each.schedule}"


def _uneven(costs: Calibration) -> list[str]:
    if costs.uneven <= UNEVEN:
        return []
    return [
        (
            f"Parts of the range take up to {costs.uneven:.0%} longer or shorter than the mean that"
            " is simulated: the simulated times are as uncertain."
        )
    ]


def _real(real: Sequence[RealHosts]) -> list[str]:
    if not real:
        return [
            (
                "The simulation was not compared with real hosts; add --hosts 1,2,4,8 to measure"
                " them side by side."
            )
        ]
    lines = [
        (
            f"{each.hosts} real host(s), {each.slots} slot(s): measured"
            f" {median(each.elapsed_s):.3f} s, simulated {each.simulated_s:.3f} s"
            f" ({_error(each):+.0%})."
        )
        for each in real
    ]
    worst = max(abs(_error(each)) for each in real)
    word = "within" if worst <= CLOSE else "NOT within"
    return [*lines, f"The simulation predicted the real hosts {word} {CLOSE:.0%}."]


def _error(each: RealHosts) -> float:
    """Simulated time over the median real one, minus 1."""
    return each.simulated_s / median(each.elapsed_s) - 1


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"
