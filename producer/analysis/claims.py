"""Verdicts on claims: what follows from the figures, and one sentence why. Pure.

A new claim needs an entry in ``RULES``.
"""

from collections import Counter
from collections.abc import Sequence
from operator import eq

from poolrace.producer.analysis.claim_rules import (
    Answer,
    Judgement,
    Part,
    Rule,
    all_of,
    any_of,
    each_round,
    less,
    more,
    more_than_one_core,
    not_less,
    not_more,
    unless_busy,
)
from poolrace.producer.analysis.claim_words import Figures, as_sentence, middle, value_text
from poolrace.producer.results.claims import Claim, Verdict

VERDICTS: tuple[Verdict, ...] = (
    "holds", "depends on", "does not hold", "not distinguishable", "not tested",
)  # fmt: skip
"""All verdicts, in the order of reports. Claims that were not tested are not counted."""

GROWTH = 0.9
"""Share of the created objects by which the memory of a process must grow: some of it was there
before and is used again."""

OBJECTS_BYTES = 8 * 2**20
"""Bytes of the objects that the experiment on the memory of a process creates."""

LOCAL = "local_threads_s"
"""The figure of a chunk that goes to a thread of the producer's own process."""


def judge(claim: Claim) -> Judgement:
    """The verdict on a claim; a claim without figures, or without a rule, was not tested."""
    if claim.not_tested:
        return Judgement("not tested", as_sentence(claim.not_tested))
    if claim.name not in RULES:
        return Judgement("not tested", "This version of poolrace has no rule for the claim.")
    try:
        return RULES[claim.name](claim.values())
    except KeyError as error:
        return Judgement("not tested", f"The results lack the figure {error.args[0]}.")


def count_verdicts(verdicts: Sequence[Verdict]) -> dict[Verdict, int]:
    """The number of claims with each verdict, in the order of ``VERDICTS``."""
    numbers = Counter(verdicts)
    return {verdict: numbers[verdict] for verdict in VERDICTS if numbers[verdict]}


def _areas(code: float, data: float, stack: float, heap_growth: float, stack_growth: float) -> bool:
    sizes = code, data, stack, stack_growth
    return min(sizes) > 0 and heap_growth >= GROWTH * OBJECTS_BYTES


def _lost_updates(figures: Figures) -> Judgement:
    """The verdict on updates that threads lose without synchronisation."""
    plain, call = figures["plain_lost_count"], figures["call_lost_count"]
    updates = value_text("updates_count", max(figures["updates_count"]))
    rounds = f"in {len(plain)} rounds of {updates} updates"
    with_call = f"up to {max(call):,.0f} with a function call between reading and writing"
    if max(plain) > 0:
        return Judgement("holds", f"Up to {max(plain):,.0f} were lost {rounds}, {with_call}.")
    if max(call) > 0:
        return Judgement(
            "depends on",
            f"None was lost {rounds} by += alone, but {with_call}: this interpreter switches"
            " threads only at calls and at the ends of loops.",
        )
    return Judgement(
        "does not hold",
        f"None was lost {rounds}, also with a function call between reading and writing; that does"
        " not prove that none can be.",
    )


def _cured(figures: Figures) -> Answer:
    """Whether the lock prevents lost updates, which happen without the lock."""
    without, with_lock = figures["call_lost_count"], figures["locked_lost_count"]
    text = f"up to {max(without):,.0f} lost without the lock, {max(with_lock):,.0f} with the lock"
    return Answer(False if max(with_lock) > 0 else True if max(without) > 0 else None, text)


def _messages(figures: Figures) -> Judgement:
    """The verdict on a message through each pool of Celery that was measured."""
    pools = [name for name in figures if name != LOCAL]
    if not pools:
        raise KeyError("of a pool")
    return all_of(*less(LOCAL, *pools))(figures)


def _on_cores(*parts: Part) -> Rule:
    """The rule of a claim on the use of cores: no verdict on a busy machine."""
    return unless_busy(all_of(*parts), "one_thread_cpu_s", "one_thread_s")


def _with_told(part: Part, *names: str) -> Part:
    """The part, whose sentence also tells the figures with these names."""

    def answer(figures: Figures) -> Answer:
        found = part(figures)
        return Answer(found.true, ", ".join((found.text, *(middle(figures, n) for n in names))))

    return answer


_SEEN = (100, 0)
"""Changes that the main thread sees: those of a thread, and those of another process."""

RULES: dict[str, Rule] = {
    "process-memory": all_of(
        each_round(
            _areas, "code_bytes", "data_bytes", "stack_bytes", "heap_growth_bytes",
            "stack_growth_bytes",
        )
    ),
    "process-files": all_of(
        each_round(
            lambda *seen: seen == _SEEN, "thread_files_seen_count", "process_files_seen_count"
        )
    ),
    "shared-heap": all_of(
        each_round(
            lambda *seen: seen == _SEEN, "thread_changes_seen_count", "process_changes_seen_count"
        )
    ),
    "memory-per-thread": all_of(
        _with_told(less("thread_bytes", "fork_process_bytes")[0], "coroutine_bytes"),
        *less("thread_bytes", "spawn_process_bytes"),
    ),
    "memory-per-greenlet": all_of(*less("greenlet_bytes", "thread_bytes")),
    "memory-per-interpreter": all_of(*less("interpreter_bytes", "spawn_process_bytes")),
    "own-stack": all_of(
        each_round(
            lambda threads, stacks, depths: threads == stacks == depths,
            "threads_count", "stacks_count", "depths_count", told=("stack_size_bytes",),
        )
    ),
    "lost-updates": _lost_updates,
    "lock-price": all_of(
        _cured,
        _with_told(
            more("one_thread_locked_s", "one_thread_call_s")[0],
            "two_threads_locked_s", "two_threads_call_s",
        ),
    ),
    "no-switches": all_of(*less("one_thread_switches_count", "two_threads_switches_count")),
    "one-thread-one-core": _on_cores(
        more_than_one_core("one_thread_cpu_s", "one_thread_s", expected=False),
        more_than_one_core("two_processes_cpu_s", "two_processes_s", expected=True),
    ),
    "two-threads-two-cores": _on_cores(
        _with_told(
            more_than_one_core("two_threads_cpu_s", "two_threads_s", expected=True),
            "two_threads_s", "one_thread_s",
        )
    ),
    "alternation": all_of(
        *more("two_threads_changes_count", "one_thread_changes_count"),
        *less("two_threads_both_began_s", "one_thread_both_began_s"),
    ),
    "switches-cost-time": any_of(
        _with_told(more("two_threads_s", "one_thread_s")[0], "two_threads_switches_count"),
        _with_told(more("short_interval_s", "one_thread_s")[0], "short_interval_switches_count"),
    ),
    "computing-alone": all_of(not_less("two_threads_s", "one_thread_s")),
    "computing-numpy": unless_busy(
        all_of(not_less("two_threads_s", "one_thread_s")), "two_threads_cpu_s", "two_threads_s"
    ),
    "computing-interpreters": unless_busy(
        all_of(not_less("two_interpreters_s", "one_thread_s")),
        "two_interpreters_cpu_s", "two_interpreters_s",
    ),
    "two-processes": _on_cores(*less("two_processes_s", "one_thread_s")),
    "coroutines-wait": all_of(*less("coroutines_waiting_s", "one_by_one_waiting_s")),
    "coroutines-compute": all_of(not_less("coroutines_computing_s", "one_by_one_computing_s")),
    "generator-state": all_of(
        each_round(eq, "right_answers_count", "numbers_count", told=("send_s", "method_s"))
    ),
    "server": all_of(
        _with_told(
            more("many_threads_requests_per_s", "one_thread_requests_per_s")[0],
            "many_threads_at_a_time_count", "one_thread_at_a_time_count",
        )
    ),
    "server-computing": all_of(
        not_more("many_threads_computing_requests_per_s", "one_thread_computing_requests_per_s")
    ),
    "create-thread": all_of(*less("thread_s", "fork_process_s", "spawn_process_s")),
    "create-coroutine": all_of(*less("coroutine_s", "thread_s")),
    "create-greenlet": all_of(*less("greenlet_s", "thread_s")),
    "create-interpreter": all_of(
        *less("interpreter_s", "spawn_process_s"), *more("interpreter_s", "thread_s")
    ),
    "sharing-price": all_of(*less("thread_s", "shared_memory_s", "pipe_s")),
    "sharing-access": all_of(not_more("shared_memory_write_s", "heap_write_s")),
    "switch-voluntary": all_of(
        _with_told(
            less("thread_voluntary_s", "process_voluntary_s", beyond="no_switch_s")[0],
            "thread_voluntary_count", "process_voluntary_count",
        )
    ),
    "switch-forced": all_of(
        _with_told(
            less("thread_forced_s", "process_forced_s", beyond="no_switch_yield_s")[0],
            "thread_forced_count", "process_forced_count",
        )
    ),
    "switch-coroutine": all_of(
        *less("coroutine_s", "thread_voluntary_s"), *less("generator_s", "thread_voluntary_s")
    ),
    "switch-greenlet": all_of(*less("greenlet_s", "thread_voluntary_s")),
    "lone-thread": any_of(
        *more("beside_waiting_s", "alone_s"),
        *more("beside_waking_s", "alone_s"),
        *more("with_lock_s", "without_lock_s"),
    ),
    "operating-system": all_of(
        each_round(
            lambda threads, of_threads, of_coroutines: threads == of_threads > of_coroutines == 0,
            "threads_count", "thread_started_count", "coroutine_started_count",
        )
    ),
    "scheduling": all_of(
        *more("beside_computing_delay_s", "alone_delay_s", "short_interval_delay_s")
    ),
    "message-price": _messages,
}  # fmt: skip
"""Name of a claim -> its rule."""
