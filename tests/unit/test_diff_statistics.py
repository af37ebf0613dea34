"""The law of a diff: one thing measured twice is never called changed, and a change is found."""

import random
from collections import Counter

import pytest

from poolrace.producer.analysis.diff import DEFAULT_MARGIN
from poolrace.producer.analysis.diff_statistics import compare_samples
from poolrace.producer.analysis.stats import T_95, T_99
from poolrace.producer.analysis.student_t import MAX_DEGREES, two_sided_p, two_sided_quantile
from tests.unit.made_up_diffs import Noise, disturbed, heavy_tailed, normal, pairs


def results(
    seed: int,
    cases: int,
    repeat: int,
    noise: Noise,
    restart_sd: float = 0.03,
    slower: float = 1.0,
) -> Counter[str]:
    """Number of cases with each result, of one made-up pair of files."""
    samples = pairs(random.Random(seed), cases, repeat, noise, restart_sd, slower)
    return Counter(each.result for each in compare_samples(samples, DEFAULT_MARGIN))


@pytest.mark.parametrize(
    ("cases", "seeds"), [(1, 1500), (9, 300)], ids=["one case", "nine cases"]
)  # fmt: skip
@pytest.mark.parametrize("repeat", [3, 5])
@pytest.mark.parametrize(
    "noise",
    [normal(0.005), normal(0.02), heavy_tailed(0.02), disturbed(0.02)],
    ids=["quiet", "usual", "heavy-tailed", "disturbed"],
)
def test_one_thing_measured_twice_is_called_changed_in_less_than_1_of_100_pairs_of_files(
    noise: Noise, repeat: int, cases: int, seeds: int
) -> None:
    found = [results(seed, cases, repeat, noise) for seed in range(seeds)]
    assert sum(bool(each["faster"] + each["slower"]) for each in found) <= seeds / 100


@pytest.mark.parametrize("noise", [normal(0.1), heavy_tailed(0.1)], ids=["normal", "heavy-tailed"])
def test_many_cases_on_a_noisy_machine_are_not_called_changed(noise: Noise) -> None:
    found = [results(seed, 54, 3, noise) for seed in range(100)]
    assert sum(bool(each["faster"] + each["slower"]) for each in found) <= 1


def test_without_restarts_the_same_workers_are_mostly_called_the_same() -> None:
    found = sum((results(seed, 9, 5, normal(0.01), restart_sd=0) for seed in range(50)), Counter())
    assert found["same"] >= 0.95 * found.total()
    assert found["slower"] == found["faster"] == 0


def test_one_thing_measured_twice_on_a_quiet_machine_is_often_called_the_same() -> None:
    found = sum((results(seed, 9, 3, normal(0.01)) for seed in range(200)), Counter())
    assert found["same"] >= 0.35 * found.total()


@pytest.mark.parametrize(
    ("cases", "repeat", "power"), [(1, 3, 0.8), (1, 5, 0.85), (9, 3, 0.7), (9, 5, 0.8)]
)
def test_a_case_that_takes_20_percent_longer_is_mostly_found_on_a_quiet_machine(
    cases: int, repeat: int, power: float
) -> None:
    seeds = range(600 // cases)
    found = sum(
        (results(seed, cases, repeat, normal(0.02), slower=1.2) for seed in seeds), Counter()
    )
    assert found["slower"] >= power * found.total()
    assert found["faster"] == found["same"] == 0


def test_a_case_that_takes_half_as_long_again_is_nearly_always_found() -> None:
    found = sum((results(seed, 9, 3, normal(0.02), slower=1.5) for seed in range(50)), Counter())
    assert found["slower"] >= 0.99 * found.total()


@pytest.mark.parametrize("repeat", [1, 2])
def test_with_fewer_than_three_runs_nothing_is_distinguishable(repeat: int) -> None:
    found = results(1, 9, repeat, normal(0.001), slower=5.0)
    assert found == {"not distinguishable": 9}


def test_the_interval_contains_the_true_ratio_in_95_of_100_cases() -> None:
    inside = 0
    for seed in range(100):
        samples = pairs(random.Random(seed), 9, 5, normal(0.03), slower=1.3)
        for each in compare_samples(samples, DEFAULT_MARGIN):
            assert each.interval is not None
            inside += each.interval[0] <= 1.3 <= each.interval[1]
    assert 0.93 * 900 <= inside <= 900


def test_a_wider_margin_makes_a_small_change_the_same() -> None:
    samples = pairs(random.Random(1), 1, 5, normal(0.005), restart_sd=0, slower=1.2)
    assert [each.result for each in compare_samples(samples, 0.1)] == ["slower"]
    assert [each.result for each in compare_samples(samples, 0.4)] == ["same"]


def test_three_runs_that_agree_by_chance_do_not_make_a_noisy_machine_quiet() -> None:
    noisy = pairs(random.Random(1), 8, 3, normal(0.2))
    lucky = ([2.0, 2.0, 2.0], [2.4, 2.4, 2.4])
    assert compare_samples([lucky], DEFAULT_MARGIN)[0].result == "slower"
    assert compare_samples([lucky, *noisy], DEFAULT_MARGIN)[0].result == "not distinguishable"


@pytest.mark.parametrize(("confidence", "table"), [(0.95, T_95), (0.99, T_99)])
def test_the_quantiles_of_students_t_are_those_of_the_tables(
    confidence: float, table: tuple[float, ...]
) -> None:
    quantiles = [two_sided_quantile(confidence, degrees) for degrees in range(1, len(table) + 1)]
    assert quantiles == pytest.approx(table, rel=5e-4)


@pytest.mark.parametrize(
    ("t", "degrees", "p"),
    [(0.0, 1, 1.0), (1.0, 1, 0.5), (2.0, 2, 0.18350), (1.96, MAX_DEGREES, 0.05138),
     (10.0, 4, 0.00056), (-10.0, 5, 0.00017)],
)  # fmt: skip
def test_the_probabilities_of_students_t_are_known(t: float, degrees: int, p: float) -> None:
    assert two_sided_p(t, degrees) == pytest.approx(p, abs=1e-5)
