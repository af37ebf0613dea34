"""Two benchmarks of one machine are compared figure by figure; two machines are not compared."""

from dataclasses import replace

import pytest

from benchmarks.history import changes, compare, newest_comparable
from benchmarks.results import Benchmark
from benchmarks.rows import FIGURES, Figure
from poolrace.workers.errors import UsageError
from tests.benchmarks.conftest import MakeBenchmark

TIMES = [1.00, 1.02, 1.04, 1.06, 1.08]


def verdict(before: Benchmark, now: Benchmark) -> str:
    """The verdict on the first figure."""
    return next(change.verdict for change in changes(before, now) if change.figure == FIGURES[0])


def test_rounds_that_all_took_longer_are_slower(make_benchmark: MakeBenchmark) -> None:
    assert (
        verdict(make_benchmark(TIMES), make_benchmark([1.1 + time_s for time_s in TIMES]))
        == "slower"
    )


def test_rounds_that_all_took_less_are_faster(make_benchmark: MakeBenchmark) -> None:
    assert (
        verdict(make_benchmark(TIMES), make_benchmark([time_s - 0.1 for time_s in TIMES]))
        == "faster"
    )


def test_rounds_that_overlap_are_not_distinguishable(make_benchmark: MakeBenchmark) -> None:
    assert (
        verdict(make_benchmark(TIMES), make_benchmark([time_s + 0.05 for time_s in TIMES]))
        == "not distinguishable"
    )


def test_the_same_values_are_not_distinguishable(make_benchmark: MakeBenchmark) -> None:
    assert verdict(make_benchmark(TIMES), make_benchmark(TIMES)) == "not distinguishable"


def test_a_single_round_is_not_distinguishable(make_benchmark: MakeBenchmark) -> None:
    assert verdict(make_benchmark([1.0]), make_benchmark([9.0])) == "not distinguishable"


def test_a_higher_rate_is_faster() -> None:
    rate = Figure(3, "rate", "ray", "chunks_per_s")
    assert compare(rate, [1, 2, 3, 4, 5], [11, 12, 13, 14, 15]) == "faster"


def test_memory_is_compared_as_less_or_more() -> None:
    [memory] = [figure for figure in FIGURES if figure.title == "producer's peak memory"]
    assert compare(memory, [1, 2, 3, 4, 5], [11, 12, 13, 14, 15]) == "more"
    assert compare(memory, [11, 12, 13, 14, 15], [1, 2, 3, 4, 5]) == "less"


@pytest.mark.parametrize(
    ("fact", "value"),
    [("cpu", "another CPU"), ("cores", 4), ("cpu_quota", 1.5), ("python", "CPython 3.14.0")],
)
def test_different_machines_are_refused_with_both_values(
    make_benchmark: MakeBenchmark, fact: str, value: object
) -> None:
    with pytest.raises(UsageError) as refused:
        changes(make_benchmark(TIMES, **{fact: value}), make_benchmark(TIMES))
    assert f"{fact}: {value} and " in str(refused.value)


def test_different_sizes_are_refused_but_another_number_of_rounds_is_not(
    make_benchmark: MakeBenchmark,
) -> None:
    now = make_benchmark(TIMES)
    assert changes(replace(now, sizes={**now.sizes, "repeat": 9}), now)
    with pytest.raises(UsageError, match="stop: 5 and 100000000"):
        changes(replace(now, sizes={**now.sizes, "stop": 5}), now)


def test_the_newest_result_of_the_same_machine_is_taken(make_benchmark: MakeBenchmark) -> None:
    other, newer, older = (
        make_benchmark(TIMES, cores=64),
        make_benchmark(TIMES),
        make_benchmark(TIMES),
    )
    assert newest_comparable([other, newer, older], make_benchmark(TIMES)) is newer
    assert newest_comparable([other], make_benchmark(TIMES)) is None
