"""The laws of races, their table, and the comparison with an earlier benchmark."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.race.laws import Law, laws_of
from benchmarks.race.races import read_verdict
from benchmarks.race.results import (
    RaceBenchmark,
    RacedApp,
    RaceRun,
    load,
    newest_comparable,
    save,
)
from benchmarks.race.table import changes, compare, render
from poolrace.producer.results.candidate import Candidate
from poolrace.workers.errors import UsageError
from tests.benchmarks.conftest import FACTS

BEST = Candidate("threads", 64, 2)
APPS = {
    name: RacedApp(
        computes=computes,
        limits=[limit],
        item_s=item_s,
        best=BEST,
        best_items_per_s=800.0,
        oracle_made_at="2026-01-01T00:00:00+00:00",
        unfinished=0,
    )
    for name, computes, limit, item_s in (
        ("sleeping", False, "worker", 0.0999),
        ("http", False, "waiting", 0.05),
        ("hashing", True, "cpu", 0.02),
    )
}
GOOD = RaceRun(
    app="sleeping",
    round=1,
    elapsed_s=20.0,
    recommended=BEST,
    limited_by="worker",
    complete=True,
    distinguishable=True,
    executions=4000,
    regret=0.05,
    memory_ratio=1.2,
)


def benchmark(
    *changed: dict[str, Any], made_at: str = "2026-01-02T00:00:00+00:00", busy: bool = False
) -> RaceBenchmark:
    """Five good races of each app, of which the first of ``sleeping`` are changed."""
    runs = [
        replace(GOOD, app=name, limited_by=app.limits[0], round=number)
        for name, app in APPS.items()
        for number in range(1, 6)
    ]
    runs[: len(changed)] = [
        replace(run, **values) for run, values in zip(runs, changed, strict=False)
    ]
    return RaceBenchmark(
        made_at=made_at,
        quick=False,
        busy=busy,
        environment={"hosts": [FACTS.to_json()], "versions": {}, "commit": "abc"},
        apps=APPS,
        left_out={},
        runs=runs,
    )


def broken(measured: RaceBenchmark) -> list[Law]:
    return [law for law in laws_of(measured) if not law.kept]


def test_good_races_keep_all_laws() -> None:
    assert not broken(benchmark())
    assert not broken(benchmark(busy=True))


@pytest.mark.parametrize(
    ("change", "title", "value"),
    [
        ({"regret": 0.11}, "regret", "in 93.3%"),
        ({"regret": 0.26}, "greatest regret", "26.0%"),
        ({"memory_ratio": 1.6}, "memory / leanest as fast", "1.60"),
        ({"executions": 5001}, "executions, items of 0.1 s and more", "5,001"),
        ({"limited_by": "waiting"}, "limited_by", "14 of 15"),
        ({"complete": False}, "complete", "14 of 15"),
        ({"error": "no worker starts"}, "command succeeds", "14 of 15"),
    ],
)
def test_one_race_beyond_a_limit_breaks_the_law_and_its_app_is_named(
    change: dict[str, Any], title: str, value: str
) -> None:
    [law] = [law for law in broken(benchmark(change)) if law.title == title]
    assert (law.value, law.apps) == (value, ("sleeping",))


def test_one_race_in_twenty_may_have_a_regret_above_ten_percent() -> None:
    measured = benchmark({"regret": 0.2})
    more = replace(
        measured, runs=[*measured.runs, *(replace(GOOD, round=number) for number in range(6, 11))]
    )
    assert len(more.runs) == 20
    assert not broken(more)


def test_a_race_that_recommends_nothing_misses_all_of_the_speed() -> None:
    laws = broken(benchmark({"recommended": None, "regret": None, "memory_ratio": None}))
    assert {law.title for law in laws} == {"regret", "greatest regret"}


def test_the_median_of_the_apps_and_each_cpu_bound_app_have_a_time_of_their_own() -> None:
    slow = benchmark()
    computing = replace(
        slow,
        runs=[replace(run, elapsed_s=31.0) if run.app == "hashing" else run for run in slow.runs],
    )
    [law] = broken(computing)
    assert law.title == "time to the verdict, slowest CPU-bound app"
    assert (law.value, law.apps) == ("31.0 s", ("hashing",))
    waiting = replace(
        slow,
        runs=[replace(run, elapsed_s=46.0) if run.app != "hashing" else run for run in slow.runs],
    )
    [law] = broken(waiting)
    assert law.title == "time to the verdict, median of the apps"
    assert law.apps == ("sleeping", "http")


def test_executions_are_limited_where_an_item_takes_long_enough() -> None:
    measured = benchmark()
    short = [replace(run, executions=9000) if run.app == "http" else run for run in measured.runs]
    assert not broken(replace(measured, runs=short))


def test_beside_a_busy_process_a_race_may_say_that_it_cannot_tell() -> None:
    unclear = {"regret": 0.5, "crowded": True, "distinguishable": False}
    assert not broken(benchmark(*[unclear] * 5, busy=True))
    [law] = broken(benchmark(*[{**unclear, "distinguishable": True}] * 2, busy=True))
    assert (law.title, law.apps) == ("regret", ("sleeping",))
    [law] = broken(benchmark(*[{**unclear, "crowded": False}] * 2, busy=True))
    assert law.value == "in 86.7%"


def test_the_verdict_of_the_command_is_read() -> None:
    verdict = {
        "recommended": BEST.to_json(),
        "limited_by": "cpu",
        "complete": True,
        "distinguishable": False,
        "crowded": True,
        "executions": 12,
        "candidates": [{**BEST.to_json(), "items_per_s": 700.0}],
    }
    run = read_verdict("http", 2, 30.0, verdict)
    assert (run.recommended, run.limited_by, run.crowded) == (BEST, "cpu", True)
    assert run.speeds == {str(BEST): 700.0}
    without = read_verdict("http", 2, 30.0, {**verdict, "recommended": None, "limited_by": None})
    assert (without.recommended, without.limited_by) == (None, "")


def test_the_table_shows_each_app_and_each_law_with_the_apps_beyond_it() -> None:
    text = render(benchmark({"regret": 0.26, "limited_by": "cpu"}))
    assert (
        "| sleeping | 2 x threads:64 | 800 | 2 x threads:64 | 5.0% | 26.0% | 1.20 | 20.0 s |"
        " 4,000 | worker (4), cpu (1) | 4 of 5 | 5 of 5 | 5 of 5 |" in text
    )
    assert "| greatest regret | <= 25% | 26.0% | no | sleeping |" in text
    assert "| complete | every race | 15 of 15 | yes | - |" in text
    assert text.endswith(
        "5 race(s) per app: 2 cores, a CPU, Linux 6.1, CPython 3.11.7, commit abc\n"
    )


def test_apps_without_an_oracle_are_named() -> None:
    text = render(replace(benchmark(), left_out={"django_project": "no module named django"}))
    assert "- django_project: no module named django" in text


def test_stored_races_are_read_back_and_the_newest_comparable_ones_are_found(
    tmp_path: Path,
) -> None:
    days = [f"2026-01-0{day}T00:00:00+00:00" for day in (1, 2, 3)]
    for day in days:
        save(benchmark(made_at=day), tmp_path)
    save(benchmark(made_at="2026-01-04T00:00:00+00:00", busy=True), tmp_path)
    now = benchmark(made_at="2026-01-05T00:00:00+00:00")
    assert load(save(now, tmp_path)) == now
    assert newest_comparable(tmp_path, now) == benchmark(made_at=days[2])
    other = replace(now, environment={"hosts": [{**FACTS.to_json(), "cores": 64}]})
    assert newest_comparable(tmp_path, other) is None


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"format": 1, "kind": "races"}'])
def test_a_file_without_races_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"file\.json"):
        load(path)


def test_five_races_that_all_have_more_regret_are_more_and_fewer_are_not_distinguishable() -> None:
    assert compare([0.01, 0.02, 0.03, 0.04, 0.05], [0.06, 0.07, 0.08, 0.09, 0.1]) == "more"
    assert compare([0.06, 0.07, 0.08, 0.09, 0.1], [0.01, 0.02, 0.03, 0.04, 0.05]) == "less"
    assert compare([0.01, 0.02, 0.03, 0.04, 0.07], [0.06, 0.07, 0.08, 0.09, 0.1]) == (
        "not distinguishable"
    )
    assert compare([0.01] * 4, [0.5] * 4) == "not distinguishable"


def test_the_changes_name_the_earlier_benchmark() -> None:
    text = changes(benchmark(made_at="2026-01-01T00:00:00+00:00"), benchmark())
    assert "| app | regret 2026-01-01T00:00:00+00:00 | now |" in text
    assert "| http | 5.0% | 5.0% | not distinguishable | 20.0 s | 20.0 s |" in text
