"""The law of the peers: each sums exactly, and nothing that it started runs afterwards."""

import pytest

from benchmarks.measuring import once
from benchmarks.peers import PEERS, WAITING, Entry, peer_named
from benchmarks.work import cut, expected, run
from poolrace.workers.errors import ClusterError, UsageError


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_is_installed_exact_and_leaves_nothing_running(name: str) -> None:
    assert PEERS[name].missing is None
    values = once(["peer", name, "--stop", "10000", "--chunks", "30", "--times", "2"])
    assert len(values["elapsed_s"]) == 2
    assert all(seconds > 0 for seconds in values["elapsed_s"])


@pytest.mark.parametrize("name", WAITING)
def test_a_peer_that_waits_is_exact_too_and_waits_for_all_at_once(name: str) -> None:
    [seconds] = once(["peer", name, "--waiting", "--stop", "200", "--chunks", "200"])["elapsed_s"]
    assert 0.1 <= seconds < 20.0


@pytest.mark.parametrize("chunks", [None, 7])
def test_a_peer_without_chunks_of_its_own_gets_halves(chunks: int | None) -> None:
    edges = cut(100, chunks or 2)
    assert len(edges) == (chunks or 2)
    assert sum(run("add", *bounds) for bounds in edges) == expected(100)


def test_a_peer_that_is_not_installed_is_named_with_the_way_to_get_it() -> None:
    entry = Entry("Nothing", "nothing:Nothing", "not at all", "poolrace-has-no-such-package")
    assert entry.missing == 'poolrace-has-no-such-package is not installed; pip install ".[bench]"'


def test_an_unknown_peer_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="'nobody' is unknown; choose seed, poolrace"):
        peer_named("nobody")


def test_a_measurement_that_fails_says_why() -> None:
    with pytest.raises(ClusterError, match="nobody"):
        once(["peer", "nobody", "--stop", "1"])
