"""Size, fonts and title of a chart, so that text is never below 11 pixels."""

from typing import TYPE_CHECKING, Any

from poolrace.producer.reports.charts.words import lines

if TYPE_CHECKING:
    import altair as alt

WIDTH = 640
"""Pixels of the plot in images; in HTML the plot is as wide as the page."""

LABEL = 11
"""Pixels of the font of labels, the smallest one."""


def laid_out(
    chart: "alt.LayerChart", title: str, subtitle: str, height: int, columns: int = 2
) -> dict[str, Any]:
    """The specification of the chart with title and sizes; ``columns`` are those of legends."""
    import altair as alt  # noqa: PLC0415 # optional: the extra charts

    chart = chart.properties(
        width=WIDTH,
        height=height,
        title=alt.TitleParams(
            text=lines(title), subtitle=lines(subtitle), anchor="start", frame="group"
        ),
    )
    chart = chart.configure_legend(
        orient="bottom",
        direction="horizontal",
        columns=columns,
        labelFontSize=LABEL,
        titleFontSize=LABEL,
        labelLimit=250,
        symbolSize=90,
    )
    chart = chart.configure_axis(labelFontSize=LABEL, titleFontSize=12, titleLimit=330)
    chart = chart.configure_title(fontSize=15, subtitleFontSize=12)
    specification: dict[str, Any] = chart.to_dict()
    return specification
