"""A chart of a report: a Vega-Lite specification with its title and description."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chart:
    """A chart as a Vega-Lite specification."""

    name: str
    """Short id, such as ``times`` or ``timeline``."""
    title: str
    description: str
    """One sentence for screen readers."""
    spec: dict[str, Any]
    """Vega-Lite specification as Altair makes it."""
    height_hint: int
    """Pixels of height that the chart takes at its natural size."""
