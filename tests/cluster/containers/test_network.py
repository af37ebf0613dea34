"""Two hosts, and a network fault of one of them: disconnected, or with lost packets."""

import pytest
from pytest_celery import CeleryTestSetup

from poolrace.workers.pools import POOLS
from tests.cluster.conftest import docker
from tests.cluster.containers.packets import dropping
from tests.cluster.containers.runs import hosts_of, in_the_middle, name_of, wait_until_silent
from tests.run_in_thread import Progress, assert_exact, has_event

pytestmark = [pytest.mark.timeout(400), pytest.mark.usefixtures("tools")]


@hosts_of("prefork", "gevent")
def test_a_host_disconnected_for_a_while_comes_back(
    celery_setup: CeleryTestSetup,
) -> None:
    cut, _ = celery_setup.worker_cluster
    [network] = cut.container.attrs["NetworkSettings"]["Networks"]
    with in_the_middle(celery_setup, seconds=16) as progress:
        docker("network", "disconnect", network, cut.container.id)
        wait_until_silent(celery_setup, cut, for_s=5.0)
        docker("network", "connect", network, cut.container.id)
    assert_came_back(progress, name_of(cut))


@pytest.mark.parametrize("chains", [["INPUT"], ["OUTPUT"], ["INPUT", "OUTPUT"]], ids=str)
@hosts_of("threads", "gevent")
def test_a_host_whose_packets_are_lost_for_a_while_comes_back(
    chains: list[str], celery_setup: CeleryTestSetup
) -> None:
    """In one direction or both: connections stall without an error."""
    cut, _ = celery_setup.worker_cluster
    with in_the_middle(celery_setup, seconds=20) as progress, dropping(cut.container.id, chains):
        wait_until_silent(celery_setup, cut, for_s=5.0)
    assert_came_back(progress, name_of(cut))


@hosts_of(*POOLS)
def test_a_run_is_exact_on_a_host_that_loses_every_fifth_packet(
    celery_setup: CeleryTestSetup,
) -> None:
    lossy, _ = celery_setup.worker_cluster
    with (
        dropping(lossy.container.id, ["INPUT", "OUTPUT"], part=0.2),
        in_the_middle(celery_setup, seconds=8) as progress,
    ):
        pass
    assert_exact(progress.run())


def assert_came_back(progress: Progress, name: str) -> None:
    run = progress.run()
    assert_exact(run)
    assert has_event(run, f"{name} stopped responding")
    assert has_event(run, f"{name} responds again") or has_event(run, f"{name} was restarted")
