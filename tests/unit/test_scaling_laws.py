"""The laws give back what made the numbers, bear noise, and refuse to be made of too little."""

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from poolrace.producer.analysis.scaling_laws import (
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


@given(st.sampled_from([1, 2, 3, 6, 8]), seconds, overheads, seconds)
def test_times_made_by_the_chunk_law_give_its_parameters_back(
    slots: int, work_s: float, overhead_s: float, imbalance_s: float
) -> None:
    made_by = ChunkLaw(slots, work_s, overhead_s, imbalance_s)
    law = fit_chunks([(n, made_by.time_s(n)) for n in CHUNKS], slots)
    assert law is not None
    assert law.work_s == pytest.approx(work_s, rel=1e-5)
    assert law.overhead_s == pytest.approx(overhead_s, rel=1e-5)
    assert law.imbalance_s == pytest.approx(imbalance_s, rel=1e-5)
    assert law.r_squared == pytest.approx(1.0)


@given(st.integers(1, 16), overheads, seconds)
def test_no_number_of_chunks_is_better_than_the_sweet_spot(
    slots: int, overhead_s: float, imbalance_s: float
) -> None:
    law = ChunkLaw(slots, 2.0, overhead_s, imbalance_s)
    assert law.sweet_spot is not None
    assert law.sweet_spot % slots == 0
    least_s = min(law.time_s(n) for n in range(1, 2 * law.sweet_spot + slots))
    assert law.time_s(law.sweet_spot) == pytest.approx(least_s)


def test_a_known_answer_of_rounds_in_step() -> None:
    """Four slots take nine chunks of 1 s in three rounds, two of them in half the time of one."""
    law = ChunkLaw(4, 9 / 4, 0.0, 0.0)
    assert law.time_s(9) == pytest.approx(3.0)
    assert law.waiting_s(8) == 0.0
    assert law.time_s(2) == pytest.approx(4.5)
    assert law.time_s(1) == pytest.approx(9.0)
    assert law.sweet_spot == 4


def test_measured_times_of_slots_that_wait_show_their_rounds() -> None:
    """200 waits of 11 ms on four threads, medians of three runs: no smooth law comes near."""
    times = {
        4: 0.561, 5: 0.892, 6: 0.739, 7: 0.637, 9: 0.741, 10: 0.669, 13: 0.680,
        18: 0.616, 21: 0.627, 27: 0.581, 35: 0.572, 50: 0.582, 100: 0.564, 200: 0.566,
    }  # fmt: skip
    law = fit_chunks(list(times.items()), slots=4)
    assert law is not None
    assert law.in_step == 4
    assert law.r_squared is not None
    assert law.r_squared > 0.99
    assert all(law.time_s(n) == pytest.approx(seconds, rel=0.02) for n, seconds in times.items())


def test_slots_that_share_a_core_do_not_go_in_step() -> None:
    law = fit_chunks([(n, 1.0 + 0.001 * n) for n in (3, 5, 7, 9, 100)], slots=4)
    assert law is not None
    assert law.in_step == 1
    assert law.overhead_s == pytest.approx(0.001)


@given(seconds, fractions, crosstalks)
def test_times_made_by_the_scalability_law_give_its_parameters_back(
    one_s: float, sigma: float, kappa: float
) -> None:
    made_by = ScalabilityLaw(1 / one_s, sigma, kappa)
    law = fit_scalability([(n, 1 / made_by.throughput(n)) for n in HOSTS])
    assert law is not None
    assert law.rate == pytest.approx(1 / one_s, rel=1e-6)
    assert law.sigma == pytest.approx(sigma, rel=1e-5, abs=1e-7)
    assert law.kappa == pytest.approx(kappa, rel=1e-5, abs=1e-8)
    assert law.speed_up(320) == pytest.approx(made_by.speed_up(320), rel=1e-4)


def test_a_known_answer_of_the_scalability_law() -> None:
    """sigma = 0.02 and kappa = 0.0005: four hosts give 3.752, and beyond 44 it gets worse."""
    law = ScalabilityLaw(1.0, 0.02, 0.0005)
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
    made_by = ChunkLaw(2, 2.0, 0.002, 8.0)
    points = [(n, made_by.time_s(n) * noise.uniform(0.97, 1.03)) for n in CHUNKS]
    law = fit_chunks(points, 2)
    assert law is not None
    assert law.sweet_spot == pytest.approx(made_by.sweet_spot, rel=0.5)
    assert law.r_squared is not None
    assert law.r_squared > 0.95


@given(st.integers(0, 10_000))
def test_three_percent_of_noise_leaves_the_speed_ups_near(seed: int) -> None:
    noise = random.Random(seed)
    made_by = ScalabilityLaw(0.1, 0.05, 0.002)
    points = [(n, noise.uniform(0.97, 1.03) / made_by.throughput(n)) for n in HOSTS]
    law = fit_scalability(points)
    assert law is not None
    assert law.speed_up(32) == pytest.approx(made_by.speed_up(32), rel=0.1)


@given(st.lists(st.tuples(st.integers(1, 2000), st.floats(1e-4, 1e4)), min_size=3, max_size=12))
def test_whatever_the_times_no_parameter_is_negative(points: list[tuple[int, float]]) -> None:
    assume(len({n for n, _ in points}) >= 3)
    law, scalability = fit_chunks(points, 2), fit_scalability(points)
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


def test_what_gets_slower_from_the_start_has_its_peak_at_one() -> None:
    law = fit_scalability([(1, 1.0), (2, 1.3), (4, 1.45)])
    assert law is not None
    assert law.sigma > 1
    assert law.peak == 1.0


def test_chunks_that_cost_nothing_have_no_sweet_spot() -> None:
    law = fit_chunks([(n, 1.0 + 2.0 / n) for n in CHUNKS], 2)
    assert law is not None
    assert law.overhead_s == pytest.approx(0.0, abs=1e-9)
    assert law.sweet_spot is None or law.sweet_spot > max(CHUNKS)


def test_equal_times_are_a_flat_law_of_which_no_variance_is_left_to_explain() -> None:
    law = fit_chunks([(n, 1.0) for n in CHUNKS], 2)
    assert law is not None
    assert law.time_s(2) == pytest.approx(law.time_s(9_998)) == pytest.approx(1.0)
    assert law.r_squared is None


@pytest.mark.parametrize("points", [[], [(1, 1.0)], [(1, 1.0), (2, 0.6)], [(1, 1.0)] * 5])
def test_fewer_than_three_different_numbers_are_not_fitted(points: list[tuple[int, float]]) -> None:
    assert fit_chunks(points, 2) is None
    assert fit_scalability(points) is None


def test_three_points_are_fitted_and_nothing_is_left_to_judge_the_fit_by() -> None:
    law = fit_chunks([(2, 1.5), (16, 1.1), (128, 1.4)], 2)
    assert law is not None
    assert law.time_s(16) == pytest.approx(1.1)
    assert law.r_squared is None
