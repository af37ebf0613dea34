"""The charts of a page: an image for print, replaced on screen by the interactive Vega view."""

import re
from functools import cache
from typing import Any

from poolrace.producer.printable import printable_json
from poolrace.producer.reports.charts import rendering
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.page.element import (
    Markup,
    element,
    joined,
    json_block,
)

PRINTED_WIDTH = 720
"""Pixels of width of the image of a chart that is as wide as the page."""

CONTROLS = {
    "in": "Zoom in", "out": "Zoom out", "earlier": "Earlier", "later": "Later", "all": "Show all",
}  # fmt: skip
"""Value of a button, by which the script finds its change -> label."""

MISSING = "Charts need the extra charts: pip install 'poolrace[charts]'"
"""Sentence of a page without charts."""


def figure(chart: Chart) -> Markup:
    """The chart with its title and description, and with buttons for zooming by keyboard."""
    buttons = joined(
        element("button", label, type="button", value=value) for value, label in CONTROLS.items()
    )
    label = f"{chart.title}: {chart.description}"
    return element(
        "figure",
        element("h3", chart.title),
        element("figcaption", chart.description, class_="quiet"),
        element("div", _image(chart), class_="static", role="img", aria_label=label),
        element("div", class_="interactive", role="img", aria_label=label, hidden="hidden"),
        element(
            "div",
            buttons,
            class_="controls",
            role="group",
            aria_label=f"Zoom of {chart.title}",
            hidden="hidden",
        ),
        json_block(_for_page(chart.spec)),
        class_="chart",
        id=f"chart-{chart.name}",
    )


@cache
def library() -> Markup:
    """The scripts of Vega and Vega-Lite that come with vl-convert; empty without the extra."""
    try:
        import vl_convert  # noqa: PLC0415 # the optional extra charts
    except ImportError:
        return Markup()
    # An end tag within the library would end the element.
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return Markup(bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--"))


def _image(chart: Chart) -> Markup:
    """The chart as an SVG element, whose text Vega has escaped."""
    svg = rendering.svg(_for_page(chart.spec), chart.name, PRINTED_WIDTH)
    # The roles of groups of marks stay without ``aria``, and have no names.
    svg = re.sub(r' (?:role="graphics-[a-z]+"|aria-roledescription="[^"]*")', "", svg)
    return Markup(svg)


def _for_page(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification with printable text, and without ARIA roles of marks.

    The description stands for all marks. Text of users belongs into the data alone: Vega-Lite
    writes names of fields and titles into the expressions of tooltips.
    """
    shown: dict[str, Any] = printable_json(spec)
    return {**shown, "config": {**shown.get("config", {}), "aria": False}}
