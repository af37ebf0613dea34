"""``svg`` and ``png``: the first chart with title, summary and environment, as an image."""

import re
from collections.abc import Iterable

from poolrace.producer.reports.charts import palette, rendering, style
from poolrace.producer.reports.charts.chart import Chart
from poolrace.producer.reports.fitting import wrapped
from poolrace.producer.reports.page.element import Markup, element
from poolrace.producer.reports.views.view import Viewed, view
from poolrace.workers.errors import UsageError
from poolrace.workers.installation import install_command

WIDTH = 760.0
"""Pixels of a chart that is as wide as the page in HTML, and of the lines of text."""

MARGIN, GAP = 20.0, 10.0
"""Pixels around the content, and between its parts."""

CHARACTER = 0.52
"""Average width of a character, over its height."""

LINE_HEIGHT = 1.5
"""Distance of two lines of text, over the height of their characters."""

TITLE = 19
"""Pixels of height of the title."""


Part = tuple[Markup, float, float]
"""A part of the image, its width and its height in pixels."""


def svg(results: Viewed) -> str:
    """The image on its background; raises ``UsageError`` without the extra ``charts``."""
    require_charts()
    content = view(results)
    parts = [
        _texts([content.title], TITLE, font_weight="bold"),
        _texts([content.summary, *content.warnings]),
        *(_chart(chart) for chart in content.charts[:1]),
        _texts(content.environment),
    ]
    placed, top = [], MARGIN
    for part, _, height in parts:
        placed.append(element("g", part, transform=f"translate({MARGIN} {top:g})"))
        top += height + GAP
    width = max(width for _, width, _ in parts) + 2 * MARGIN
    height = top - GAP + MARGIN
    image = element(
        "svg",
        element("title", content.title),
        element("rect", width="100%", height="100%", fill=palette.BACKGROUND),
        *placed,
        xmlns="http://www.w3.org/2000/svg",
        width=f"{width:g}",
        height=f"{height:g}",
        viewBox=f"0 0 {width:g} {height:g}",
        font_family=style.FONT,
        fill=palette.TEXT,
    )
    return f"{image}\n"


def png(results: Viewed) -> bytes:
    """The SVG image as a PNG; raises ``UsageError`` without the extra ``charts``."""
    return rendering.png(svg(results))


def require_charts() -> None:
    """Raise ``UsageError`` if the extra ``charts`` is not installed."""
    if not rendering.is_installed():
        command = install_command("charts")
        raise UsageError(f"an SVG or PNG image needs the extra 'charts': {command}")


def _chart(chart: Chart) -> Part:
    image = rendering.svg(chart.spec, chart.name, WIDTH)
    width, height = re.findall(r' (?:width|height)="([\d.]+)"', image)[:2]
    return Markup(image), float(width), float(height)


def _texts(texts: Iterable[str], size: int = style.MEDIUM, **attributes: str) -> Part:
    """The texts, one below the other, in lines of ``WIDTH``."""
    cells = int(WIDTH / (CHARACTER * size))
    lines = [line for text in texts for line in wrapped(text, cells)]
    height = LINE_HEIGHT * size
    shapes = (element("text", line, y=f"{height * n + size:g}") for n, line in enumerate(lines))
    return element("g", *shapes, font_size=str(size), **attributes), WIDTH, height * len(lines)
