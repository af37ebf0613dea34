"""Execution models side by side: their table, and what it shows in plain words.

Every sentence follows from measured figures.
"""

from collections.abc import Iterable

from poolrace.producer.reports.views.comparison import Row

HEADER = (
    "model", "slots", "hosts", "time s", "±", "speed-up", "efficiency", "CPU s",
    "vol. switches", "invol. switches", "peak MiB", "exact",
)  # fmt: skip

GAIN = 1.2
"""A speed-up that counts as one; below it a model is as fast as the base, noise considered."""


def cells(row: Row) -> tuple[str, ...]:
    """The row as text, in the order of ``HEADER``."""
    return (
        row.model,
        str(row.slots),
        str(row.hosts),
        f"{row.elapsed_s:.3f}",
        f"{row.spread_s:.3f}",
        f"{row.speed_up:.2f}",
        f"{row.efficiency:.2f}",
        f"{row.cpu_s:.2f}",
        f"{row.voluntary_switches:,}",
        f"{row.involuntary_switches:,}",
        f"{row.peak_memory_bytes / 2**20:.0f}",
        "yes" if row.exact else "NO",
    )


def findings(table: list[Row]) -> list[str]:
    """Sentences about the models in the table, in an order that builds up."""
    by_name = {row.model: row for row in table}
    if "local:single" not in by_name:
        return []
    base = by_name["local:single"]
    waiting = base.cpu_s < base.elapsed_s / 2
    sentences = (
        _processes(waiting, _those(by_name, "local:processes", "celery:prefork")),
        _threads(_those(by_name, "local:threads", "celery:threads")),
        _green(_those(by_name, "local:coroutines", "local:greenlets", "celery:gevent")),
        _solo(_those(by_name, "celery:solo")),
    )
    return [sentence for sentence in sentences if sentence]


def _processes(waiting: bool, found: list[Row]) -> str:  # noqa: FBT001 # there are two kinds
    if not found:
        return ""
    if max(row.speed_up for row in found) < GAIN:
        return f"Processes gained nothing here ({_figures(found)}): there was too little to divide."
    if waiting:
        return f"Processes waited side by side ({_figures(found)}): that needs memory, not cores."
    return (
        f"Processes ran side by side ({_figures(found)}): each has an interpreter and a GIL of"
        " its own, so each uses a core."
    )


def _threads(found: list[Row]) -> str:
    if not found:
        return ""
    if max(row.speed_up for row in found) < GAIN:
        switches = max(row.voluntary_switches + row.involuntary_switches for row in found)
        return (
            f"Threads gained nothing ({_figures(found)}): one GIL lets one of them compute at a"
            f" time, and they handed it over in {switches:,} context switches."
        )
    return (
        f"Threads gained ({_figures(found)}): they waited, or computed in code that releases the"
        " GIL, while others went on."
    )


def _green(found: list[Row]) -> str:
    if not found:
        return ""
    if max(row.speed_up for row in found) < GAIN:
        return (
            f"Coroutines and greenlets gained nothing ({_figures(found)}): they share one thread"
            " and change places only where they wait, and here nothing waits."
        )
    return (
        f"Coroutines and greenlets gained ({_figures(found)}): they share one thread, but while"
        " one of them waits the others go on."
    )


def _solo(found: list[Row]) -> str:
    if not found:
        return ""
    return f"Celery's solo pool has one slot ({_figures(found)}): the rest is what Celery costs."


def _those(by_name: dict[str, Row], *names: str) -> list[Row]:
    return [by_name[name] for name in names if name in by_name]


def _figures(found: Iterable[Row]) -> str:
    return ", ".join(f"{row.model} {row.speed_up:.2f}x on {row.slots} slot(s)" for row in found)
