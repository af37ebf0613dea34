"""Contenders that one process measures in turn, with tiny sizes: values and lengths of lists."""

import pytest

from benchmarks.hosts import host_seconds
from benchmarks.measuring import measure_once
from poolrace.producer.cluster.lifecycle import temporary
from poolrace.producer.settings import Settings


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("pairs", {"seed", "prefork", "processes"}),
        ("demo", {"prefork", "processes"}),
        ("cpu", {"poolrace", "bare kernel"}),
    ],
)
def test_contenders_in_turn_have_a_time_for_each_round(command: str, names: set[str]) -> None:
    values = measure_once([command, "--stop", "1000000", "--repeat", "2"])
    assert set(values) == names
    assert all(len(times) == 2 and min(times) > 0 for times in values.values())


def test_commands_in_turn_have_a_time_for_each_round() -> None:
    values = measure_once(["commands", "--repeat", "2"])
    assert set(values) == {"--help", "run"}
    assert all(len(times) == 2 and min(times) > 0 for times in values.values())


def test_numbers_of_hosts_in_turn_have_host_seconds_for_each_round() -> None:
    with temporary(Settings(), {"prefork": 1}, hosts=2) as cluster:
        settings = Settings(broker_url=cluster.broker_url, lasting=False)
        values = host_seconds(settings, (1, 2), 10_000, 2)
    assert set(values) == {"hosts 1", "hosts 2"}
    assert all(len(seconds) == 2 and min(seconds) > 0 for seconds in values.values())


def test_a_simulation_has_its_real_seconds_and_slots_per_second() -> None:
    values = measure_once(["simulation", "--hosts", "20", "--slots", "16"])
    assert values["slots_per_s"] == [pytest.approx(320 / values["elapsed_s"][0])]
