"""Benchmarks of one machine are compared figure by figure; two machines are not compared."""

from dataclasses import replace

import pytest

from benchmarks.figures import FIGURES, Figure
from benchmarks.history import changes, compare, require_comparable, values_over_time
from benchmarks.results import Benchmark, Sample
from poolrace.workers.errors import UsageError
from tests.benchmarks.conftest import MakeBenchmark

TIMES = [1.00, 1.02, 1.04, 1.06, 1.08]


def verdict(before: Benchmark, now: Benchmark) -> str:
    """The verdict on the first figure."""
    return next(change.verdict for change in changes([before], now) if change.figure == FIGURES[0])


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
    before, now = make_benchmark(TIMES, **{fact: value}), make_benchmark(TIMES)
    assert changes([before], now) == []
    with pytest.raises(UsageError) as refused:
        require_comparable(before, now)
    assert f"{fact}: {value} and " in str(refused.value)


def test_another_build_of_the_same_kernel_is_no_other_machine(
    make_benchmark: MakeBenchmark,
) -> None:
    before, now = (
        make_benchmark(TIMES, system=f"Linux 6.18.44-{build}") for build in ("fc-v657", "fc-v669")
    )
    assert changes([before], now)
    assert not changes([before], make_benchmark(TIMES, system="Linux 6.19.1-fc-v669"))


def compared_rows(before: Benchmark, now: Benchmark) -> set[int]:
    """The rows of the figures that are compared."""
    return {change.figure.row for change in changes([before], now)}


def test_figures_of_other_sizes_are_not_compared_and_those_of_other_rows_are(
    make_benchmark: MakeBenchmark,
) -> None:
    now = make_benchmark(TIMES)
    assert compared_rows(now, now) == {1, 3}
    assert compared_rows(with_sizes(now, stop=5), now) == {3}
    assert compared_rows(with_sizes(now, noops=5), now) == {1}


def test_another_number_of_rounds_and_sizes_of_new_rows_do_not_prevent_a_comparison(
    make_benchmark: MakeBenchmark,
) -> None:
    now = make_benchmark(TIMES)
    older = with_sizes(now, repeat=9)
    del older.sizes["simulated_hosts"]
    assert compared_rows(older, now) == {1, 3}


def test_each_figure_is_compared_with_the_newest_benchmark_that_has_it(
    make_benchmark: MakeBenchmark,
) -> None:
    other = make_benchmark(TIMES, made_at="4", cores=64)
    without_first = replace(make_benchmark([], made_at="3"))
    newer, older = make_benchmark([3.0], made_at="2"), make_benchmark([2.0], made_at="1")
    by_row = {
        change.figure.row: change
        for change in changes([other, without_first, newer, older], make_benchmark(TIMES))
    }
    assert (by_row[1].made_at, by_row[1].before) == ("2", 3.0)
    assert by_row[3].made_at == "3"


def test_a_figure_keeps_its_history_when_its_title_and_target_change(
    make_benchmark: MakeBenchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = replace(FIGURES[0], title="another title", most=0.5)
    monkeypatch.setattr("benchmarks.figures.FIGURES", (renamed,))
    [change] = changes([make_benchmark([1.5])], make_benchmark([1.0]))[:1]
    assert (change.figure, change.before, change.now) == (renamed, 1.5, 1.0)


def test_the_values_of_a_figure_are_kept_by_the_start_of_the_benchmark(
    make_benchmark: MakeBenchmark,
) -> None:
    new, old = make_benchmark([1.0], made_at="2"), make_benchmark([1.5], made_at="1")
    other = make_benchmark([9.0], made_at="0", cores=64)
    assert values_over_time([new, old, other], new)[FIGURES[0]] == {"2": 1.0, "1": 1.5}


def test_the_ninth_decile_of_a_figure_is_that_of_its_rounds(make_benchmark: MakeBenchmark) -> None:
    [figure] = [each for each in FIGURES if each.contender == "processes" and each.ninth_decile]
    times = [*[1.0] * 18, 1.05, 9.0]
    samples = [
        Sample(10, name, number, {"elapsed_s": [seconds]})
        for number, pair in enumerate(times)
        for name, seconds in (("seed", 1.0), ("processes", pair))
    ]
    rounds = replace(make_benchmark([]), samples=tuple(samples)).rounds(figure)
    assert figure.value(rounds) == 1.0
    assert figure.reached(rounds)
    assert not figure.reached([*times[:17], 1.07, 1.07, 1.07])


def with_sizes(benchmark: Benchmark, **sizes: int) -> Benchmark:
    """The benchmark with other sizes."""
    return replace(benchmark, sizes={**benchmark.sizes, **sizes})
