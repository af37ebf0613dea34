"""A diff compares two results case by case, refuses unlike work, and names unlike machines."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from poolrace.producer.analysis.diff import Diff, compare_results
from poolrace.producer.reports.formats import FORMATS
from poolrace.producer.reports.views.view import View, view
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import Results, load
from poolrace.producer.results.pool_map import PoolMap
from poolrace.producer.results.race import Race
from poolrace.workers.errors import UsageError
from tests.unit.made_up_diffs import EXAMPLES, compared, on_machine
from tests.unit.made_up_races import GEVENT, PREFORK, THREADS, base, finals, lap, race

SAMPLES = ("compare", "sweep", "scale", "race", "map")

QUICK, SLOW = (1.0, 1.01, 0.99), (1.5, 1.51, 1.49)


def result_by_case(diff: Diff) -> dict[str, str]:
    return {case.case: case.result for case in diff.cases}


def shown(old: Results, new: Results) -> View:
    return view(compare_results(old, new))


def text_of(old: Results, new: Results) -> str:
    return str(FORMATS["text"](compare_results(old, new)))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_compared_with_itself_has_no_changed_case(name: str) -> None:
    results = load(EXAMPLES / f"{name}.json")
    diff = compare_results(results, results)
    assert len(diff.cases) >= 4
    assert {case.ratio for case in diff.cases} == {1.0}
    assert {case.result for case in diff.cases} <= {"same", "not distinguishable"}
    assert view(diff).warnings == []
    assert "Changed" not in " ".join(view(diff).findings)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("format_", ["text", "markdown", "csv", "html"])
def test_every_kind_of_results_has_a_diff_in_every_format(name: str, format_: str) -> None:
    results = load(EXAMPLES / f"{name}.json")
    diff = compare_results(results, results)
    text = str(FORMATS[format_](diff))
    assert all(case.case in text for case in diff.cases)


def test_each_case_gets_the_ratio_of_its_times_and_a_result() -> None:
    old = compared({"local:threads": QUICK, "local:processes": SLOW, "local:greenlets": QUICK})
    new = compared({"local:threads": SLOW, "local:processes": QUICK, "local:greenlets": QUICK})
    diff = compare_results(old, new)
    assert result_by_case(diff) == {
        "local:threads, 2 slots": "slower",
        "local:processes, 2 slots": "faster",
        "local:greenlets, 2 slots": "same",
    }
    assert [case.ratio for case in diff.cases] == pytest.approx([1.5, 1 / 1.5, 1.0], rel=0.01)
    assert "Slower: local:threads, 2 slots (1.50 times as long)." in view(diff).findings


def test_a_case_with_other_slots_is_another_case() -> None:
    old = compared({"local:threads": QUICK})
    more = tuple(replace(run, slots=slots) for run in old.runs for slots in (4, 8))
    new = replace(old, runs=(*old.runs, *more))
    assert shown(old, new).notes == ["only in NEW: local:threads, 4 slots; local:threads, 8 slots"]
    assert shown(new, old).notes == ["only in OLD: local:threads, 4 slots; local:threads, 8 slots"]


def test_with_one_run_each_nothing_is_distinguishable_and_the_report_says_why() -> None:
    old, new = compared({"local:threads": (1.0,)}), compared({"local:threads": (5.0,)})
    assert result_by_case(compare_results(old, new)) == {
        "local:threads, 2 slots": "not distinguishable"
    }
    assert "measure with --repeat 3 or more" in text_of(old, new)
    assert shown(old, new).cells[0][4:] == ("5.000", "-", "-", "not distinguishable")


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("compare", {"stop": 5}, "stop is 100000000 in OLD, and 5 in NEW"),
        ("compare", {"parameters": {"kernel": "numpy"}}, "parameters is --kernel loop in OLD"),
        ("compare", {"schedule": "guided"}, "schedule is auto in OLD, and guided in NEW"),
        ("compare", {"varies": "chunks"}, "producer compare, NEW from producer sweep"),
        ("scale", {"varies": "slots"}, "producer scale --hosts, NEW from producer scale --slots"),
        ("race", {"task": "tasks.other"}, "task is tasks.count_primes in OLD, and tasks.other"),
        ("race", {"items": 5}, "items is 4 in OLD, and 5 in NEW"),
        ("map", {"item_s": 0.1}, "item_s is 0.05 in OLD, and 0.1 in NEW"),
    ],
)  # fmt: skip
def test_unlike_work_is_refused(name: str, changes: dict[str, object], words: str) -> None:
    old = load(EXAMPLES / f"{name}.json")
    different = object.__new__(type(old))
    different.__dict__.update({**old.__dict__, **changes})  # the checks of a file do not matter
    with pytest.raises(UsageError) as refusal:
        compare_results(old, different)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_races_of_as_many_other_items_are_refused() -> None:
    old = race([*base(), *finals(PREFORK, 200.0)], items_digest="a")
    with pytest.raises(UsageError, match=r"the 4 item\(s\) of OLD and NEW have different arg"):
        compare_results(old, replace(old, items_digest="b"))
    assert compare_results(old, replace(old, items_digest="")).cases


def test_results_of_two_kinds_are_refused() -> None:
    with pytest.raises(UsageError, match="producer race, NEW from producer map"):
        compare_results(load(EXAMPLES / "race.json"), load(EXAMPLES / "map.json"))


def test_results_without_a_common_case_are_refused() -> None:
    old, new = compared({"local:threads": QUICK}), compared({"local:single": QUICK})
    with pytest.raises(UsageError, match="no case in common: local:threads, 2 slots in OLD"):
        compare_results(old, new)


def test_a_diff_of_unlike_machines_and_versions_names_them() -> None:
    old = compared({"local:threads": QUICK})
    new = on_machine(old, cores=64, cpu="Fast CPU", machine="other", python="CPython 3.14.1",
                     gil=False, cpu_quota=2.5)  # fmt: skip
    versions = {**new.environment.versions, "celery": "6.0", "poolrace": "9.9"}
    environment = replace(new.environment, versions=versions, commit="abcdef")
    first, second = shown(old, replace(new, environment=environment)).warnings
    assert first == (
        "unlike machines: cores 2 in OLD, 64 in NEW; CPU quota none in OLD, 2.5 in NEW;"
        " CPU AMD EPYC in OLD, Fast CPU in NEW; Python CPython 3.11.7 in OLD, CPython 3.14.1 in"
        " NEW; GIL on in OLD, off in NEW"
    )
    assert second.startswith("unlike versions: poolrace 0.3.0 in OLD, 9.9 in NEW; celery 5.7.0 in")
    assert second.endswith("commit of poolrace 548564873e76 in OLD, abcdef in NEW")


def test_another_machine_of_the_same_kind_is_named() -> None:
    old = compared({"local:threads": QUICK})
    (warning,) = shown(old, on_machine(old, machine="other")).warnings
    assert warning.startswith("other machine: OLD and NEW were measured on two machines")


def test_an_incomplete_file_and_a_wrong_value_are_named() -> None:
    old = compared({"local:threads": QUICK})
    cut = replace(old, complete=False, interruption="interrupted", planned=9)
    assert shown(old, cut).warnings == ["NEW: incomplete: 3 of 9 runs, interrupted"]
    runs = (replace(old.runs[0], exact=False), *old.runs[1:])
    wrong = shown(old, replace(old, runs=runs))
    assert not wrong.valid
    assert "NOT EXACT" in wrong.validity
    assert any(line.startswith("NEW: NOT EXACT: local:threads") for line in wrong.environment)


def test_a_race_compares_the_laps_of_its_finals_and_else_of_its_search() -> None:
    searched = [lap(THREADS, "search", n, items_per_s=90.0 + n) for n in (1, 2, 3)]
    noise = [lap(PREFORK, "search", n, items_per_s=5.0) for n in (1, 2, 3)]
    old = race([*base(), *searched, *noise, *finals(PREFORK, 200.0)])
    new = race([*base(), *searched, *finals(THREADS, 500.0), *finals(PREFORK, 100.0)])
    diff = compare_results(old, new)
    by_case = {case.case: case for case in diff.cases}
    assert by_case["prefork:2"].ratio == pytest.approx(0.5, rel=0.02)
    assert by_case["prefork:2"].time_ratio == pytest.approx(2, rel=0.02)
    assert by_case["prefork:2"].result == "slower"
    assert by_case["threads:2"].ratio == 1
    assert by_case["threads:2"].result == "same"
    assert by_case["solo"].result == "not distinguishable"


def test_a_race_says_whether_its_recommendation_changed() -> None:
    old = race([*base(), *finals(PREFORK, 200.0), *finals(GEVENT, 100.0)])
    new = race([*base(), *finals(PREFORK, 100.0), *finals(GEVENT, 200.0)])
    assert "Changed: recommended: prefork:2 in OLD, gevent:64 in NEW." in shown(old, new).findings
    assert "Recommended as before: prefork:2." in shown(old, old).findings
    tied = race([*base(), *finals(PREFORK, 200.0, peak_memory_bytes=2**30), *finals(GEVENT, 200.0)])
    assert (
        "Changed: recommended: prefork:2 in OLD, gevent:64 in NEW, which one of the files calls"
        " alike." in shown(old, tied).findings
    )
    assert shown(old, tied).figures["choices"] == [
        {"name": "recommended", "old": "prefork:2", "new": "gevent:64", "alike": True}
    ]


def test_a_race_without_a_verdict_recommends_nothing() -> None:
    old = race([*base(), *finals(PREFORK, 200.0), *finals(GEVENT, 100.0)])
    new = race(
        [*base(), *(lap(PREFORK, "search", n) for n in (1, 2, 3))],
        left_out={"gevent:64": "time"}, complete=False, interruption="interrupted",
    )  # fmt: skip
    assert "Changed: recommended: prefork:2 in OLD, none in NEW." in shown(old, new).findings
    assert "Neither file recommends a candidate." in shown(new, new).findings


def test_a_diff_whose_cases_have_too_few_values_shows_nothing_with_confidence() -> None:
    few = race([*base(), *(lap(PREFORK, "search", n) for n in (1, 2))])
    assert (
        "no case is judged: that needs at least 3 values in each file" in shown(few, few).validity
    )
    enough = race([*base(), *(lap(PREFORK, "search", n) for n in (1, 2, 3))])
    assert "for all 1 judged" in shown(enough, enough).validity


def test_a_candidate_that_completed_no_item_is_not_compared() -> None:
    old = race([*base(), *finals(PREFORK, 200.0), *finals(GEVENT, 100.0)])
    failed = [lap(GEVENT, "final", n, items=0, items_per_s=0.0, failures={"Error": 9})
              for n in (1, 2, 3)]  # fmt: skip
    content = shown(old, race([*base(), *finals(PREFORK, 200.0), *failed]))
    assert [row[0] for row in content.cells] == ["solo", "prefork:2"]
    assert content.notes == ["not compared: gevent:64 in NEW, where no item of a lap succeeded"]


def test_a_busy_machine_is_named() -> None:
    old = race([*base(), *finals(PREFORK, 200.0), *finals(GEVENT, 100.0)])
    assert shown(old, replace(old, cores_left=0.4)).warnings == [
        "busy machine: other processes left 0.4 of 2 cores while NEW was measured"
    ]


def test_a_busy_machine_is_named_where_one_computing_thread_shows_it() -> None:
    old = compared({"local:single": QUICK})
    old = replace(old, runs=tuple(replace(run, cpu_s=run.elapsed_s) for run in old.runs))
    new = replace(old, runs=tuple(replace(run, elapsed_s=2 * run.cpu_s) for run in old.runs))
    assert shown(old, old).warnings == []
    assert shown(old, new).warnings == [
        "busy machine: local:single had a core for 50% of its time in NEW"
    ]


@pytest.mark.parametrize("extreme", [1e-9, 1e12])
@pytest.mark.parametrize("format_", ["text", "markdown", "csv", "html"])
def test_the_smallest_and_the_largest_times_of_a_file_can_be_compared(
    extreme: float, format_: str
) -> None:
    old = compared({"local:threads": (extreme, 1.0, 1 / extreme), "local:single": QUICK})
    new = compared({"local:threads": (1 / extreme,) * 3, "local:single": (extreme,) * 3})
    diff = compare_results(old, new)
    assert "local:single" in str(FORMATS[format_](diff))
    json.dumps(view(diff).figures, allow_nan=False)


def values(figures: dict[str, object], key: str) -> Sequence[object]:
    cases = figures["cases"]
    assert isinstance(cases, list)
    return [case[key] for case in cases]


def test_the_figures_are_not_rounded() -> None:
    old, new = compared({"local:threads": QUICK}), compared({"local:threads": SLOW})
    figures = shown(old, new).figures
    assert values(figures, "ratio") == [pytest.approx(1.5, rel=0.01)]
    assert values(figures, "result") == ["slower"]
    assert figures["unit"] == "s"
    assert shown(race(base()), race(base())).figures["unit"] == "items/s"


def test_the_samples_are_of_all_kinds() -> None:
    kinds = {type(load(EXAMPLES / f"{name}.json")) for name in SAMPLES}
    assert kinds == {Comparison, Race, PoolMap}
