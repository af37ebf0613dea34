"""The theme of the page: colours of charts as CSS custom properties, light on paper, and dark."""

import re
from typing import Any

from poolrace.producer.reports.charts.palette import DARK, VARIABLES
from poolrace.producer.reports.page.element import Markup

DATA = frozenset({"data", "datasets", "domain"})
"""Keys of a specification whose values hold text of users, which is no colour."""

_COLOUR = re.compile("|".join(VARIABLES), re.IGNORECASE)


def custom_properties() -> Markup:
    """The rules of the style sheet that define each colour for light and for dark screens."""
    light = _properties({colour: colour for colour in VARIABLES})
    dark = _properties(DARK)
    return Markup(
        f":root{{{light}}}@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}"
    )


def themed(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification with custom properties in the place of the palette's colours."""
    shown: dict[str, Any] = _replaced(spec)
    # The description of the chart stands for all marks.
    page = {"aria": False, "background": "transparent"}
    return {**shown, "config": {**shown.get("config", {}), **page}}


def _properties(shown: dict[str, str]) -> str:
    return "".join(f"{VARIABLES[colour]}:{value};" for colour, value in shown.items())


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        return _COLOUR.sub(lambda found: f"var({VARIABLES[found[0].lower()]})", value)
    if isinstance(value, dict):
        return {key: item if key in DATA else _replaced(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(item) for item in value]
    return value
