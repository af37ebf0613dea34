"""``producer scale --simulate`` on real workers."""

import time

import pytest

from tests.conftest import CommandLine

WAITING = ("mixed", "--stop", "200", "--cpu-s", "0", "--wait-s", "0.01", "--pool", "threads")


@pytest.mark.timing
def test_the_simulation_predicts_one_and_two_real_hosts(producer: CommandLine) -> None:
    answer = producer(
        "scale", *WAITING, "--repeat", "3", "--hosts", "1,2", "--simulate", "1,2", "--json"
    )
    assert answer.code == 0, answer.err
    real = answer.json()["figures"]["real"]
    assert [each["hosts"] for each in real] == [1, 2]
    assert all(abs(each["error"]) < 0.2 for each in real), real


def test_more_slots_than_can_be_simulated_are_refused_before_anything_starts(
    producer: CommandLine,
) -> None:
    answer = producer("scale", *WAITING, "--simulate", "1,1000000")
    assert answer.code == 2
    assert "at most 200,000 can be simulated" in answer.err


@pytest.mark.timing
def test_more_chunks_than_can_be_simulated_are_refused_before_anything_starts(
    producer: CommandLine,
) -> None:
    options = ("--stop", "1000000000", "--pool", "threads", "--simulate", "2", "--chunk-size", "10")
    began = time.monotonic()
    answer = producer("scale", "sum", *options)
    assert answer.code == 2
    assert "has 200,000,000 chunks or more; at most 2,000,000 can be simulated" in answer.err
    assert time.monotonic() - began < 5  # a calibration takes longer


@pytest.mark.parametrize(
    "options", [("--simulate", "0"), ("--simulate", "2", "--slots-per-host", "0")]
)
def test_zero_hosts_or_slots_are_refused(options: tuple[str, ...], producer: CommandLine) -> None:
    answer = producer("scale", *WAITING, *options)
    assert answer.code == 2
    assert "0 is too small; give 1 or more" in answer.err
