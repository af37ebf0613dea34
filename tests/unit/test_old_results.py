"""Files that poolrace 0.1.0 has written are still read, and rendered in every format."""

import json
from pathlib import Path

import pytest

from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import FORMAT, Results, load, save
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Lap, Race
from poolrace.workers.errors import UsageError

FILES = sorted((Path(__file__).parents[1] / "data" / "version_0_1_0").glob("*.json"))
"""Results files that the commands of poolrace 0.1.0 have written on two cores."""

NEW_FIELDS = {
    "run": ("utilisation",),
    "record": ("sent_s", "cpu_s", "waited_s"),
    "lap": ("at_s", "waiting_quantiles_s", "running_quantiles_s"),
}
"""Fields that format 5 added to each kind of data, and that are ``None`` in older files."""


@pytest.fixture(name="path", params=FILES, ids=lambda path: path.stem)
def _path(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def laps_of(results: Results) -> list[Lap]:
    if isinstance(results, PoolMap):
        return [map_lap.lap for map_lap in results.laps]
    return list(results.laps) if isinstance(results, Race) else []


def test_there_is_a_file_of_each_command() -> None:
    assert [path.stem for path in FILES] == ["compare", "map", "race", "scale", "sweep"]


def test_an_old_file_has_all_of_its_values_and_none_of_the_new_fields(path: Path) -> None:
    stored, results = json.loads(path.read_text()), load(path)
    assert (stored["format"], stored["environment"]["versions"]["poolrace"]) == (4, "0.1.0")
    assert results.invocation == ""
    for lap in laps_of(results):
        assert all(getattr(lap, field) is None for field in NEW_FIELDS["lap"])
    for run in results.runs if isinstance(results, Comparison) else ():
        assert all(getattr(run, field) is None for field in NEW_FIELDS["run"])
        for record in run.records:
            assert all(getattr(record, field) is None for field in NEW_FIELDS["record"])
            assert record.mark == ""
    loaded = json.loads(json.dumps(results.to_json()))
    assert contains(loaded, {**stored, "format": None, "kind": None})


def contains(loaded: object, stored: object) -> bool:
    """Whether each stored value was loaded; format and kind of the file are no part of it."""
    if isinstance(stored, dict) and isinstance(loaded, dict):
        return all(
            value is None or contains(loaded.get(name), value) for name, value in stored.items()
        )
    if isinstance(stored, list) and isinstance(loaded, list):
        return len(stored) == len(loaded) and all(map(contains, loaded, stored))
    return loaded == stored


@pytest.mark.parametrize("name", FORMATS)
def test_an_old_file_is_rendered(path: Path, name: str) -> None:
    if (path.stem, name) == ("map", "trace"):
        with pytest.raises(UsageError, match="a map has no trace"):
            FORMATS[name](load(path))
    else:
        assert FORMATS[name](load(path))


def test_an_old_file_that_is_saved_again_has_the_new_format(path: Path, tmp_path: Path) -> None:
    results = load(path)
    save(results, tmp_path / "new.json")
    assert json.loads((tmp_path / "new.json").read_text())["format"] == FORMAT
    assert load(tmp_path / "new.json") == results
