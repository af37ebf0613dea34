"""Made-up views for tests of the HTML page: a chart that zooms, and hostile text in each field."""

from typing import Any

from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.views.column import Column
from poolrace.producer.reports.views.view import View

HOSTILE = "</script><script>window.hacked=1</script><!--<img src=x onerror=hacked()>\u2028\"'&\x1b"

COLUMNS = tuple(f"column {number}" for number in range(12))


def chart(text: str = "host") -> Chart:
    """A chart of bars over time with a selection that zooms; its data contain ``text``."""
    spec: dict[str, Any] = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {
            "values": [
                {"from": n, "to": n + 0.8, "slot": f"{text} {n % 3}", "row": n} for n in range(9)
            ]
        },
        "mark": {"type": "bar", "tooltip": True},
        "width": "container",
        "height": 120,
        "params": [
            {"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}
        ],
        "encoding": {
            "x": {"field": "from", "type": "quantitative", "title": "time (s)"},
            "x2": {"field": "to"},
            "y": {"field": "slot", "type": "nominal", "title": "slot"},
        },
    }
    return Chart("timeline", f"Timeline of {text}", f"Chunks of {text} over time.", spec, 120)


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
        raw_header=("run", f"raw {text}"),
        raw=[[1, 0.123456789], [2, None], [text, text]],
        figures={},
        draw=lambda: (chart(text),) if charts is None else charts,
        invocation=f"producer race --task '{text}'",
    )
