"""The format ``trace``: hosts are processes, slots are threads, chunks are slices with flows."""

import shlex
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from poolrace.producer.printable import printable
from poolrace.producer.reports.formats import FORMATS, format_for, trace
from poolrace.producer.reports.trace.runs import MOMENT
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import Results, load
from poolrace.producer.results.race import Race
from poolrace.producer.results.run import ChunkRecord, SlotShare
from poolrace.workers.errors import UsageError
from tests.in_process import InProcess
from tests.unit.made_up_diffs import compared
from tests.unit.made_up_races import computing_in_python
from tests.unit.made_up_runs import SECONDS, run, single_run
from tests.unit.trace_reader import Event, Trace, read_trace

ROOT = Path(__file__).parents[2]
STORED = [
    path
    for path in (*sorted((ROOT / "tests/data/results").glob("*.json")),
                 *sorted((ROOT / "tests/data/races").glob("*.json")))
    if path.stem != "map" and not path.stem.endswith(".verdict")
    and '"format"' in path.read_text()[:99]
]  # fmt: skip
"""Results files of every kind that has a trace."""


@pytest.fixture
def traced() -> Trace:
    return read_trace(trace.render(single_run()))


def microseconds(seconds: float) -> float:
    return seconds * 1e6


def ends(event: Event) -> float:
    return float(event["ts"] + event["dur"])


def test_hosts_are_processes_below_the_producer_and_slots_are_threads_in_natural_order(
    traced: Trace,
) -> None:
    assert traced.processes == ["producer", "a", "b"]
    assert traced.threads == {
        "producer": ["run", "send", "receive"], "a": ["1"], "b": ["2", "10"],
    }  # fmt: skip


def test_a_chunk_is_a_slice_that_ends_when_its_result_arrived(traced: Trace) -> None:
    first, second, third = traced.slices["b", "2"]
    assert (first["ts"], first["dur"]) == (microseconds(0.4), microseconds(0.5))
    assert first["args"] == {
        "range": "[0, 10)", "duration_s": 0.5, "cpu_s": 0.25, "waited_s": 0.0, "queued_s": 0.4,
        "value": "45",
    }  # fmt: skip
    assert ends(second) == third["ts"], "chunks of a batch run one after the other"
    assert ends(third) == microseconds(1.5)


def test_a_mark_is_part_of_the_name_and_an_argument(traced: Trace) -> None:
    assert traced.names("b", "10") == ["[10, 20)", "[50, 60) resent"]
    assert traced.slices["b", "10"][1]["args"]["mark"] == "resent"
    assert traced.names("a", "1")[1] == "[50, 60) duplicate"


def test_flows_lead_from_the_producer_to_each_chunk_and_back(traced: Trace) -> None:
    there = [(source["name"], target["name"]) for source, target in traced.flows
             if source["name"].startswith("send")]  # fmt: skip
    back = [source["name"] for source, target in traced.flows
            if target["name"].startswith("receive")]  # fmt: skip
    chunks = [name for thread in (("a", "1"), ("b", "2"), ("b", "10"))
              for name in traced.names(*thread)]  # fmt: skip
    assert sorted(target for _, target in there) == sorted(back) == sorted(chunks)
    assert {target: source for source, target in there}["[0, 10)"] == "send 3"
    assert traced.names("producer", "send") == ["send 3", "send 3", "send 1"]


def test_everything_lies_within_the_run(traced: Trace) -> None:
    [whole] = traced.slices["producer", "run"]
    assert (whole["ts"], whole["dur"]) == (0.0, microseconds(SECONDS))
    assert whole["args"]["exact"] is True
    moment = 2 * MOMENT / 1000
    for slices in traced.slices.values():
        assert all(ends(each) <= ends(whole) + moment for each in slices)


def test_faults_are_instants_of_their_host_or_of_the_producer(traced: Trace) -> None:
    assert [(place, event["name"], event["ts"]) for place, event in traced.instants] == [
        ("a", "prefork@a fell silent", microseconds(0.75)),
        ("a", "1 chunk of prefork@a sent again", microseconds(1.25)),
        ("producer", "the connection to Redis is back", microseconds(1.75)),
    ]
    assert traced.instants[0][1]["args"] == {"kind": "silent", "host": "a"}


def test_utilisation_is_a_counter_of_each_host_that_returns_to_zero(traced: Trace) -> None:
    assert set(traced.counters) == {"a", "b"}
    for events in traced.counters.values():
        busy = [event["args"]["slots"] for event in events]
        assert 0 <= max(busy) <= 2
        assert (events[-1]["ts"], busy[-1]) == (microseconds(SECONDS), 0.0)
        assert all(one != other for one, other in pairwise(busy[:-1]))
    seconds = sum(
        event["args"]["slots"] * (following["ts"] - event["ts"]) / 1e6
        for events in traced.counters.values()
        for event, following in pairwise(events)
    )
    assert seconds == pytest.approx(sum(record.cpu_s or 0 for record in run().records), rel=0.01)


def test_a_run_of_an_older_version_has_no_sending_and_still_its_results() -> None:
    older = [replace(record, sent_s=None, cpu_s=None, waited_s=None) for record in run().records]
    traced = read_trace(trace.render(replace(single_run(), run=replace(run(), records=older))))
    assert traced.threads["producer"] == ["run", "receive"]
    assert len(traced.flows) == len(older)
    assert "cpu_s" not in traced.slices["b", "2"][0]["args"]


def test_a_thousand_slots_keep_their_ids_apart_and_their_slices_in_order() -> None:
    records = [
        ChunkRecord(n, n + 1, f"h{n % 40}", f"{n % 250}", 1e-6 * n, 3e-7 * (n % 7), n, None,
                    1e-9 * n)
        for n in range(5_000)
    ]  # fmt: skip
    shares = {f"h{n}": {"0": SlotShare()} for n in range(40)}
    large = replace(run(), records=records, shares=shares, chunks=len(records), events=[])
    traced = read_trace(trace.render(replace(single_run(), run=large)))
    assert len(traced.flows) == 2 * len(records)
    assert traced.processes[1:4] == ["h0", "h1", "h2"]


def test_a_comparison_has_the_median_run_of_each_case_side_by_side() -> None:
    comparison = compared({"local:threads": [3.0, 1.0, 2.0], "local:greenlets": [5.0, 4.0]})
    traced = read_trace(trace.render(comparison))
    durations_s = {
        process: traced.slices[process, "run"][0]["dur"] / 1e6
        for process in traced.processes
        if process.endswith("producer")
    }
    assert durations_s == {
        "local:threads, 2 slots: producer": 2.0, "local:greenlets, 2 slots: producer": 4.0,
    }  # fmt: skip
    assert all(slices[0]["ts"] == 0 for (_, thread), slices in traced.slices.items()
               if thread == "run")  # fmt: skip


def with_starts(race: Race) -> Race:
    """The race with laps that began a second after the end of the one before."""
    laps = []
    at_s = 0.0
    for lap in race.laps:
        laps.append(replace(lap, at_s=at_s))
        at_s += lap.wall_s + 1.0
    return replace(race, laps=tuple(laps))


@pytest.mark.parametrize("stored", [True, False], ids=["with starts", "without starts"])
def test_a_race_has_its_laps_as_slices_of_their_candidates(stored: bool) -> None:
    race = computing_in_python()
    traced = read_trace(trace.render(with_starts(race) if stored else race))
    assert set(traced.processes) == {candidate.pool for candidate in race.candidates}
    threads = [name for names in traced.threads.values() for name in names]
    assert sorted(threads) == sorted(map(str, race.candidates))
    slices = sorted((each for all_ in traced.slices.values() for each in all_), key=ends)
    assert len(slices) == len(race.laps)
    gaps_s = [(after["ts"] - ends(before)) / 1e6
              for before, after in pairwise(slices)]  # fmt: skip
    assert gaps_s == pytest.approx([1.0 if stored else 0.0] * len(gaps_s), abs=1e-6)
    assert slices[0]["args"]["items"] == race.laps[0].items


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_every_stored_file_has_a_trace_that_keeps_the_rules(path: Path) -> None:
    results: Results = load(path)
    traced = read_trace(trace.render(results))
    assert any(traced.slices.values())
    assert traced.about["title"]


def test_the_words_of_the_report_are_metadata(traced: Trace) -> None:
    assert traced.about["invocation"] == single_run().invocation
    assert "celery 5.7.0" in traced.about["environment"]


def test_names_of_others_are_only_text() -> None:
    hostile = '"}],\n\u2028</script>\ud800'
    records = [replace(run().records[0], host=hostile, slot=hostile)]
    changed = replace(run(), records=records, shares={hostile: {hostile: SlotShare()}})
    text = trace.render(replace(single_run(), run=changed))
    assert text.isascii()
    traced = read_trace(text)
    assert traced.threads[printable(hostile)] == [printable(hostile)]


def test_a_map_has_no_trace() -> None:
    with pytest.raises(
        UsageError, match=r"a map has no trace.* run, compare, sweep, scale and race"
    ):
        trace.render(load(ROOT / "tests/data/results/map.json"))


@pytest.mark.parametrize(
    "line",
    ["map --report m.trace.json", "report {map} --format trace", "report {map} --out m.trace.json",
     "diff {compare} {compare} --report d.trace.json"],
)  # fmt: skip
def test_a_trace_of_a_map_or_diff_is_refused_in_one_line_that_names_the_kinds_that_work(
    line: str, producer_in_process: InProcess
) -> None:
    files = {
        name: shlex.quote(str(ROOT / f"tests/data/results/{name}.json"))
        for name in ("map", "compare")
    }
    answer = producer_in_process(*shlex.split(line.format(**files)))
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert "has no trace" in answer.err
    assert "run, compare, sweep, scale and race" in answer.err
    assert list(producer_in_process.directory.iterdir()) == []


def test_the_suffix_of_a_trace_chooses_its_format(producer_in_process: InProcess) -> None:
    assert format_for(Path("X.TRACE.json")) == "trace"
    compare = str(ROOT / "tests/data/results/compare.json")
    assert producer_in_process("report", compare, "--out", "x.trace.json").code == 0
    written = (producer_in_process.directory / "x.trace.json").read_text()
    assert written == FORMATS["trace"](load(Path(compare)))
    assert isinstance(load(Path(compare)), Comparison)
