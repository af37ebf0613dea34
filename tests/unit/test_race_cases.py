"""The report of every combination of cases, and pairs of sentences that exclude each other."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from poolrace.producer.analysis.race_gaps import Gaps
from poolrace.producer.analysis.race_limit import LIMITS, Evidence, advise
from poolrace.producer.analysis.race_verdict import Verdict, judge
from poolrace.producer.reports.views.race_cases import CASES, findings, proof
from poolrace.producer.results.candidate import SOLO, Candidate
from tests.unit.made_up_races import GEVENT, MIB, PREFORK, THREADS, base, finals, lap, race
from tests.unit.test_race_limits import RACES

GAPS = {
    "none": Gaps(),
    "never measured": Gaps(never_measured={"gevent": "time"}),
    "unfinished": Gaps(unfinished={"threads": "executions"}),
    "few rounds": Gaps(rounds=1),
    "nothing": Gaps(never_measured={"prefork": "time", "threads": "time"}, rounds=0),
}

EXCLUDING = {
    "more slots help, and do not": (
        r"[Mm]ore slots(?! would exceed)(?! only)[^.;]* would raise",
        r"more slots would not|More slots only",
    ),
    "more slots do not help, and take cores from others": (
        r"more slots[^.;]* would not",
        r"More slots only take",
    ),
    "the fastest, and not distinguishable": (r"\S+:\d+ is the fastest:", r"not distinguishable"),
    "the fastest, and incomplete": (r"is the fastest", r"[Ii]ncomplete"),
    "distinguishable, and incomplete": (r"(?m)^distinguishable", r"[Ii]ncomplete"),
    "distinguishable, and not": (r"(?m)^distinguishable", r"not distinguishable"),
    "a recommendation, and no verdict": (
        r"\d is recommended|Run:|In the app:",
        r"no verdict|Nothing is recommended",
    ),
    "the fastest, and compared with none": (
        r"is the fastest|least memory|(?m:^distinguishable)",
        r"compared with no other|no other candidate",
    ),
    "a limit, and no verdict": (r"Limited by", r"no verdict"),
    "two limits": (r"Limited by", r"Limited by.*Limited by"),
}
"""Two patterns of which a report may match only one."""


def verdicts() -> Iterator[Verdict]:
    """A verdict for each combination of the things that choose the sentences."""
    flags = product((False, True), repeat=4)
    for rule, gaps, (tied, compared, busy, interrupted) in product(LIMITS, GAPS.values(), flags):
        one = judge(RACES[rule.limit])
        raced = replace(
            RACES[rule.limit], cores_left=0.4 if busy else 1.9, budget_s=60.0,
            interruption="interrupted" if interrupted else "",
        )  # fmt: skip
        rows = [row for row in one.summaries if row != one.fastest]
        evidence = Evidence(
            raced, [one.fastest], one.recommended, one.blocking, one.saturation, one.waiting_share
        )
        yield replace(
            one, race=raced, gaps=gaps, compared=compared, tied=rows if tied else [],
            advice=advise(rule.limit, evidence), limited_by=rule.limit,
            recommended=one.recommended if tied else one.fastest,
        )  # fmt: skip


@pytest.fixture(scope="module")
def reports() -> list[tuple[Verdict, str]]:
    found = []
    for verdict in verdicts():
        lines = [proof(verdict), *findings(verdict)]
        assert all(lines)
        found.append((verdict, "\n".join(lines)))
    assert len(found) == len(LIMITS) * len(GAPS) * 2**4
    return found


@pytest.mark.parametrize("pair", EXCLUDING)
def test_no_report_has_two_sentences_that_exclude_each_other(
    pair: str, reports: list[tuple[Verdict, str]]
) -> None:
    first, second = (re.compile(pattern, re.DOTALL) for pattern in EXCLUDING[pair])
    both = [text for _, text in reports if first.search(text) and second.search(text)]
    assert both == []
    if pair != "two limits":
        assert any(first.search(text) for _, text in reports)
        assert any(second.search(text) for _, text in reports)


def test_no_report_speaks_of_idle_cores_on_a_busy_machine(
    reports: list[tuple[Verdict, str]],
) -> None:
    """Cores that the workers do not need are used by other processes there."""
    busy = [text for verdict, text in reports if verdict.busy_machine]
    assert busy
    assert not [text for text in busy if re.search("idle|unused|free core", text)]


def test_an_incomplete_race_says_so_and_recommends_with_a_reservation_or_not_at_all(
    reports: list[tuple[Verdict, str]],
) -> None:
    for verdict, text in reports:
        assert ("Incomplete: " in text) == (not verdict.complete)
        assert ("Run: " in text) == verdict.conclusive
        if not verdict.complete and verdict.conclusive:
            assert "with this reservation" in text


def test_nothing_is_distinguishable_that_was_compared_with_nobody(
    reports: list[tuple[Verdict, str]],
) -> None:
    for verdict, text in reports:
        assert verdict.distinguishable == (proof(verdict).startswith("distinguishable"))
        if not verdict.compared:
            assert not verdict.distinguishable
            assert verdict.to_json()["fastest"] is None
            assert "is the fastest" not in text


def first_row_not_in_finals() -> Verdict:
    searched = [lap(GEVENT, "search", 1, items_per_s=300.0)]
    return judge(race([*base(), *searched, *finals(PREFORK, 195.0), *finals(THREADS, 100.0)]))


def more_slots_by_model() -> Verdict:
    """On a busy machine, eight and sixteen slots of a task that waits 20 ms were as fast."""
    waits: dict[str, Any] = {"running_s": [0.02, 0.021, 0.022], "own_cpu_s": 0.05, "cpu_s": 0.1}
    few, many = Candidate("prefork", 8), Candidate("prefork", 16)
    laps = [
        *base(items=50, items_per_s=50.0, running_total_s=1.0, **waits),
        *finals(few, 150.0, items=150, running_total_s=3.0, **waits),
        *finals(many, 148.0, items=148, running_total_s=3.0, peak_memory_bytes=90 * MIB, **waits),
    ]
    return judge(race(laps, cores_left=0.4))


def test_a_first_row_that_was_not_in_the_finals_is_explained() -> None:
    text = "\n".join(findings(first_row_not_in_finals()))
    assert "prefork:2 is the fastest" in text
    assert "gevent:64 reached 300 items/s in the search, but was not chosen for the finals" in text


def test_more_slots_and_memory_are_not_recommended_without_a_reason() -> None:
    verdict = more_slots_by_model()
    assert verdict.fastest.candidate == Candidate("prefork", 8)
    text = "\n".join(findings(verdict))
    assert re.search(
        r"prefork:16 is recommended: .* should be \d\.\d times as fast on a quiet machine", text
    )
    assert "instead of" not in text


def more_processes_by_model() -> Verdict:
    """Something took a core in the finals: one process and two of a computing task were as fast."""
    speeds = (96.0, 101.0, 85.0, 118.0, 99.0)
    laps = [
        *base(),
        lap(PREFORK, "search", 1, items_per_s=195.0, peak_memory_bytes=90 * MIB),
        *(lap(PREFORK, "final", n, items_per_s=speed, peak_memory_bytes=90 * MIB, items=100,
              running_total_s=2.0, own_cpu_s=1.0, cpu_s=1.0) for n, speed in enumerate(speeds, 1)),
        *finals(SOLO, 100.0),
    ]  # fmt: skip
    return judge(race(laps))


def test_processes_are_not_recommended_instead_of_one_without_a_reason() -> None:
    verdict = more_processes_by_model()
    assert verdict.fastest.candidate == SOLO
    text = "\n".join(findings(verdict))
    assert re.search(
        r"prefork:2 is recommended: .* should be [12]\.\d times as fast on a quiet machine", text
    )
    assert "instead of" not in text.split("prefork:2 is recommended")[1]


def lighter_and_perhaps_slower() -> Verdict:
    """Threads, with half the memory, were slower in four of five rounds."""
    fast = finals(PREFORK, 200.0, peak_memory_bytes=100 * MIB)
    speeds = (202.0, 160.0, 170.0, 165.0, 190.0)
    light = [lap(THREADS, "final", n, items_per_s=speed) for n, speed in enumerate(speeds, 1)]
    return judge(race([*base(), *fast, *light]))


def test_a_tied_candidate_with_less_memory_is_named() -> None:
    verdict = lighter_and_perhaps_slower()
    assert [row.candidate for row in verdict.tied] == [THREADS]
    text = "\n".join(findings(verdict))
    assert (
        "threads:2 needs less memory than prefork:2, 50 MiB instead of 100 MiB; it was 15% slower,"
        " but the rounds do not confirm that." in text
    )
    assert "least memory" not in text
    assert "prefork:2 and threads:2 are not distinguishable, at 201.1, 170 items/s" in text


def fastest_beside_other_work() -> Verdict:
    """A task that computes; threads were as fast as processes, with less memory."""
    light = finals(THREADS, 199.0, peak_memory_bytes=30 * MIB)
    return judge(race([*base(), *finals(PREFORK, 200.0), *light], cores_left=0.4))


def test_the_fastest_candidate_is_recommended_beside_other_work_and_the_reason_is_said() -> None:
    text = findings(fastest_beside_other_work())
    assert (
        "prefork:2 is recommended: a busy machine hides what more cores gain on a quiet one."
        in text
    )


def test_memory_that_grows_is_not_compared_with_memory_that_does_not() -> None:
    growing = [
        replace(lap, peak_memory_bytes=20 * lap.round * MIB, items=100)
        for lap in finals(THREADS, 195.0)
    ]
    verdict = judge(race([*base(), *finals(PREFORK, 195.0, peak_memory_bytes=2**28), *growing]))
    assert (
        "prefork:2 needs the least memory (256 MiB) of all candidates within 5 % whose memory does"
        " not grow." in findings(verdict)
    )


def test_a_frugal_candidate_is_compared_by_laps_of_the_same_kind() -> None:
    searched = [
        lap(PREFORK, "search", 1, items_per_s=400.0),
        lap(THREADS, "search", 1, items_per_s=180.0, peak_memory_bytes=20 * MIB),
    ]
    raced = race([*base(), *searched, *finals(PREFORK, 200.0), *finals(GEVENT, 100.0)])
    assert not [text for text in findings(judge(raced)) if text.startswith("threads:2 reaches")]
    searched[0] = replace(searched[0], items_per_s=225.0)
    raced = replace(raced, laps=(*raced.laps[:2], *searched, *raced.laps[4:]))
    assert "threads:2 reaches 80% of the speed of prefork:2 with 40% of its memory." in findings(
        judge(raced)
    )


def test_each_row_of_the_table_is_reached() -> None:
    grown = [
        replace(lap, peak_memory_bytes=100 * lap.round * MIB, items=100)
        for lap in finals(THREADS, 95.0)
    ]
    over = finals(GEVENT, 300.0, peak_memory_bytes=2**33)
    light = finals(THREADS, 194.0, peak_memory_bytes=20 * MIB)
    more = [
        judge(race([*base(), *grown, *finals(PREFORK, 80.0, items=100)])),
        judge(race([*base(), *over, *finals(PREFORK, 100.0)], max_memory_bytes=2**30)),
        judge(race([*base(), *finals(PREFORK, 195.0), *light])),
        judge(race([*base(), *finals(Candidate("prefork", 1), 100.0)])),
        first_row_not_in_finals(),
        lighter_and_perhaps_slower(),
        fastest_beside_other_work(),
        more_slots_by_model(),
    ]
    every = [*verdicts(), *more]
    for case in CASES:
        rows = [row for row in CASES if row.topic == case.topic]
        before = rows[: rows.index(case)]
        reached = (
            verdict
            for verdict in every
            if case.holds(verdict) and not any(row.holds(verdict) for row in before)
        )
        assert next(reached, None), case
