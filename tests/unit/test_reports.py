"""What the reports of sweeps and of scaling say, for runs whose times are made by the laws."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from poolrace.producer.analysis.scaling_laws import ChunkLaw, ScalabilityLaw
from poolrace.producer.executors.models import Model
from poolrace.producer.experiments.compare import compare
from poolrace.producer.experiments.plans import Case, Plan
from poolrace.producer.jobs.job import Job
from poolrace.producer.reports.drawing.svg import round_ticks
from poolrace.producer.reports.formats import FORMATS, html
from poolrace.producer.reports.views.comparison import cores
from poolrace.producer.reports.views.scale import Scale
from poolrace.producer.reports.views.sweep import Sweep
from poolrace.producer.results.comparison import Comparison, Varies
from poolrace.producer.settings import Settings
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.workloads import make_workload

if TYPE_CHECKING:
    from poolrace.producer.results.run import Run


@pytest.fixture
def comparison(settings: Settings) -> Comparison:
    job = Job(make_workload("sum", {}), 0, 1000)
    return compare(Plan(job, [Case(Model("local", "single"))]), settings)


def made(comparison: Comparison, varies: Varies, times: dict[int, tuple[float, ...]]) -> Comparison:
    """As if the runs had taken these seconds."""
    runs: list[Run] = []
    for number, seconds in times.items():
        for elapsed_s in seconds:
            run = replace(comparison.runs[0], elapsed_s=elapsed_s, cpu_s=elapsed_s)
            runs.append(replace(run, **{varies: number}))  # type: ignore[arg-type] # one of its fields
    machine = asdict(replace(HostFacts.collect("here"), cores=64))
    environment = {**comparison.environment, "hosts": [machine]}
    return replace(comparison, varies=varies, runs=tuple(runs), environment=environment)


def around(seconds: float) -> tuple[float, ...]:
    """Three runs that differ by two hundredths."""
    return (seconds * 0.99, seconds, seconds * 1.01)


@pytest.fixture
def swept(comparison: Comparison) -> Comparison:
    law = ChunkLaw(1, 2.0, 0.001, 4.0)
    return made(comparison, "chunks", {n: around(law.time_s(n)) for n in (2, 8, 32, 128, 512)})


@pytest.fixture
def scaled(comparison: Comparison) -> Comparison:
    law = ScalabilityLaw(0.1, 0.02, 0.01)
    times = {n: around(1 / law.throughput(n)) for n in (1, 2, 4, 8, 16)}
    return made(comparison, "hosts", times)


def test_a_sweep_names_the_cost_of_a_chunk_and_the_sweet_spot(swept: Comparison) -> None:
    words = " ".join(Sweep.of(swept).findings())
    assert "A chunk costs 1.00 ms of the run's time" in words
    assert "waiting for slower slots costs 4.000 s / n" in words
    assert "R² 1.000" in words
    assert "The sweet spot is about 63 chunks, where both together cost 0.126 s, 5.9%" in words
    assert "32 chunks were the fastest" in words or "128 chunks were the fastest" in words


def test_times_that_overlap_cannot_be_told_apart(comparison: Comparison) -> None:
    flat = made(comparison, "chunks", {n: around(1.0 + n / 1e6) for n in (2, 8, 32, 128)})
    assert "2, 8, 32 and 128 cannot be told apart" in " ".join(Sweep.of(flat).findings())


def test_one_run_of_each_tells_nothing_of_chance(comparison: Comparison) -> None:
    once = made(comparison, "chunks", {2: (1.0,), 8: (0.9,), 32: (1.2,)})
    assert "one run of each does not tell" in " ".join(Sweep.of(once).findings())


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (ChunkLaw(1, 1.0, 0.0001, 100.0), "lies beyond 128 chunks, the most that were measured"),
        (
            ChunkLaw(1, 1.0, 0.01, 0.0001),
            "The sweet spot is 2 chunks or fewer",
        ),
    ],
)
def test_a_sweet_spot_outside_of_what_was_measured_is_said_to_be(
    law: ChunkLaw, words: str, comparison: Comparison
) -> None:
    times = {n: around(law.time_s(n)) for n in (2, 8, 32, 128)}
    assert words in " ".join(Sweep.of(made(comparison, "chunks", times)).findings())


def test_scaling_tells_speed_up_serial_fraction_law_and_prediction(scaled: Comparison) -> None:
    scale = Scale.of(scaled)
    words = " ".join(scale.findings())
    assert "16 hosts gave a speed-up of 4.32 over one, an efficiency of 0.27" in words
    assert "The serial fraction grows" in words
    assert "sigma 0.0200, crosstalk kappa 0.01000" in words
    assert "beyond 10 hosts it gets slower" in words
    assert "For 160 hosts, 10 times the most that were measured, it predicts" in words
    assert "an extrapolation" in words
    assert scale.figures()["prediction"]["speed_up"] == pytest.approx(
        160 / (1 + 0.02 * 159 + 0.01 * 160 * 159)
    )


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({n: around(1.0 + 9.0 / n) for n in (1, 2, 4, 8)}, "stays the same within the spread"),
        ({n: around(8.0 / n) for n in (1, 2, 4)}, "not distinguishable from none"),
        ({1: (8.0,), 2: (5.0,), 4: (2.6,), 8: (1.4,)}, "falls"),
        ({1: (8.0, 7.0), 2: (5.2, 4.4), 4: (3.7, 2.9)}, "cannot be told from times that"),
        ({1: (8.0,), 2: (5.0,)}, "a third number would tell"),
    ],
)
def test_the_serial_fraction_is_read_as_karp_and_flatt_do(
    times: dict[int, tuple[float, ...]], words: str, comparison: Comparison
) -> None:
    assert words in " ".join(Scale.of(made(comparison, "slots", times)).findings())


def test_slots_without_a_core_each_are_said_to_share(comparison: Comparison) -> None:
    times = {n: around(10.0 / min(n, 2)) for n in (1, 2, 4)}
    small = made(comparison, "slots", times)
    facts = asdict(replace(HostFacts.collect("here"), cores=2))
    small = replace(small, environment={**small.environment, "hosts": [facts]})
    assert "4 slots shared 2 core(s)" in " ".join(Scale.of(small).findings())


def test_hosts_of_one_machine_have_its_cores_once(comparison: Comparison) -> None:
    facts = replace(HostFacts.collect("one"), cores=8)
    hosts = [facts, replace(facts, host="two"), replace(facts, host="three", machine="other")]
    environment = {**comparison.environment, "hosts": [asdict(host) for host in hosts]}
    assert cores(replace(comparison, environment=environment)) == 16


def test_too_few_numbers_are_shown_without_a_law(comparison: Comparison) -> None:
    times = {1: around(2.0), 2: around(1.0)}
    swept, scaled = made(comparison, "chunks", times), made(comparison, "hosts", times)
    assert "Too few numbers of chunks (2)" in " ".join(Sweep.of(swept).findings())
    assert "Too few numbers of hosts (2)" in " ".join(Scale.of(scaled).findings())
    for name, render in FORMATS.items():
        assert render(swept), name
        assert render(scaled), name


def test_rows_are_in_the_order_of_their_numbers(swept: Comparison) -> None:
    shuffled = replace(swept, runs=tuple(reversed(swept.runs)))
    assert [row.chunks for row in Sweep.of(shuffled).rows] == [2, 8, 32, 128, 512]


def test_a_page_shows_points_curves_and_marks_and_fetches_nothing(
    swept: Comparison, scaled: Comparison
) -> None:
    sweep, scale = html.render(swept), html.render(scaled)
    assert sweep.count('class="point"') == scale.count('class="point"') == 5
    for page, kinds in ((sweep, ("law", "overhead", "imbalance")), (scale, ("law", "ideal"))):
        for kind in kinds:
            assert f'<polyline class="{kind}"' in page
        assert "http" not in page
        assert "<script" not in page
    assert "sweet spot 63" in sweep
    assert "peak 9.9" in scale


@pytest.mark.parametrize("name", FORMATS)
def test_a_comparison_without_runs_is_rendered_too(name: str, comparison: Comparison) -> None:
    for varies in ("model", "chunks", "slots", "hosts"):
        assert FORMATS[name](replace(comparison, varies=varies, runs=()))


@pytest.mark.parametrize("high", [0.003, 0.9, 1.0, 7.2, 44.0, 1e5])
def test_ticks_are_few_and_round(high: float) -> None:
    ticks = round_ticks(high)
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 7
    assert ticks[-1] <= high * 1.001
