"""Made-up claims: figures with which each claim gets the verdict that its text expects."""

from dataclasses import replace

from poolrace.producer.experiments.claims.catalogue import CLAIMS
from poolrace.producer.results.claims import Claim, Claims, Figure
from poolrace.producer.results.environment import Environment
from poolrace.producer.results.interpreter import Interpreter
from poolrace.workers.host_facts import HostFacts

JITTER = (1.0, 1.01, 0.99, 1.005, 0.995)
"""Values of five rounds over their median."""

MADE_UP: dict[str, dict[str, float]] = {
    "process-memory": {
        "code_bytes": 3e6, "data_bytes": 2e6, "stack_bytes": 135_168, "heap_growth_bytes": 8.4e6,
        "stack_growth_bytes": 65_536,
    },
    "process-files": {"thread_files_seen_count": 100, "process_files_seen_count": 0},
    "shared-heap": {"thread_changes_seen_count": 100, "process_changes_seen_count": 0},
    "memory-per-thread": {
        "thread_bytes": 20_000, "fork_process_bytes": 900_000, "spawn_process_bytes": 9e6,
        "coroutine_bytes": 2_500,
    },
    "memory-per-greenlet": {"thread_bytes": 20_000, "greenlet_bytes": 3_000},
    "memory-per-interpreter": {"interpreter_bytes": 3e6, "spawn_process_bytes": 9e6},
    "own-stack": {
        "threads_count": 10, "stacks_count": 10, "depths_count": 10, "stack_size_bytes": 8.4e6,
    },
    "lost-updates": {
        "updates_count": 1_000_000, "plain_lost_count": 0, "call_lost_count": 123_456,
    },
    "lock-price": {
        "call_lost_count": 123_456, "locked_lost_count": 0, "two_threads_plain_s": 50e-9,
        "one_thread_call_s": 60e-9,
        "one_thread_locked_s": 120e-9, "two_threads_call_s": 61e-9, "two_threads_locked_s": 250e-9,
    },
    "no-switches": {"one_thread_switches_count": 3, "two_threads_switches_count": 90},
    "one-thread-one-core": {
        "one_thread_s": 0.2, "one_thread_cpu_s": 0.199, "two_processes_s": 0.1,
        "two_processes_cpu_s": 0.198,
    },
    "two-threads-two-cores": {
        "one_thread_s": 0.2, "one_thread_cpu_s": 0.199, "two_threads_s": 0.202,
        "two_threads_cpu_s": 0.203,
    },
    "alternation": {
        "one_thread_changes_count": 1, "two_threads_changes_count": 30,
        "one_thread_both_began_s": 0.2, "two_threads_both_began_s": 0.01,
    },
    "switches-cost-time": {
        "one_thread_s": 0.2, "two_threads_s": 0.202, "short_interval_s": 0.26,
        "one_thread_switches_count": 3, "two_threads_switches_count": 90,
        "short_interval_switches_count": 5_000,
    },
    "computing-alone": {"one_thread_s": 0.2, "two_threads_s": 0.202},
    "computing-numpy": {"one_thread_s": 0.2, "two_threads_s": 0.105, "two_threads_cpu_s": 0.2},
    "computing-interpreters": {
        "one_thread_s": 0.2, "two_interpreters_s": 0.104, "two_interpreters_cpu_s": 0.2,
    },
    "two-processes": {"one_thread_s": 0.2, "one_thread_cpu_s": 0.199, "two_processes_s": 0.103},
    "coroutines-wait": {
        "one_by_one_waiting_s": 0.12, "coroutines_waiting_s": 0.0125, "threads_waiting_s": 0.013,
    },
    "coroutines-compute": {"one_by_one_computing_s": 0.03, "coroutines_computing_s": 0.0301},
    "generator-state": {
        "numbers_count": 1000, "right_answers_count": 1000, "send_s": 50e-9, "method_s": 60e-9,
    },
    "server": {
        "one_thread_requests_per_s": 90, "many_threads_requests_per_s": 600,
        "one_thread_at_a_time_count": 1, "many_threads_at_a_time_count": 8,
    },
    "server-computing": {
        "one_thread_computing_requests_per_s": 300, "many_threads_computing_requests_per_s": 290,
    },
    "create-thread": {"thread_s": 45e-6, "fork_process_s": 900e-6, "spawn_process_s": 0.035},
    "create-coroutine": {"thread_s": 45e-6, "coroutine_s": 6e-6},
    "create-greenlet": {"thread_s": 45e-6, "greenlet_s": 0.8e-6},
    "create-interpreter": {"thread_s": 45e-6, "interpreter_s": 0.012, "spawn_process_s": 0.035},
    "sharing-price": {
        "thread_s": 20e-6, "shared_memory_s": 3e-3, "pipe_s": 9e-3,
        "handovers_count": 20, "shared_memory_changes_seen_count": 20,
    },
    "sharing-access": {"heap_write_s": 20e-9, "shared_memory_write_s": 20.4e-9},
    "switch-voluntary": {
        "thread_voluntary_s": 4e-6, "process_voluntary_s": 5e-6, "no_switch_s": 1e-6,
        "passes_count": 2000, "thread_voluntary_count": 2000, "process_voluntary_count": 2000,
    },
    "switch-forced": {
        "thread_forced_s": 1e-6, "process_forced_s": 1.3e-6, "no_switch_yield_s": 0.4e-6,
        "yields_count": 2000,
        "thread_forced_count": 2000, "process_forced_count": 2000,
    },
    "switch-coroutine": {"thread_voluntary_s": 4e-6, "coroutine_s": 2e-6, "generator_s": 60e-9},
    "switch-greenlet": {"thread_voluntary_s": 4e-6, "greenlet_s": 0.2e-6},
    "lone-thread": {
        "alone_s": 0.02, "beside_waiting_s": 0.0201, "beside_waking_s": 0.03,
        "without_lock_s": 0.02, "with_lock_s": 0.0203,
    },
    "operating-system": {
        "threads_count": 10, "thread_started_count": 10, "coroutine_started_count": 0,
    },
    "scheduling": {
        "alone_delay_s": 80e-6, "beside_computing_delay_s": 5.1e-3, "short_interval_delay_s": 2e-4,
    },
    "message-price": {
        "local_threads_s": 50e-6, "prefork_s": 2e-3, "threads_s": 1.6e-3, "gevent_s": 1.7e-3,
        "solo_s": 1.5e-3,
    },
}  # fmt: skip
"""Name of a claim -> the median of each of its figures."""


def rounds(medians: dict[str, float]) -> list[Figure]:
    """Figures of five rounds: times and rates vary by a hundredth, counts and sizes do not."""
    return [
        Figure.named(
            name, [value * (each if name.endswith("_s") else 1.0) for each in _jitter(place)]
        )
        for place, (name, value) in enumerate(medians.items())
    ]


def claim(name: str, **changed: float) -> Claim:
    """The made-up claim of this name, with some medians changed."""
    text = next((text for text in CLAIMS if text.name == name), None)
    statement, method = (text.statement, text.method) if text else ("A statement.", "A method.")
    return Claim(name, statement, method, "3.11", figures=rounds({**MADE_UP[name], **changed}))


def claims() -> Claims:
    """All made-up claims; two of them could not be tested."""
    reasons = {
        "memory-per-interpreter": "Sub-interpreters need Python 3.14, this is 3.11.",
        "computing-interpreters": "Sub-interpreters need Python 3.14, this is 3.11.",
    }
    tested = [
        replace(claim(name), figures=[], not_tested=reasons[name]) if name in reasons
        else claim(name)
        for name in MADE_UP
    ]  # fmt: skip
    return Claims(
        made_at="2026-01-02T03:04:05+00:00",
        environment=Environment([facts()], {"poolrace": "0.5.0", "celery": "5.7.0"}),
        interpreters=[interpreter()],
        claims=tested,
        planned=len(tested),
        invocation="producer claims",
    )


def interpreter(label: str = "3.11", *, gil: bool = True) -> Interpreter:
    """A made-up interpreter with this label, such as ``3.13t``."""
    number = label.removesuffix("t")
    return Interpreter(
        path=f"/usr/bin/python{label}", version=f"{number}.7", implementation="CPython", gil=gil,
        free_threaded=label.endswith("t"), jit=False, build_flags="", architecture="x86_64",
        label=label,
    )  # fmt: skip


def facts() -> HostFacts:
    """The facts of a made-up host of two cores."""
    return HostFacts(
        "host", "0123456789ab", 2, None, "A processor", "Linux 6.1", "CPython 3.11.7", gil=True
    )


def _jitter(place: int) -> list[float]:
    first = place % len(JITTER)
    return [*JITTER[first:], *JITTER[:first]]
