"""The charts of a page: an image for print, replaced on screen by the interactive Vega view."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import starmap, zip_longest
from typing import Any

from poolrace.producer.printable import printable_json
from poolrace.producer.reports.charts import rendering
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.page.element import (
    Markup,
    element,
    elements,
    fitting,
    joined,
    json_block,
)
from poolrace.producer.reports.page.theme import themed

IMAGE_WIDTH = 960
"""Pixels of width of an image: the page's width on landscape paper."""

MAX_BYTES = 800_000
"""Bytes of all charts of a page; with 0.9 MB of scripts the page stays below 2 MB."""

CONTROLS = {
    "in": "Zoom in", "out": "Zoom out", "earlier": "Earlier", "later": "Later", "all": "Show all",
}  # fmt: skip
"""Value of a button, by which the script finds its change -> label."""

WHEEL = "wheel![event.ctrlKey || event.metaKey]"
"""Events that zoom: the wheel alone must scroll the page. A pinch on a touchpad is one of them."""

HINT = "Ctrl + wheel or a pinch zooms, dragging moves, a double click shows all."

MISSING = "Charts need the extra charts: pip install 'poolrace[charts]'"
"""Sentence of a page without charts."""

TOO_LARGE = (
    "This chart is too large for a page. Its picture: producer report RESULTS.json --format svg"
)
"""Sentence in the place of a chart after ``MAX_BYTES``."""

NO_IMAGE = "The picture of this chart is left out, because the page would be too large."
"""Sentence for browsers without scripts, in the place of an image after ``MAX_BYTES``."""


def figures(charts: Sequence[Chart]) -> Markup:
    """All charts as figures; the images of the last ones are left out after ``MAX_BYTES``."""
    specs = [_page_spec(chart.spec) for chart in charts]
    blocks = fitting(map(json_block, specs), MAX_BYTES)
    left_bytes = MAX_BYTES - sum(map(len, blocks))
    drawn = zip(specs[: len(blocks)], charts, strict=False)
    images = fitting((_image(spec, chart.name) for spec, chart in drawn), left_bytes)
    return joined(starmap(_figure, zip_longest(charts, blocks, images)))


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


def _figure(chart: Chart, block: Markup | None, image: Markup | None) -> Markup:
    """The chart with its title and description, and with buttons for zooming by keyboard."""
    label = f"{chart.title}: {chart.description}"
    parts: list[Markup] = [
        element("h3", chart.title),
        element("figcaption", elements("p", _caption(chart)), class_="quiet"),
    ]
    if block is None:
        return element("figure", *parts, element("p", TOO_LARGE))
    picture = element("div", image, role="img", aria_label=label) if image else NO_IMAGE
    # The image scrolls on narrow screens, where smaller text could not be read.
    static = {"role": "region", "aria_label": f"Picture of {chart.title}", "tabindex": "0"}
    parts += [
        element("div", picture, class_="static", **static),
        element("div", class_="interactive", role="img", aria_label=label, hidden="hidden"),
        _controls(chart.title),
        block,
    ]
    drawn = "chart" if image else "chart imageless"
    return element("figure", *parts, class_=drawn, id=f"chart-{chart.name}")


def _controls(title: str) -> Markup:
    buttons = joined(
        element("button", label, type="button", value=value) for value, label in CONTROLS.items()
    )
    hint = element("span", HINT, class_="quiet")
    label = f"Zoom of {title}"
    return element(
        "div", buttons, hint, class_="controls", role="group", aria_label=label, hidden="hidden"
    )


def _caption(chart: Chart) -> Iterable[str]:
    """The subtitle of the chart, or its description if it has none; lines that belong together."""
    title = chart.spec.get("title")
    subtitle = title.get("subtitle") if isinstance(title, dict) else None
    if not subtitle:
        return [chart.description]
    return [subtitle if isinstance(subtitle, str) else " ".join(subtitle)]


def _image(spec: dict[str, Any], name: str) -> Markup:
    """The chart as an SVG element, whose text Vega has escaped."""
    image = rendering.svg(spec, name, IMAGE_WIDTH)
    # The roles of groups of marks stay without ``aria``, and have no names.
    image = re.sub(r' (?:role="graphics-[a-z]+"|aria-roledescription="[^"]*")', "", image)
    return Markup(_rounded(image))


def _rounded(svg: str) -> str:
    """The image with coordinates of two decimals: half the size, and no pixel differs."""
    return re.sub(
        r'(?<= )(d|transform)="[^"]*"',
        lambda found: re.sub(r"\.\d{3,}", lambda decimals: decimals[0][:3], found[0]),
        svg,
    )


def _page_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification as wide as the page, in its colours, with printable text and no title.

    The title is a heading of the page. Text of users belongs into the data alone: Vega-Lite
    writes names of fields and titles into the expressions of tooltips.
    """
    shown = themed(printable_json(spec))
    shown.pop("title", None)
    # Charts of several plots have no width of their own.
    if "mark" in shown or "layer" in shown:
        shown["width"] = "container"
    _let_the_wheel_scroll(shown)
    return shown


def _let_the_wheel_scroll(spec: dict[str, Any]) -> None:
    for parameter in spec.get("params", []):
        select = parameter.get("select")
        if parameter["name"] == "zoom" and select:
            chosen = {"type": select} if isinstance(select, str) else select
            parameter["select"] = {**chosen, "zoom": WHEEL}
