"""Every workload computes its expected value, for any cut into chunks."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolrace.producer.jobs.ledger import Ledger
from poolrace.workers.chunks import Chunk
from poolrace.workers.compute import compute
from poolrace.workers.errors import UsageError
from poolrace.workers.workloads import EMPTY, WORKLOADS, make_workload
from poolrace.workers.workloads.minimum import least_residue


def computed(name: str, parameters: dict[str, Any], start: int, stop: int) -> int:
    return compute(make_workload(name, parameters), Chunk(start, stop), "host").value


QUICK: dict[str, list[dict[str, Any]]] = {
    "sum": [{"kernel": "loop"}, {"kernel": "builtin"}, {"kernel": "numpy"}],
    "factorial": [{"wait_s": 0.0}],
    "minimum": [{}, {"seed": 7}, {"values": tuple(range(300, 0, -1))}],
    "mixed": [{"cpu_s": 0.0, "wait_s": 0.0}],
}
"""Parameters with which a workload takes no time, by workload."""

CASES = [(name, parameters) for name in WORKLOADS for parameters in QUICK[name]]


@pytest.mark.parametrize(("name", "parameters"), CASES)
@given(data=st.data())
def test_the_computed_value_is_the_expected_one_for_any_cut(
    name: str, parameters: dict[str, Any], data: st.DataObject
) -> None:
    workload = make_workload(name, parameters)
    start = data.draw(st.integers(0, 200), "start")
    stop = data.draw(st.integers(start + 1, start + 100), "stop")
    middle = data.draw(st.integers(start + 1, stop), "middle")
    ledger = Ledger(start, stop, workload.merge())
    for chunk in (Chunk(start, middle), Chunk(middle, stop)):
        if len(chunk):
            ledger.add(chunk, compute(workload, chunk, "host").value)
    assert ledger.complete
    assert ledger.value == workload.expected(start, stop)


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_the_partial_of_an_empty_chunk_is_0(name: str, parameters: dict[str, Any]) -> None:
    assert computed(name, parameters, 5, 5) == EMPTY == 0


@pytest.mark.parametrize(("name", "parameters"), CASES)
@given(bounds=st.lists(st.integers(0, 20_000), min_size=3, max_size=3))
def test_the_cost_of_a_range_is_the_sum_of_the_costs_of_its_parts(
    name: str, parameters: dict[str, Any], bounds: list[int]
) -> None:
    cost, (start, middle, stop) = make_workload(name, parameters).cost, sorted(bounds)
    assert cost(start, start) == 0 <= cost(start, stop)
    assert cost(start, middle) + cost(middle, stop) == pytest.approx(cost(start, stop))


def test_the_cost_of_factorial_is_its_number_of_waits() -> None:
    factorial = make_workload("factorial", {"wait_s": 0.5})
    for start, stop in ((0, 1), (0, 2), (0, 3), (2, 5), (7, 40)):
        assert factorial.cost(start, stop) == len(list(factorial.steps(start, stop)))


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_a_workload_is_rebuilt_from_its_parameters(name: str, parameters: dict[str, Any]) -> None:
    workload = make_workload(name, parameters)
    assert make_workload(name, workload.parameters()) == workload


@pytest.mark.parametrize("kernel", ["loop", "builtin", "numpy"])
@pytest.mark.parametrize("start", [0, 1, 999_999, 10**12 - 3_000_000])
def test_every_kernel_of_sum_is_exact_across_its_slices(kernel: str, start: int) -> None:
    stop = start + 2_500_001
    assert computed("sum", {"kernel": kernel}, start, stop) == (start + stop - 1) * 2_500_001 // 2


def test_factorial_is_the_sum_of_the_factorials() -> None:
    assert computed("factorial", {"wait_s": 0.0}, 2, 5) == 2 + 6 + 24
    assert computed("factorial", {"wait_s": 0.0}, 0, 3) == 1 + 1 + 2


def test_a_large_factorial_is_exact() -> None:
    assert computed("factorial", {"wait_s": 0.0}, 2000, 2001) == math.factorial(2000)


def test_minimum_takes_the_given_values() -> None:
    values = {"values": (10, 4, 22, -6)}
    assert computed("minimum", values, 0, 2) == 4
    assert computed("minimum", values, 0, 4) == -6


def test_the_seed_decides_the_sequence() -> None:
    minima = {computed("minimum", {"seed": seed}, 0, 1000) for seed in range(10)}
    assert len(minima) == 10


@given(
    modulus=st.integers(1, 10**4),
    a=st.integers(0, 10**4),
    b=st.integers(0, 10**4),
    count=st.integers(1, 300),
)
def test_the_least_residue_equals_that_of_an_exhaustive_search(
    modulus: int, a: int, b: int, count: int
) -> None:
    a, b = a % modulus, b % modulus
    assert least_residue(count, modulus, a, b) == min((a * i + b) % modulus for i in range(count))


def test_the_least_residue_of_a_long_sequence_takes_no_time() -> None:
    assert least_residue(10**12, 1_000_000_007, 1_000_000_006, 5) == 0


def test_mixed_computes_and_waits_for_each_index() -> None:
    slept: list[float] = []
    mixed = make_workload("mixed", {"cpu_s": 0.002, "wait_s": 0.3})
    result = compute(mixed, Chunk(0, 5), "host", sleep=slept.append)
    assert slept == [0.3] * 5
    assert result.waited_s == pytest.approx(1.5)
    assert 0.010 <= result.cpu_s < 0.050
    assert result.busy_s == result.cpu_s + result.waited_s


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("product", {}, "unknown"),
        ("sum", {"kernel": "gpu"}, "'gpu'"),
        ("sum", {"wait_s": 1.0}, "does not take"),
        ("factorial", {"wait_s": -1.0}, "-1.0"),
        ("factorial", {"wait_s": float("nan")}, "nan"),
        ("mixed", {"cpu_s": "much"}, "much"),
        ("minimum", {"values": ("a",)}, "whole numbers"),
        ("minimum", {"values": (1,) * 10_001}, "10001"),
    ],
)
def test_invalid_parameters_are_refused(
    name: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        make_workload(name, parameters)


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_range_beyond_the_limit_is_refused(name: str) -> None:
    workload = make_workload(name, {})
    workload.check(0, workload.limit)
    with pytest.raises(UsageError, match="beyond the limit"):
        workload.check(0, workload.limit + 1)
    with pytest.raises(UsageError, match="before"):
        workload.check(5, 4)
    with pytest.raises(UsageError, match="negative"):
        workload.check(-1, 4)


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_default_range_is_valid(name: str) -> None:
    workload = make_workload(name, {})
    workload.check(workload.default_range[0], workload.default_stop())
