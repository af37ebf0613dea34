"""Charts of tests as SVG images: compiled without warnings, and with readable text."""

import xml.etree.ElementTree as ET

import pytest
import vl_convert

from poolrace.producer.reports.charts import rendering
from poolrace.producer.reports.charts.chart import Chart

SMALLEST = 11
"""Pixels of the smallest text that can be read."""

PHONE = 358
"""Pixels of a chart's width on a screen of 390 pixels."""

HOSTILE = "</text><script>x</script>\x1b]0;\u202e\"'&${datum.x} "
"""Text that would break an image, a terminal or an expression."""


def image_of(chart: Chart, capfd: pytest.CaptureFixture[str], width: int = PHONE) -> str:
    """The chart as an SVG image of this width: the same twice, and with no text too small."""
    capfd.readouterr()
    vl_convert.vegalite_to_vega(chart.spec, show_warnings=True)
    assert "WARN" not in "".join(capfd.readouterr())
    image = rendering.svg(chart.spec, chart.name, width)
    assert image == rendering.svg(chart.spec, chart.name, width)
    sizes = [element.get("font-size", "") for element in _texts(image)]
    assert min(float(size.removesuffix("px")) for size in sizes) >= SMALLEST
    return image


def words_of(image: str) -> list[str]:
    """The lines of text of an image, those of one text one after the other."""
    return [line for element in _texts(image) for line in element.itertext()]


def _texts(image: str) -> list[ET.Element]:
    return [element for element in ET.fromstring(image).iter() if element.tag.endswith("}text")]
