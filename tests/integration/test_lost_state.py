"""A local cluster whose state file is deleted or damaged does not run for ever."""

import shutil
from pathlib import Path

from poolrace.producer.cluster.state import STATE_FILE
from tests.conftest import CommandLine, wait_until
from tests.integration.test_cluster import processes_of, state


def test_a_cluster_ends_when_its_state_directory_is_deleted(tmp_path: Path) -> None:
    """Its directory may have any UTF-8 name, and its Flower the prefix of a proxy."""
    directory = tmp_path / "100% (ü) 'a\" %(b)s"
    directory.mkdir()
    with CommandLine(directory, {"FLOWER_URL_PREFIX": "monitor"}) as producer:
        answer = producer("up", "--pool", "solo")
        assert answer.code == 0, answer.err
        cluster = state(producer)
        assert f"Flower: {cluster.flower_url} " in answer.out
        assert str(cluster.flower_url).endswith("/monitor")
        shutil.rmtree(directory / ".poolrace")
        wait_until(lambda: not processes_of(cluster))
        assert producer("down").code == 0


def test_down_stops_a_cluster_whose_state_file_is_damaged(producer: CommandLine) -> None:
    assert producer("up", "--pool", "solo").code == 0
    cluster = state(producer)
    (Path(cluster.directory) / STATE_FILE).write_text("{")
    assert producer("status").code == 3
    assert "is stopped" in producer("down").out
    assert processes_of(cluster) == []
    assert list(producer.directory.iterdir()) == []
