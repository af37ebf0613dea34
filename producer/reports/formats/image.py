"""``svg`` and ``png``: the chart alone, with its title and the machine, for a wall or a page."""

import textwrap
from collections.abc import Iterable
from html import escape
from importlib.util import find_spec

from poolrace.producer.reports.drawing import style
from poolrace.producer.reports.drawing.svg import LETTER, WIDTH
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import Results
from poolrace.workers.errors import UsageError

MARGIN = 20
LINE = 18
ZOOM = 2.0
"""Pixels of ``png`` for one of the drawing's units: sharp in print and on any screen."""

FONT = "Roboto"


def svg(results: Results) -> str:
    """A picture on white paper that needs nothing but itself."""
    shown = view(results)
    head = _lines((shown.summary,))
    foot = _lines(shown.machine)
    top = 34 + LINE * len(head)
    chart_height = shown.chart.height if shown.chart else 0.0
    shapes = shown.chart.shapes if shown.chart else ()
    below = top + 10 + chart_height + 14
    width, height = WIDTH + 2 * MARGIN, below + LINE * len(foot) + MARGIN
    return "\n".join(
        (
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
                f' viewBox="0 0 {width:g} {height:g}" font-family="{FONT}, system-ui, sans-serif">'
            ),
            f"<title>{escape(shown.title)}</title>",
            f"<style>{style.picture()}</style>",
            f'<rect width="100%" height="100%" fill="{style.COLOURS["paper"][0]}"/>',
            f'<g class="plot" transform="translate({MARGIN} 0)">',
            f'<text class="strong title" x="0" y="32">{escape(shown.title)}</text>',
            *_texts(head, top=34),
            f'<g transform="translate(0 {top + 10})">',
            *shapes,
            "</g>",
            *_texts(foot, top=below),
            "</g>",
            "</svg>",
            "",
        )
    )


def png(results: Results) -> bytes:
    """The same picture, as pixels; raises ``UsageError`` where the extra is not installed."""
    require_png()
    from font_roboto import font_files  # noqa: PLC0415 # an extra, for this format only
    from resvg_py import svg_to_bytes  # noqa: PLC0415 # likewise

    return svg_to_bytes(
        svg(results),
        zoom=ZOOM,
        font_files=[font_files["Roboto"], font_files["RobotoBold"]],
        font_family=FONT,
        sans_serif_family=FONT,
        skip_system_fonts=True,  # the same file gives the same picture everywhere
    )


def require_png() -> None:
    """Raise ``UsageError`` where the extra for ``png`` is not installed."""
    if not (find_spec("font_roboto") and find_spec("resvg_py")):
        raise UsageError("a PNG needs more; pip install 'poolrace[png]', or write an SVG")


def _lines(texts: Iterable[str]) -> list[str]:
    letters = int(WIDTH / LETTER)
    return [line for text in texts for line in textwrap.wrap(text, letters)]


def _texts(lines: list[str], top: float) -> list[str]:
    return [
        f'<text x="0" y="{top + LINE * number:g}">{escape(line)}</text>'
        for number, line in enumerate(lines, start=1)
    ]
