"""The view of compared execution models: table rows, and sentences that explain the figures."""

from collections.abc import Iterable

from poolrace.producer.analysis.comparison_summary import BASE_MODEL, CaseSummary, within_spread
from poolrace.producer.reports.views.column import columns, spread_text

TABLE = columns(
    "model", "slots", "hosts", "time s", "±", "speed-up", "efficiency", "CPU s",
    "vol. switches", "invol. switches", "peak MiB", "exact",
    priorities=(0, 1, 3, 0, 0, 0, 1, 1, 4, 4, 2, 1),
)  # fmt: skip
"""Columns of the table."""

GAIN = 1.2
"""Speed-up from which a model counts as faster than the base; a smaller one may be noise."""


def cells(case: CaseSummary) -> tuple[str, ...]:
    """The figures of a case as a table row, in the order of ``TABLE``."""
    return (
        case.model,
        str(case.slots),
        str(case.hosts),
        f"{case.elapsed_s:.3f}",
        spread_text(case.spread_s),
        f"{case.speed_up:.2f}",
        f"{case.efficiency:.2f}",
        f"{case.cpu_s:.2f}",
        f"{case.voluntary_switches:,}",
        f"{case.involuntary_switches:,}",
        f"{case.peak_memory_bytes / 2**20:.0f}",
        "yes" if case.exact else "NO",
    )


def findings(cases: list[CaseSummary]) -> list[str]:
    """One sentence per group of models, such as processes, or coroutines and greenlets."""
    by_model = {case.model: case for case in cases}
    if BASE_MODEL not in by_model:
        return []
    base = by_model[BASE_MODEL]
    describe_processes = _parallel_processes if base.cpu_bound else _waiting_processes
    groups = (
        (describe_processes, ("local:processes", "celery:prefork")),
        (_interpreters, ("local:interpreters",)),
        (_threads, ("local:threads", "celery:threads")),
        (_greenlets, ("local:coroutines", "local:greenlets", "celery:gevent")),
        (_solo, ("celery:solo",)),
    )
    measured = (
        (describe, [by_model[model] for model in models if model in by_model])
        for describe, models in groups
    )
    return [
        _undecided(group) if describe != _solo and _may_be_noise(group, base) else describe(group)
        for describe, group in measured
        if group
    ]


def _may_be_noise(cases: list[CaseSummary], base: CaseSummary) -> bool:
    """Whether each case that seems faster than the base differs from it less than they vary."""
    faster = [case for case in cases if case.speed_up >= GAIN]
    return bool(faster) and all(within_spread(case, base) for case in faster)


def _undecided(cases: list[CaseSummary]) -> str:
    return (
        f"Not distinguishable from {BASE_MODEL}: {_speed_ups(cases)}; the times differ less than"
        " they vary. Use a larger range, or more runs."
    )


def _parallel_processes(cases: list[CaseSummary]) -> str:
    if not _faster(cases):
        return _slow_processes(cases)
    return (
        f"Processes computed in parallel ({_speed_ups(cases)}): each has its own interpreter and"
        " its own GIL, so each can use a core."
    )


def _waiting_processes(cases: list[CaseSummary]) -> str:
    if not _faster(cases):
        return _slow_processes(cases)
    return (
        f"Processes waited at the same time ({_speed_ups(cases)}): each of them needs memory, but"
        " waiting needs no core."
    )


def _slow_processes(cases: list[CaseSummary]) -> str:
    return f"Processes were no faster ({_speed_ups(cases)}): there was too little work to divide."


def _interpreters(cases: list[CaseSummary]) -> str:
    if not _faster(cases):
        return (
            f"Sub-interpreters were no faster ({_speed_ups(cases)}): there was too little work to"
            " divide."
        )
    return (
        f"Sub-interpreters ran in parallel ({_speed_ups(cases)}): they are in one process, and each"
        " has its own GIL."
    )


def _threads(cases: list[CaseSummary]) -> str:
    if not _faster(cases):
        switches = max(case.voluntary_switches + case.involuntary_switches for case in cases)
        return (
            f"Threads were no faster ({_speed_ups(cases)}): the GIL lets one thread compute at a"
            f" time, and the threads passed it on in up to {switches:,} context switches."
        )
    return (
        f"Threads were faster ({_speed_ups(cases)}): while one thread waited, or computed in code"
        " that releases the GIL, the other threads ran."
    )


def _greenlets(cases: list[CaseSummary]) -> str:
    if not _faster(cases):
        return (
            f"Coroutines and greenlets were no faster ({_speed_ups(cases)}): they share one thread"
            " and switch only while one of them waits, and this workload does not wait."
        )
    return (
        f"Coroutines and greenlets were faster ({_speed_ups(cases)}): they share one thread, and"
        " while one of them waits another one runs."
    )


def _solo(cases: list[CaseSummary]) -> str:
    return (
        f"Celery's solo pool runs one chunk at a time ({_speed_ups(cases)}): its difference from"
        f" {BASE_MODEL} is the cost of Celery."
    )


def _faster(cases: list[CaseSummary]) -> bool:
    return max(case.speed_up for case in cases) >= GAIN


def _speed_ups(cases: Iterable[CaseSummary]) -> str:
    return ", ".join(f"{case.model} {case.speed_up:.2f}x on {case.slots} slot(s)" for case in cases)
