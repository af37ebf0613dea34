"""What is said of two results of one machine, and that two machines are not compared."""

from dataclasses import replace

import pytest

from benchmarks.history import changes, newest_alike, word
from benchmarks.results import Benchmark
from benchmarks.rows import FIGURES, Figure
from poolrace.workers.errors import UsageError
from tests.benchmarks.conftest import Made

TIMES = [1.00, 1.02, 1.04, 1.06, 1.08]


def said(before: Benchmark, now: Benchmark) -> str:
    return next(it.word for it in changes(before, now) if it.figure == FIGURES[0])


def test_rounds_that_all_took_longer_are_slower(made: Made) -> None:
    assert said(made(TIMES), made([1.1 + it for it in TIMES])) == "slower"


def test_rounds_that_all_took_less_are_faster(made: Made) -> None:
    assert said(made(TIMES), made([it - 0.1 for it in TIMES])) == "faster"


def test_rounds_that_overlap_are_not_distinguishable(made: Made) -> None:
    assert said(made(TIMES), made([it + 0.05 for it in TIMES])) == "not distinguishable"


def test_the_same_values_are_not_distinguishable(made: Made) -> None:
    assert said(made(TIMES), made(TIMES)) == "not distinguishable"


def test_a_single_round_says_nothing(made: Made) -> None:
    assert said(made([1.0]), made([9.0])) == "not distinguishable"


def test_a_higher_rate_is_faster() -> None:
    rate = Figure(3, "rate", "ray", "chunks_per_s")
    assert word(rate, [1, 2, 3, 4, 5], [11, 12, 13, 14, 15]) == "faster"


def test_memory_is_less_or_more() -> None:
    [memory] = [it for it in FIGURES if it.title == "producer's peak memory"]
    assert word(memory, [1, 2, 3, 4, 5], [11, 12, 13, 14, 15]) == "more"
    assert word(memory, [11, 12, 13, 14, 15], [1, 2, 3, 4, 5]) == "less"


@pytest.mark.parametrize(
    ("fact", "value"),
    [("cpu", "another CPU"), ("cores", 4), ("cpu_quota", 1.5), ("python", "CPython 3.14.0")],
)
def test_different_machines_are_refused_and_both_sides_named(
    made: Made, fact: str, value: object
) -> None:
    with pytest.raises(UsageError) as refusal:
        changes(made(TIMES, **{fact: value}), made(TIMES))
    assert f"{fact}: {value} and " in str(refusal.value)


def test_different_sizes_are_refused_but_another_number_of_rounds_is_not(made: Made) -> None:
    now = made(TIMES)
    assert changes(replace(now, sizes={**now.sizes, "repeat": 9}), now)
    with pytest.raises(UsageError, match="stop: 5 and 100000000"):
        changes(replace(now, sizes={**now.sizes, "stop": 5}), now)


def test_the_newest_result_of_the_same_machine_is_taken(made: Made) -> None:
    other, newer, older = made(TIMES, cores=64), made(TIMES), made(TIMES)
    assert newest_alike([other, newer, older], made(TIMES)) is newer
    assert newest_alike([other], made(TIMES)) is None
