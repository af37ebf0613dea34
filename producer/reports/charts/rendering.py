"""Images of charts: SVG and PNG by vl-convert, the same bytes each time and on every machine."""

import re
from importlib.util import find_spec
from typing import Any

from poolrace.producer.printable import printable_json

MODULES = ("altair", "vl_convert")
"""Modules of the extra ``charts``: one makes the specifications, the other one draws them."""

ZOOM = 2.0
"""Pixels of a PNG per unit of the drawing: sharp on any screen and in print."""


def is_installed() -> bool:
    """Whether the extra ``charts`` is installed."""
    return all(map(find_spec, MODULES))


def svg(spec: dict[str, Any], name: str, width: float) -> str:
    """The chart as an SVG element, whose text Vega escapes; ``name`` begins its ids.

    A chart that is as wide as the page has this ``width`` in pixels.
    """
    import vl_convert  # noqa: PLC0415 # optional: the extra charts

    if spec.get("width") == "container":
        # Vega-Lite's own meaning of a container: axes and texts are parts of its width.
        spec = {**spec, "width": width, "autosize": {"type": "fit-x", "contains": "padding"}}
    image: str = vl_convert.vegalite_to_svg(printable_json(spec), allowed_base_urls=[])
    return _with_own_ids(image, name)


def png(image: str) -> bytes:
    """The SVG element as a PNG."""
    import vl_convert  # noqa: PLC0415 # optional: the extra charts

    pixels: bytes = vl_convert.svg_to_png(image, scale=ZOOM)
    return pixels


def _with_own_ids(image: str, name: str) -> str:
    """The image with ids that begin with this name and count from zero.

    vl-convert counts clip paths through all images of a process, so the same chart would differ
    from the one before, and two images of a page must not have an id in common.
    """
    ids = {old: f"{name}-{number}" for number, old in enumerate(re.findall(r' id="(\w+)"', image))}
    return re.sub(
        r'( id="|url\(#)(\w+)(?=["\)])', lambda found: found[1] + ids.get(found[2], found[2]), image
    )
