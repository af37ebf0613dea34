"""A command uses the given broker, else the local cluster, else no cluster."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from poolrace.producer.cluster.ports import free_port
from poolrace.producer.cluster.resolve import cluster_for, resolve
from poolrace.producer.cluster.state import STATE_FILE, Cluster, cluster_directory, write_state
from poolrace.producer.settings import Settings
from poolrace.workers.errors import ClusterError, UsageError

LOCAL = "redis://:local@127.0.0.1:1/0"
OTHER = "redis://:other@192.0.2.1:6379/0"


@pytest.fixture
def local(settings: Settings) -> Cluster:
    """A local cluster whose state file is in the state directory; none of its processes run."""
    directory = cluster_directory(settings)
    directory.mkdir(parents=True)
    cluster = Cluster(str(directory), 0, 0.0, LOCAL, {}, None, None)
    write_state(cluster)
    return cluster


def test_a_given_broker_is_used(settings: Settings) -> None:
    given = replace(settings, broker_url=OTHER, result_backend=LOCAL)
    resolved = resolve(given)
    assert resolved.exists
    assert resolved.settings == given
    assert resolved.local is None


def test_a_given_broker_goes_before_the_local_cluster(settings: Settings, local: Cluster) -> None:
    resolved = resolve(replace(settings, broker_url=OTHER))
    assert resolved.settings.broker_url == OTHER
    assert resolved.local is None


def test_a_local_cluster_is_recognized_by_its_address(settings: Settings, local: Cluster) -> None:
    assert resolve(replace(settings, broker_url=LOCAL)).local == local


def test_without_a_broker_the_local_cluster_is_used(settings: Settings, local: Cluster) -> None:
    resolved = resolve(replace(settings, result_backend=OTHER))
    assert resolved.local == local
    assert resolved.settings == replace(settings, broker_url=LOCAL)


def test_without_any_cluster_the_settings_name_none(settings: Settings) -> None:
    resolved = resolve(settings)
    assert not resolved.exists
    with pytest.raises(ClusterError, match="producer up"):
        _ = resolved.settings


def test_no_temporary_cluster_is_started_beside_a_given_broker(settings: Settings) -> None:
    given = replace(settings, broker_url=OTHER)
    with cluster_for(given, {"solo": 1}) as resolved:
        assert resolved == given


def make_up(settings: Settings, host: str, port: int) -> Settings:
    """Settings with an address that ``make up`` wrote into ``.env``."""
    url = f"redis://:secret@{host}:{port}/0"
    return replace(settings, broker_url=url, broker_from_make_up=True)


def test_a_stopped_cluster_of_make_up_is_no_cluster(settings: Settings) -> None:
    resolved = resolve(make_up(settings, "127.0.0.1", free_port()))
    assert not resolved.exists
    assert resolved.given == replace(settings, broker_from_make_up=True)


def test_a_local_cluster_replaces_a_stopped_cluster_of_make_up(
    settings: Settings, local: Cluster
) -> None:
    resolved = resolve(make_up(settings, "127.0.0.1", free_port()))
    assert resolved.settings.broker_url == LOCAL


def test_a_running_cluster_of_make_up_is_used(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        given = make_up(settings, "127.0.0.1", server.getsockname()[1])
        assert resolve(given).settings == given


def test_an_address_that_the_user_set_is_used_even_if_nothing_listens_there(
    settings: Settings,
) -> None:
    given = replace(make_up(settings, "127.0.0.1", free_port()), broker_from_make_up=False)
    assert resolve(given).settings == given


def test_an_unreadable_state_file_names_the_way_out(settings: Settings, local: Cluster) -> None:
    (Path(local.directory) / STATE_FILE).write_text("{")
    with pytest.raises(ClusterError, match="producer down"):
        resolve(settings)


def test_a_state_directory_that_is_a_file_is_named(settings: Settings) -> None:
    settings.state_dir.write_text("")
    with pytest.raises(UsageError, match="POOLRACE_STATE_DIR"):
        resolve(settings)
