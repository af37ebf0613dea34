"""``svg`` and ``png``: the chart with title, summary and environment, as an image."""

import textwrap
from collections.abc import Iterable
from importlib.util import find_spec

from poolrace.producer.reports.drawing import style
from poolrace.producer.reports.drawing.markup import markup
from poolrace.producer.reports.drawing.svg import CHARACTER_WIDTH, WIDTH
from poolrace.producer.reports.views.view import Viewed, view
from poolrace.workers.errors import UsageError
from poolrace.workers.installation import install_command

MARGIN = 20
"""Units of the drawing around its content."""

LINE_HEIGHT = 18
"""Units from one line of text to the next one."""

TITLE_TOP = 34
"""Units above the first line below the title."""

ZOOM = 2.0
"""Pixels of a PNG per unit of the drawing: sharp on any screen and in print."""

FONT = "Roboto"

PNG_MODULES = ("font_roboto", "resvg_py")
"""Modules of the extra ``png``: the font, and the renderer from SVG to PNG."""


def svg(results: Viewed) -> str:
    """The chart as a self-contained SVG image on a white background."""
    content = view(results)
    summary, environment = _wrap((content.summary, *content.warnings)), _wrap(content.environment)
    shapes = content.chart.shapes if content.chart else ()
    chart_top = TITLE_TOP + LINE_HEIGHT * len(summary) + 10
    environment_top = chart_top + (content.chart.height if content.chart else 0.0) + 14
    width = WIDTH + 2 * MARGIN
    height = environment_top + LINE_HEIGHT * len(environment) + MARGIN
    return "\n".join(
        (
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
                f' viewBox="0 0 {width:g} {height:g}" font-family="{FONT}, system-ui, sans-serif">'
            ),
            f"<title>{markup(content.title)}</title>",
            f"<style>{style.image_css()}</style>",
            f'<rect width="100%" height="100%" fill="{style.COLOURS["background"][0]}"/>',
            f'<g class="plot" transform="translate({MARGIN} 0)">',
            f'<text class="strong title" x="0" y="32">{markup(content.title)}</text>',
            *_texts(summary, TITLE_TOP),
            f'<g transform="translate(0 {chart_top})">',
            *shapes,
            "</g>",
            *_texts(environment, environment_top),
            "</g>",
            "</svg>",
            "",
        )
    )


def png(results: Viewed) -> bytes:
    """The SVG image as a PNG; raises ``UsageError`` if the extra ``png`` is not installed."""
    require_png()
    from font_roboto import font_files  # noqa: PLC0415 # optional: the extra png
    from resvg_py import svg_to_bytes  # noqa: PLC0415 # optional: the extra png

    return svg_to_bytes(
        svg(results),
        zoom=ZOOM,
        font_files=[font_files["Roboto"], font_files["RobotoBold"]],
        font_family=FONT,
        sans_serif_family=FONT,
        skip_system_fonts=True,  # the same bytes on every machine
    )


def require_png() -> None:
    """Raise ``UsageError`` if the extra ``png`` is not installed."""
    if not all(map(find_spec, PNG_MODULES)):
        command = install_command("png")
        raise UsageError(f"a PNG image needs the extra 'png': {command}; or write an SVG")


def _wrap(texts: Iterable[str]) -> list[str]:
    characters = int(WIDTH / CHARACTER_WIDTH)
    return [line for text in texts for line in textwrap.wrap(text, characters)]


def _texts(lines: list[str], top: float) -> list[str]:
    return [
        f'<text x="0" y="{top + LINE_HEIGHT * number:g}">{markup(line)}</text>'
        for number, line in enumerate(lines, start=1)
    ]
