"""Fits recover the parameters of generated times, tolerate noise, and need three numbers."""

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from poolrace.producer.analysis.scaling_laws import (
    ChunkFit,
    ScalabilityFit,
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
def test_a_fit_of_times_generated_by_the_chunk_model_returns_its_parameters(
    slots: int, work_s: float, overhead_s: float, imbalance_s: float
) -> None:
    true_model = ChunkFit(slots, work_s, overhead_s, imbalance_s)
    fit = fit_chunks([(n, true_model.time_s(n)) for n in CHUNKS], slots)
    assert fit is not None
    assert fit.work_s == pytest.approx(work_s, rel=1e-5)
    assert fit.overhead_s == pytest.approx(overhead_s, rel=1e-5)
    assert fit.imbalance_s == pytest.approx(imbalance_s, rel=1e-5)
    assert fit.r_squared == pytest.approx(1.0)


@given(st.integers(1, 16), overheads, seconds)
def test_no_number_of_chunks_is_faster_than_the_optimal_number(
    slots: int, overhead_s: float, imbalance_s: float
) -> None:
    fit = ChunkFit(slots, 2.0, overhead_s, imbalance_s)
    assert fit.optimal_chunks is not None
    assert fit.optimal_chunks % slots == 0
    least_s = min(fit.time_s(n) for n in range(1, 2 * fit.optimal_chunks + slots))
    assert fit.time_s(fit.optimal_chunks) == pytest.approx(least_s)


def test_nine_chunks_on_four_slots_take_three_rounds() -> None:
    """Four slots compute nine chunks of 1 s in three rounds; the times are computed by hand."""
    fit = ChunkFit(4, 9 / 4, 0.0, 0.0)
    assert fit.time_s(9) == pytest.approx(3.0)
    assert fit.waiting_s(8) == 0.0
    assert fit.time_s(2) == pytest.approx(4.5)
    assert fit.time_s(1) == pytest.approx(9.0)
    assert fit.optimal_chunks == 4


def test_rounds_are_found_in_measured_times_of_a_waiting_workload() -> None:
    """200 waits of 11 ms on four threads, medians of three runs; no smooth model fits them."""
    times = {
        4: 0.561, 5: 0.892, 6: 0.739, 7: 0.637, 9: 0.741, 10: 0.669, 13: 0.680,
        18: 0.616, 21: 0.627, 27: 0.581, 35: 0.572, 50: 0.582, 100: 0.564, 200: 0.566,
    }  # fmt: skip
    fit = fit_chunks(list(times.items()), slots=4)
    assert fit is not None
    assert fit.in_step == 4
    assert fit.r_squared is not None
    assert fit.r_squared > 0.99
    assert all(fit.time_s(n) == pytest.approx(seconds, rel=0.02) for n, seconds in times.items())


def test_times_without_rounds_are_fitted_without_rounds() -> None:
    fit = fit_chunks([(n, 1.0 + 0.001 * n) for n in (3, 5, 7, 9, 100)], slots=4)
    assert fit is not None
    assert fit.in_step == 1
    assert fit.overhead_s == pytest.approx(0.001)


@given(seconds, fractions, crosstalks)
def test_a_fit_of_times_generated_by_the_scalability_law_returns_its_parameters(
    one_s: float, sigma: float, kappa: float
) -> None:
    true_model = ScalabilityFit(1 / one_s, sigma, kappa)
    fit = fit_scalability([(n, 1 / true_model.throughput(n)) for n in HOSTS])
    assert fit is not None
    assert fit.rate == pytest.approx(1 / one_s, rel=1e-6)
    assert fit.sigma == pytest.approx(sigma, rel=1e-5, abs=1e-7)
    assert fit.kappa == pytest.approx(kappa, rel=1e-5, abs=1e-8)
    assert fit.speed_up(320) == pytest.approx(true_model.speed_up(320), rel=1e-4)


def test_the_scalability_law_gives_speed_ups_and_peak_computed_by_hand() -> None:
    """With sigma = 0.02 and kappa = 0.0005 four hosts give 3.752, and the peak is at 44 hosts."""
    fit = ScalabilityFit(1.0, 0.02, 0.0005)
    assert fit.speed_up(4) == pytest.approx(4 / 1.066)
    assert fit.peak == pytest.approx(math.sqrt(0.98 / 0.0005))
    assert fit.speed_up(fit.peak) > fit.speed_up(fit.peak - 1)
    assert fit.speed_up(fit.peak) > fit.speed_up(fit.peak + 1)


def test_the_serial_fraction_of_amdahls_law_is_its_serial_part() -> None:
    """A serial part of 0.1 in Amdahl's law gives a serial fraction of 0.1 for every number."""
    for number in (2, 4, 8, 1000):
        amdahl = 1 / (0.1 + 0.9 / number)
        assert serial_fraction(amdahl, number) == pytest.approx(0.1)
    assert serial_fraction(4.0, 4) == pytest.approx(0.0)
    assert serial_fraction(1.0, 4) == pytest.approx(1.0)
    assert serial_fraction(5.0, 4) is not None
    assert serial_fraction(1.0, 1) is None


@given(st.integers(0, 10_000))
def test_three_percent_of_noise_moves_the_optimum_by_less_than_half(seed: int) -> None:
    noise = random.Random(seed)
    true_model = ChunkFit(2, 2.0, 0.002, 8.0)
    points = [(n, true_model.time_s(n) * noise.uniform(0.97, 1.03)) for n in CHUNKS]
    fit = fit_chunks(points, 2)
    assert fit is not None
    assert fit.optimal_chunks == pytest.approx(true_model.optimal_chunks, rel=0.5)
    assert fit.r_squared is not None
    assert fit.r_squared > 0.95


@given(st.integers(0, 10_000))
def test_three_percent_of_noise_changes_speed_ups_by_less_than_a_tenth(seed: int) -> None:
    noise = random.Random(seed)
    true_model = ScalabilityFit(0.1, 0.05, 0.002)
    points = [(n, noise.uniform(0.97, 1.03) / true_model.throughput(n)) for n in HOSTS]
    fit = fit_scalability(points)
    assert fit is not None
    assert fit.speed_up(32) == pytest.approx(true_model.speed_up(32), rel=0.1)


@given(st.lists(st.tuples(st.integers(1, 2000), st.floats(1e-4, 1e4)), min_size=3, max_size=12))
def test_no_fitted_parameter_is_negative(points: list[tuple[int, float]]) -> None:
    assume(len({n for n, _ in points}) >= 3)
    fit, scalability = fit_chunks(points, 2), fit_scalability(points)
    assert fit is not None
    assert scalability is not None
    assert min(fit.work_s, fit.overhead_s, fit.imbalance_s) >= 0
    assert min(scalability.sigma, scalability.kappa) >= 0
    assert scalability.rate > 0


def test_superlinear_speed_ups_are_fitted_as_linear() -> None:
    fit = fit_scalability([(1, 8.0), (2, 3.5), (4, 1.5), (8, 0.7)])
    assert fit is not None
    assert (fit.sigma, fit.kappa, fit.peak) == (0.0, 0.0, math.inf)
    assert fit.to_json()["peak"] is None


def test_times_that_grow_from_the_start_have_their_peak_at_one() -> None:
    fit = fit_scalability([(1, 1.0), (2, 1.3), (4, 1.45)])
    assert fit is not None
    assert fit.sigma > 1
    assert fit.peak == 1.0


def test_chunks_without_overhead_have_no_optimal_number() -> None:
    fit = fit_chunks([(n, 1.0 + 2.0 / n) for n in CHUNKS], 2)
    assert fit is not None
    assert fit.overhead_s == pytest.approx(0.0, abs=1e-9)
    assert fit.optimal_chunks is None or fit.optimal_chunks > max(CHUNKS)


def test_equal_times_give_a_constant_fit_without_r_squared() -> None:
    fit = fit_chunks([(n, 1.0) for n in CHUNKS], 2)
    assert fit is not None
    assert fit.time_s(2) == pytest.approx(fit.time_s(9_998)) == pytest.approx(1.0)
    assert fit.r_squared is None


@pytest.mark.parametrize("points", [[], [(1, 1.0)], [(1, 1.0), (2, 0.6)], [(1, 1.0)] * 5])
def test_fewer_than_three_different_numbers_are_not_fitted(points: list[tuple[int, float]]) -> None:
    assert fit_chunks(points, 2) is None
    assert fit_scalability(points) is None


def test_three_points_are_fitted_exactly_without_r_squared() -> None:
    fit = fit_chunks([(2, 1.5), (16, 1.1), (128, 1.4)], 2)
    assert fit is not None
    assert fit.time_s(16) == pytest.approx(1.1)
    assert fit.r_squared is None
