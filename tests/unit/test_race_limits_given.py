"""Races that use up the memory or the executions that their options allow."""

from dataclasses import replace

from poolrace.producer.analysis.race_verdict import judge
from poolrace.producer.race.no_verdict import all_failed
from poolrace.producer.race.requests import Progress
from poolrace.producer.reports.formats import text
from poolrace.producer.results.candidate import SOLO
from tests.unit.made_up_machines import OPTIONS
from tests.unit.made_up_races import THREADS, base, lap, race


def test_a_race_of_which_all_but_one_exceed_the_memory_limit_needs_no_more_time() -> None:
    large = [lap(THREADS, kind, 1, items_per_s=120.0, peak_memory_bytes=2**31)
             for kind in ("search", "final")]  # fmt: skip
    raced = race(
        [*base(), *large, lap(SOLO, "final", 1, items_per_s=80.0)],
        ended={"prefork": "memory", "threads": "memory"},
        left_out={str(THREADS): "memory"}, max_memory_bytes=2**30, budget_s=30.0,
    )  # fmt: skip
    verdict = judge(raced)
    assert (verdict.complete, verdict.compared, verdict.tied) == (True, False, [])
    assert verdict.recommended.candidate == SOLO
    report = text.render(raced)
    for words in ("solo was compared with no other candidate", "Run: celery"):
        assert words in report
    for words in ("with more time", "too few", "the fastest"):
        assert words not in report
    too_large = "because its workers need more memory than the memory limit"
    assert f"prefork was not measured, {too_large}" in report
    assert f"threads:2 was left out, {too_large}" in report
    assert "threads: concurrency was not raised further, because more slots would" in report


def test_executions_that_the_warm_up_uses_up_are_named() -> None:
    progress = Progress(replace(OPTIONS, max_executions=1))
    progress.executions = 1
    nothing = lap(SOLO, "base", 1, items=0, items_per_s=0.0)
    error = all_failed(replace(OPTIONS, max_executions=1), [nothing], progress)
    assert str(error).endswith("--max-executions 1 is used up by the warm-up; raise it")
    assert "the task seems to set the clock" in str(all_failed(OPTIONS, [nothing], progress))
