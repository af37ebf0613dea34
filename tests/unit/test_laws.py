"""The laws give back what made the numbers, bear noise, and refuse to be made of too little."""

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from producer.laws import (
    ChunkLaw,
    ScalabilityLaw,
    fit_chunks,
    fit_scalability,
    serial_fraction,
)

CHUNKS = (2, 8, 32, 128, 512, 1024)
HOSTS = (1, 2, 4, 8, 16, 32)

seconds = st.floats(0.05, 100.0)
overheads = st.floats(1e-5, 0.02)
fractions = st.floats(0.0, 0.5)
crosstalks = st.floats(0.0, 0.05)


@given(seconds, overheads, seconds)
def test_times_made_by_the_chunk_law_give_its_parameters_back(
    work_s: float, overhead_s: float, imbalance_s: float
) -> None:
    made_by = ChunkLaw(work_s, overhead_s, imbalance_s, None)
    law = fit_chunks([(n, made_by.time_s(n)) for n in CHUNKS])
    assert law is not None
    assert law.work_s == pytest.approx(work_s, rel=1e-5)
    assert law.overhead_s == pytest.approx(overhead_s, rel=1e-5)
    assert law.imbalance_s == pytest.approx(imbalance_s, rel=1e-5)
    assert law.sweet_spot == pytest.approx(made_by.sweet_spot, rel=1e-5)
    assert law.r_squared == pytest.approx(1.0)


@given(seconds, fractions, crosstalks)
def test_times_made_by_the_scalability_law_give_its_parameters_back(
    one_s: float, sigma: float, kappa: float
) -> None:
    made_by = ScalabilityLaw(1 / one_s, sigma, kappa, None)
    law = fit_scalability([(n, 1 / made_by.throughput(n)) for n in HOSTS])
    assert law is not None
    assert law.rate == pytest.approx(1 / one_s, rel=1e-6)
    assert law.sigma == pytest.approx(sigma, rel=1e-5, abs=1e-7)
    assert law.kappa == pytest.approx(kappa, rel=1e-5, abs=1e-8)
    assert law.speed_up(320) == pytest.approx(made_by.speed_up(320), rel=1e-4)


def test_a_known_answer_of_the_scalability_law() -> None:
    """sigma = 0.02 and kappa = 0.0005: four hosts give 3.752, and beyond 44 it gets worse."""
    law = ScalabilityLaw(1.0, 0.02, 0.0005, None)
    assert law.speed_up(4) == pytest.approx(4 / 1.066)
    assert law.peak == pytest.approx(math.sqrt(0.98 / 0.0005))
    assert law.speed_up(law.peak) > law.speed_up(law.peak - 1)
    assert law.speed_up(law.peak) > law.speed_up(law.peak + 1)


def test_a_known_answer_of_karp_and_flatt() -> None:
    """A tenth of serial work by Amdahl's law is read as a tenth, whatever the number."""
    for number in (2, 4, 8, 1000):
        amdahl = 1 / (0.1 + 0.9 / number)
        assert serial_fraction(amdahl, number) == pytest.approx(0.1)
    assert serial_fraction(4.0, 4) == pytest.approx(0.0)
    assert serial_fraction(1.0, 4) == pytest.approx(1.0)
    assert serial_fraction(5.0, 4) is not None
    assert serial_fraction(1.0, 1) is None


@given(st.integers(0, 10_000))
def test_three_percent_of_noise_moves_the_sweet_spot_by_less_than_half(seed: int) -> None:
    noise = random.Random(seed)
    made_by = ChunkLaw(2.0, 0.002, 8.0, None)
    points = [(n, made_by.time_s(n) * noise.uniform(0.97, 1.03)) for n in CHUNKS]
    law = fit_chunks(points)
    assert law is not None
    assert law.sweet_spot == pytest.approx(made_by.sweet_spot, rel=0.5)
    assert law.r_squared is not None
    assert law.r_squared > 0.95


@given(st.integers(0, 10_000))
def test_three_percent_of_noise_leaves_the_speed_ups_near(seed: int) -> None:
    noise = random.Random(seed)
    made_by = ScalabilityLaw(0.1, 0.05, 0.002, None)
    points = [(n, noise.uniform(0.97, 1.03) / made_by.throughput(n)) for n in HOSTS]
    law = fit_scalability(points)
    assert law is not None
    assert law.speed_up(32) == pytest.approx(made_by.speed_up(32), rel=0.1)


@given(st.lists(st.tuples(st.integers(1, 2000), st.floats(1e-4, 1e4)), min_size=3, max_size=12))
def test_whatever_the_times_no_parameter_is_negative(points: list[tuple[int, float]]) -> None:
    assume(len({n for n, _ in points}) >= 3)
    law, scalability = fit_chunks(points), fit_scalability(points)
    assert law is not None
    assert scalability is not None
    assert min(law.work_s, law.overhead_s, law.imbalance_s) >= 0
    assert min(scalability.sigma, scalability.kappa) >= 0
    assert scalability.rate > 0


def test_more_than_perfect_speed_up_is_fitted_as_perfect() -> None:
    law = fit_scalability([(1, 8.0), (2, 3.5), (4, 1.5), (8, 0.7)])
    assert law is not None
    assert (law.sigma, law.kappa, law.peak) == (0.0, 0.0, math.inf)
    assert law.to_json()["peak"] is None


def test_chunks_that_cost_nothing_have_no_sweet_spot() -> None:
    law = fit_chunks([(n, 1.0 + 2.0 / n) for n in CHUNKS])
    assert law is not None
    assert law.overhead_s == pytest.approx(0.0, abs=1e-9)
    assert law.sweet_spot > max(CHUNKS)


def test_equal_times_are_a_flat_law_of_which_no_variance_is_left_to_explain() -> None:
    law = fit_chunks([(n, 1.0) for n in CHUNKS])
    assert law is not None
    assert law.time_s(1) == pytest.approx(law.time_s(10_000)) == pytest.approx(1.0)
    assert law.r_squared is None


@pytest.mark.parametrize("points", [[], [(1, 1.0)], [(1, 1.0), (2, 0.6)], [(1, 1.0)] * 5])
def test_fewer_than_three_different_numbers_are_not_fitted(points: list[tuple[int, float]]) -> None:
    assert fit_chunks(points) is None
    assert fit_scalability(points) is None


def test_three_points_are_fitted_and_nothing_is_left_to_judge_the_fit_by() -> None:
    law = fit_chunks([(2, 1.5), (16, 1.1), (128, 1.4)])
    assert law is not None
    assert law.time_s(16) == pytest.approx(1.1)
    assert law.r_squared is None
