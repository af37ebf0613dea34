"""Made-up views for tests of the HTML page: a timeline, and hostile text in each field."""

from dataclasses import replace
from pathlib import Path

from poolrace.producer.reports.charts import style
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.charts.timeline import timeline_chart
from poolrace.producer.reports.views.column import Column
from poolrace.producer.reports.views.view import View
from poolrace.producer.results.comparison import Comparison
from poolrace.producer.results.files import load
from poolrace.producer.results.run import ChunkRecord, Event, Run, SlotShare

EXAMPLES = Path(__file__).parents[2] / "tests" / "data" / "results"

HOSTILE = "</script><script>window.hacked=1</script><!--<img src=x onerror=hacked()>\u2028\"'&\x1b"

COLUMNS = tuple(f"column {number}" for number in range(12))

CHUNKS = 9
"""Number of chunks of the made-up run."""


def run(text: str = "host", chunks: int = CHUNKS) -> Run:
    """A run on three slots of one host, with two events; its names contain ``text``."""
    stored = load(EXAMPLES / "compare.json")
    assert isinstance(stored, Comparison)
    records = [
        ChunkRecord(n, n + 1, text, f"{text} {n % 3}", n + 1.0, 0.8, 1, 1, n + 0.1, 0.5, 0.3)
        for n in range(chunks)
    ]
    return replace(
        stored.runs[0],
        model=f"local:{text}",
        workload=text,
        records=records,
        shares={text: {f"{text} {slot}": SlotShare() for slot in range(3)}},
        chunks=chunks,
        elapsed_s=chunks + 1.0,
        events=[Event(1.0, f"{text} joined", "joined", text), Event(2.0, text)],
    )


def chart(text: str = "host", chunks: int = CHUNKS) -> Chart:
    """A timeline; its data contain ``text``."""
    with style.theme():
        made = timeline_chart(run(text, chunks))
    assert made
    return made


def page_view(text: str = "host", charts: tuple[Chart, ...] | None = None) -> View:
    """A view whose texts all contain ``text``."""
    cells: list[tuple[str, ...]] = [
        (f"{text} {number}", *(f"{(number * 7) % 12}.5 ms" for _ in COLUMNS[1:]))
        for number in range(12)
    ]
    return View(
        title=f"title {text}",
        summary=f"summary {text}",
        warnings=[f"warning {text}"],
        columns=tuple(map(Column, (f"name {text}", *COLUMNS[1:]))),
        cells=cells,
        validity=f"validity {text}",
        valid=False,
        findings=[f"finding {text}"],
        notes=[f"note {text}"],
        environment=[f"environment {text}"],
        raw_header=("run", f"raw {text}", f"same {text}"),
        raw=[[1, 0.123456789, text], [2, None, text], [text, text, text]],
        figures={},
        draw=lambda: (chart(text),) if charts is None else charts,
        invocation=f"producer race --task '{text}'",
    )
