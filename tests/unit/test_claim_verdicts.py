"""Verdicts on claims, and their sentences, from made-up figures: each verdict of each rule."""

from dataclasses import replace

import pytest

from poolrace.producer.analysis.claim_rules import all_of, any_of, each_round, less
from poolrace.producer.analysis.claim_words import value_text
from poolrace.producer.analysis.claims import RULES, VERDICTS, count_verdicts, judge
from poolrace.producer.experiments.claims.measure_claims import ALL_CLAIMS
from poolrace.producer.results.claims import Claim, Figure
from tests.unit.made_up_claims import MADE_UP, claim

NOISE = (1.0, 1.6, 0.7, 1.3, 0.8)
"""Ratios of rounds that decide nothing."""

CHANGED: list[tuple[str, dict[str, float], str, str]] = [
    ("process-memory", {"heap_growth_bytes": 0}, "does not hold", "heap growth 0 bytes"),
    ("process-files", {"process_files_seen_count": 100}, "does not hold", "of a process seen 100"),
    ("shared-heap", {"thread_changes_seen_count": 0}, "does not hold", "of a thread seen 0"),
    ("memory-per-thread", {"fork_process_bytes": 10_000}, "depends on", "0.5 (0.5 to 0.5) times"),
    ("memory-per-greenlet", {"greenlet_bytes": 40_000}, "does not hold", "0.5 (0.5 to 0.5)"),
    ("memory-per-interpreter", {}, "holds", "Spawned process 8.58 MiB"),
    ("own-stack", {"stacks_count": 1}, "does not hold", "stacks 1"),
    ("lost-updates", {"plain_lost_count": 77}, "holds", "Up to 77 were lost"),
    ("lost-updates", {}, "depends on", "switches threads only at calls"),
    ("lost-updates", {"call_lost_count": 0}, "does not hold", "does not prove that none can be"),
    ("lock-price", {"locked_lost_count": 3}, "depends on", "3 with the lock"),
    ("lock-price", {"call_lost_count": 0}, "not distinguishable", "Up to 0 lost"),
    ("no-switches", {"two_threads_switches_count": 3}, "does not hold", "of two threads 3"),
    ("no-switches", {"one_thread_switches_count": 0}, "holds", "switches of one thread 0"),
    (
        "one-thread-one-core",
        {"two_processes_cpu_s": 0.1},
        "depends on",
        "two processes used 1.01 (",
    ),
    ("two-threads-two-cores", {"two_threads_cpu_s": 0.39}, "holds", "used 1.94 ("),
    (
        "alternation",
        {"two_threads_changes_count": 1},
        "depends on",
        "Changes between two threads 1",
    ),
    ("switches-cost-time", {"two_threads_s": 0.25}, "holds", "switches of two threads 90"),
    ("switches-cost-time", {"short_interval_s": 0.2}, "not distinguishable", "interval 5,000"),
    ("computing-alone", {"two_threads_s": 0.105}, "does not hold", "0.528 ("),
    ("computing-alone", {"two_threads_s": 0.3}, "holds", "1.51 ("),
    ("computing-numpy", {"two_threads_s": 0.2}, "holds", "Two threads 200 ms"),
    ("computing-interpreters", {}, "does not hold", "Two interpreters 104 ms"),
    ("two-processes", {"two_processes_s": 0.25}, "does not hold", "two processes 250 ms"),
    ("coroutines-wait", {"coroutines_waiting_s": 0.15}, "does not hold", "waiting 150 ms"),
    ("coroutines-compute", {"coroutines_computing_s": 0.01}, "does not hold", "computing 10 ms"),
    ("generator-state", {"right_answers_count": 999}, "does not hold", "Right answers 999"),
    ("server", {"many_threads_requests_per_s": 70}, "does not hold", "requests 70/s"),
    ("server-computing", {"many_threads_computing_requests_per_s": 590}, "does not hold", "590/s"),
    ("server-computing", {}, "holds", "290/s"),
    ("create-thread", {"fork_process_s": 30e-6}, "depends on", "Forked process 30 µs"),
    ("create-coroutine", {"coroutine_s": 60e-6}, "does not hold", "coroutine 60 µs"),
    ("create-greenlet", {"greenlet_s": 90e-6}, "does not hold", "greenlet 90 µs"),
    ("create-interpreter", {"interpreter_s": 0.05}, "depends on", "interpreter 50 ms"),
    ("sharing-price", {"shared_memory_s": 10e-6}, "depends on", "Shared memory 10 µs"),
    ("sharing-access", {"shared_memory_write_s": 40e-9}, "does not hold", "2.01 ("),
    ("switch-voluntary", {"process_voluntary_s": 3e-6}, "does not hold", "0.67 ("),
    ("switch-voluntary", {}, "holds", "subtracted from both: the same calls without a switch 1 µs"),
    ("switch-forced", {"process_forced_s": 0.8e-6}, "does not hold", "switches of threads 2,000"),
    ("switch-coroutine", {"coroutine_s": 5e-6}, "depends on", "coroutine 5 µs"),
    ("switch-greenlet", {"greenlet_s": 5e-6}, "does not hold", "greenlet 5 µs"),
    ("lone-thread", {"beside_waking_s": 0.02}, "not distinguishable", "Beside waiting 20.1 ms"),
    ("lone-thread", {"beside_waiting_s": 0.03, "with_lock_s": 0.03}, "holds", "with a lock 30 ms"),
    ("operating-system", {"coroutine_started_count": 10}, "does not hold", "coroutines 10"),
    ("scheduling", {"beside_computing_delay_s": 80e-6}, "does not hold", "thread 80 µs"),
    ("message-price", {"solo_s": 40e-6}, "depends on", "solo 40 µs"),
]
"""Claim, changed medians, verdict, and a part of the sentence."""


@pytest.mark.parametrize(("name", "changed", "verdict", "words"), CHANGED)
def test_the_figures_decide_the_verdict_and_are_in_the_sentence(
    name: str, changed: dict[str, float], verdict: str, words: str
) -> None:
    judgement = judge(claim(name, **changed))
    assert judgement.verdict == verdict, judgement
    assert words in judgement.because
    assert judgement.because[0] == judgement.because[0].upper()
    assert judgement.because.endswith(".")


def test_each_claim_has_a_rule_and_a_test() -> None:
    names = {text.name for text in ALL_CLAIMS}
    assert names == set(RULES) == set(MADE_UP) == {name for name, *_ in CHANGED}


def test_the_figures_of_each_claim_are_those_of_its_text() -> None:
    for text in ALL_CLAIMS:
        assert set(MADE_UP[text.name]) == set(text.figures), text.name


@pytest.mark.parametrize("name", RULES)
def test_a_claim_without_a_figure_is_not_tested(name: str) -> None:
    judgement = judge(replace(claim(name), figures=[]))
    assert judgement.verdict == "not tested"
    assert judgement.because.startswith("The results lack the figure ")


def test_a_claim_that_cannot_be_tested_says_why() -> None:
    impossible = replace(claim("two-processes"), figures=[], not_tested="needs two cores")
    assert judge(impossible).verdict == "not tested"
    assert judge(impossible).because == "Needs two cores."


def test_a_claim_of_a_later_version_is_not_tested() -> None:
    unknown = Claim("a-later-claim", "A statement.", "A method.", "3.19")
    assert judge(unknown).verdict == "not tested"


def noisy(name: str, figure: str, ratios: tuple[float, ...] = NOISE) -> Claim:
    """The claim with the values of a figure in these ratios to those of the first figure."""
    made_up = claim(name)
    first = made_up.figures[0].values
    values = [value * ratio for value, ratio in zip(first, ratios, strict=True)]
    figures = [replace(each, values=values) if each.name == figure else each
               for each in made_up.figures]  # fmt: skip
    return replace(made_up, figures=figures)


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("create-coroutine", "coroutine_s"),
        ("computing-alone", "two_threads_s"),
        ("sharing-access", "shared_memory_write_s"),
        ("two-processes", "two_processes_s"),
    ],
)
def test_figures_that_vary_more_than_they_differ_are_not_distinguishable(
    name: str, figure: str
) -> None:
    judgement = judge(noisy(name, figure))
    assert judgement.verdict == "not distinguishable"
    assert ", not enough to tell a difference of more than 10%" in judgement.because


@pytest.mark.parametrize(
    ("name", "cpu"),
    [
        ("one-thread-one-core", "one_thread_cpu_s"),
        ("two-threads-two-cores", "one_thread_cpu_s"),
        ("two-processes", "one_thread_cpu_s"),
        ("computing-numpy", "two_threads_cpu_s"),
        ("computing-interpreters", "two_interpreters_cpu_s"),
    ],
)
def test_there_is_no_verdict_on_cores_that_other_programs_use(name: str, cpu: str) -> None:
    judgement = judge(claim(name, **{cpu: 0.05}))
    assert judgement.verdict == "not distinguishable"
    assert "of a core, because other programs ran; " in judgement.because


SAME: list[tuple[str, dict[str, float]]] = [
    ("memory-per-greenlet", {"greenlet_bytes": 19_000}),
    ("two-processes", {"two_processes_s": 0.21}),
    ("server", {"many_threads_requests_per_s": 92}),
    ("create-thread", {"fork_process_s": 47e-6}),
    ("switch-voluntary", {"thread_voluntary_s": 3.32e-6, "process_voluntary_s": 3.42e-6}),
    ("switch-forced", {"process_forced_s": 1.02e-6}),
    ("switch-greenlet", {"greenlet_s": 4e-6}),
]
"""Claim, and medians that differ by less than the margin, whichever is larger."""


@pytest.mark.parametrize(("name", "changed"), SAME)
def test_figures_that_differ_by_less_than_the_margin_are_not_distinguishable(
    name: str, changed: dict[str, float]
) -> None:
    judgement = judge(claim(name, **changed))
    assert judgement.verdict == "not distinguishable", judgement
    assert ", which is no difference of more than 10%" in judgement.because


def test_a_switch_is_compared_without_the_calls_that_it_is_measured_with() -> None:
    """Passes that differ by 9 % are switches that differ by more, if most of a pass is calls."""
    passes = {"thread_voluntary_s": 4e-6, "process_voluntary_s": 4.36e-6}
    assert judge(claim("switch-voluntary", **passes, no_switch_s=3e-6)).verdict == "holds"
    assert judge(claim("switch-voluntary", **passes, no_switch_s=1e-9)).verdict != "holds"


def test_a_switch_that_is_not_longer_than_its_calls_decides_nothing() -> None:
    judgement = judge(claim("switch-voluntary", no_switch_s=6e-6))
    assert judgement.verdict == "not distinguishable"
    assert "of fewer than 3 rounds" in judgement.because


def test_counts_that_hardly_differ_refute_a_difference() -> None:
    """One switch more is noise, not a reason."""
    figures = {"one_thread_switches_count": 0.0, "two_threads_switches_count": 0.0}
    assert judge(claim("no-switches", **figures)).verdict == "does not hold"


def test_two_rounds_decide_nothing() -> None:
    figures = [Figure.named("coroutine_s", [6e-6, 4e-5]), Figure.named("thread_s", [45e-6] * 2)]
    judgement = judge(replace(claim("create-coroutine"), figures=figures))
    assert judgement.verdict == "not distinguishable"
    assert "of fewer than 3 rounds" in judgement.because


def test_a_count_that_differs_between_rounds_is_told() -> None:
    rule = all_of(each_round(lambda seen: seen == 1, "seen_count"))
    judgement = rule({"seen_count": [1, 1, 0, 1]})
    assert (judgement.verdict, judgement.because) == (
        "not distinguishable", "Seen 1; so in 3 of 4 rounds.",
    )  # fmt: skip


def test_what_can_happen_holds_if_it_always_happens_and_depends_if_it_happens_at_times() -> None:
    same, slow = [1.0] * 5, [2.0] * 5
    figures = {"a_s": same, "b_s": same, "c_s": slow}
    assert any_of(*less("a_s", "c_s"))(figures).verdict == "holds"
    assert any_of(*less("a_s", "c_s", "b_s"))(figures).verdict == "depends on"
    assert any_of(*less("c_s", "a_s"))(figures).verdict == "does not hold"
    assert any_of(*less("a_s", "b_s"))(figures).verdict == "not distinguishable"
    assert any_of(*less("a_s", "b_s"))({"a_s": [1.0], "b_s": [1.0]}).verdict == (
        "not distinguishable"
    )


def test_verdicts_are_counted_in_their_order() -> None:
    counted = count_verdicts(["not tested", "holds", "does not hold", "holds"])
    assert list(counted.items()) == [("holds", 2), ("does not hold", 1), ("not tested", 1)]
    assert list(counted) == [verdict for verdict in VERDICTS if verdict in counted]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("a_s", 0.0, "0 ns"), ("a_s", 61e-9, "61 ns"), ("a_s", 1.2345e-3, "1.23 ms"),
        ("a_s", 250.0, "250 s"), ("a_bytes", 999, "999 bytes"), ("a_bytes", 8 * 2**20, "8 MiB"),
        ("a_per_s", 12.34, "12.3/s"), ("a_per_s", 1234.5, "1,234/s"), ("a_count", 5e4, "50,000"),
    ],
)  # fmt: skip
def test_a_value_has_three_digits_and_its_unit(name: str, value: float, text: str) -> None:
    assert value_text(name, value) == text
