"""The words of verdicts on claims: figures with their units, and ratios with intervals. Pure."""

from collections.abc import Mapping, Sequence
from statistics import median

from poolrace.producer.analysis.stats import confidence_interval
from poolrace.producer.results.claims import SUFFIXES

Figures = Mapping[str, Sequence[float]]
"""Name of a figure -> its value in each round."""


LABELS = {
    "thread_files_seen_count": "files of a thread seen",
    "process_files_seen_count": "files of a process seen",
    "thread_changes_seen_count": "changes of a thread seen",
    "process_changes_seen_count": "changes of a process seen",
    "fork_process_bytes": "forked process",
    "spawn_process_bytes": "spawned process",
    "fork_process_s": "forked process",
    "spawn_process_s": "spawned process",
    "one_thread_call_s": "addition by one thread without the lock",
    "one_thread_locked_s": "addition by one thread with the lock",
    "two_threads_call_s": "by two threads without the lock",
    "two_threads_locked_s": "by two threads with the lock",
    "one_thread_switches_count": "switches of one thread",
    "two_threads_switches_count": "switches of two threads",
    "short_interval_s": "two threads with the short interval",
    "short_interval_switches_count": "switches with the short interval",
    "one_thread_changes_count": "changes in one thread",
    "two_threads_changes_count": "changes between two threads",
    "one_thread_both_began_s": "time until both began in one thread",
    "two_threads_both_began_s": "time until both began in two threads",
    "many_threads_at_a_time_count": "at a time with many threads",
    "one_thread_at_a_time_count": "at a time with one thread",
    "thread_voluntary_s": "voluntary switch of threads",
    "process_voluntary_s": "voluntary switch of processes",
    "no_switch_s": "the same calls without a switch",
    "thread_voluntary_count": "counted switches of threads",
    "process_voluntary_count": "counted switches of processes",
    "no_switch_yield_s": "a yield without a switch",
    "thread_forced_s": "forced switch of threads",
    "process_forced_s": "forced switch of processes",
    "thread_forced_count": "counted switches of threads",
    "process_forced_count": "counted switches of processes",
    "thread_started_count": "started for threads",
    "coroutine_started_count": "started for coroutines",
    "alone_delay_s": "delay alone",
    "beside_computing_delay_s": "delay beside a computing thread",
    "short_interval_delay_s": "delay with the short interval",
    "without_lock_s": "in blocks without a lock",
    "with_lock_s": "in blocks with a lock",
    "heap_write_s": "write to the heap",
    "shared_memory_write_s": "write to shared memory",
    "local_threads_s": "thread of the producer",
}
"""Name of a figure -> its words, where the words of the name do not say enough."""


def label(name: str) -> str:
    """The words of a figure, without its unit: ``generator`` for ``generator_s``."""
    if name in LABELS:
        return LABELS[name]
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix).replace("_", " ")


def value_text(name: str, value: float) -> str:
    """The value with three digits and the unit that the end of the figure's name says."""
    if name.endswith("_per_s"):
        return f"{value:,.0f}/s" if value >= 100 else f"{value:.3g}/s"
    if name.endswith("_bytes"):
        return _scaled(value, ((2**20, "MiB"), (2**10, "KiB"), (1, "bytes")))
    if name.endswith("_s"):
        return _scaled(value, ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")))
    return f"{value:,.0f}"


def middle(figures: Figures, name: str) -> str:
    """The figure in words: its label, and the median of its values with the unit."""
    return f"{label(name)} {value_text(name, median(figures[name]))}"


def as_sentence(text: str) -> str:
    """The text with a capital at its beginning and a full stop at its end."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def ratio_text(ratios: Sequence[float]) -> str:
    """The median of the ratios, and their 95 % interval if there is one."""
    interval = confidence_interval(ratios)
    ends = f" ({_ratio(interval[0])} to {_ratio(interval[1])})" if interval else ""
    return f"{_ratio(median(ratios))}{ends}"


def ratios(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """The ratios within rounds; without the rounds in which one of the values is 0."""
    return [
        value / other
        for value, other in zip(values, others, strict=False)
        if value > 0 and other > 0
    ]


def _ratio(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _scaled(value: float, units: Sequence[tuple[float, str]]) -> str:
    """The value in the largest of these units of which it has one or more."""
    size, unit = next(((size, unit) for size, unit in units if value >= size), units[-1])
    scaled = value / size
    return f"{scaled:,.0f} {unit}" if scaled >= 100 else f"{scaled:.3g} {unit}"
