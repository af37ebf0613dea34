"""The style of all charts: fonts, sizes and colours, as an Altair theme."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from poolrace.producer.reports.charts import palette

if TYPE_CHECKING:
    import altair as alt

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""Font families, the first one available is used. vl-convert contains Liberation Sans, whose
characters are as wide as those of Arial and Helvetica: texts take the same place everywhere."""

SMALL, MEDIUM, LARGE = 11, 12, 15
"""Pixels of height of texts: labels, titles of axes and subtitles, titles."""

THEME = "poolrace"


def config() -> dict[str, Any]:
    """The part of a Vega-Lite specification that sets fonts, sizes and colours."""
    text = {"labelColor": palette.TEXT, "titleColor": palette.TEXT}
    sizes = {"labelFontSize": SMALL, "titleFontSize": MEDIUM, "titleFontWeight": "normal"}
    return {
        "font": FONT,
        "background": palette.BACKGROUND,
        "padding": {"left": 0, "top": 2, "right": 2, "bottom": 2},
        "view": {"stroke": None, "continuousWidth": 640, "continuousHeight": 300},
        "axis": {
            **(text | sizes),
            "domainColor": palette.GREY,
            "tickColor": palette.GREY,
            "gridColor": palette.GREY,
            "gridOpacity": 0.3,
            "labelOverlap": "greedy",
            "labelPadding": 4,
            "labelSeparation": 6,
        },
        "legend": {
            **(text | sizes),
            "orient": "bottom",
            "direction": "horizontal",
            "titleFontSize": SMALL,
            "labelLimit": 250,
            "symbolSize": 90,
            "symbolStrokeWidth": 2,
            "columns": 2,
        },
        "title": {
            "anchor": "start",
            "frame": "bounds",
            "offset": 12,
            "color": palette.TEXT,
            "fontSize": LARGE,
            "subtitleColor": palette.TEXT,
            "subtitleFontSize": MEDIUM,
            "subtitlePadding": 4,
        },
        "text": {"color": palette.TEXT, "fontSize": SMALL},
    }


@contextmanager
def theme() -> Iterator[None]:
    """Give this style to all charts that are turned into specifications in the ``with`` block."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    alt.theme.register(THEME, enable=False)(_theme)
    with alt.theme.enable(THEME):
        yield


def _theme() -> "alt.theme.ThemeConfig":
    return {"config": config()}  # type: ignore[typeddict-item] # a literal of the same shape
