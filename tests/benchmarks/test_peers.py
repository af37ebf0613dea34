"""Every peer computes an exact sum, and leaves no process running."""

import pytest

from benchmarks.measuring import measure_once
from benchmarks.peers import PEERS, WAITING, Entry, peer_named
from benchmarks.work import cut, expected, run
from poolrace.workers.errors import ClusterError, UsageError


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_is_installed_exact_and_leaves_nothing_running(name: str) -> None:
    assert PEERS[name].missing is None
    values = measure_once(["peer", name, "--stop", "10000", "--chunks", "30", "--times", "2"])
    assert len(values["elapsed_s"]) == 2
    assert all(seconds > 0 for seconds in values["elapsed_s"])


@pytest.mark.parametrize("name", WAITING)
def test_a_waiting_peer_is_exact_and_waits_for_all_indices_at_once(name: str) -> None:
    [seconds] = measure_once(["peer", name, "--waiting", "--stop", "200", "--chunks", "200"])[
        "elapsed_s"
    ]
    assert 0.1 <= seconds < 20.0


@pytest.mark.parametrize("chunks", [2, 7])
def test_the_chunks_of_a_cut_add_up_to_the_range(chunks: int) -> None:
    ranges = cut(100, chunks)
    assert len(ranges) == chunks
    assert sum(run("add", *bounds) for bounds in ranges) == expected(100)


def test_a_peer_that_is_not_installed_is_reported_with_the_command_to_install_it() -> None:
    entry = Entry("Nothing", "nothing:Nothing", "not at all", "poolrace-has-no-such-package")
    assert entry.missing == 'poolrace-has-no-such-package is not installed; pip install ".[bench]"'


def test_an_unknown_peer_is_refused_with_the_known_names() -> None:
    with pytest.raises(UsageError, match="'nobody' is unknown; choose seed, poolrace"):
        peer_named("nobody")


def test_a_failed_measurement_raises_its_last_error_line() -> None:
    with pytest.raises(ClusterError, match="nobody"):
        measure_once(["peer", "nobody", "--stop", "1"])
