"""The colours of charts: one palette that colour-blind readers can tell apart, light and dark.

Each colour has the hue that its name says. Lightness and saturation are those, found by a search,
with which the two most similar colours differ most under each kind of colour blindness, and with
which each colour has a contrast of 3:1 or more to its background, as WCAG 2.2 asks of graphics
(criterion 1.4.11). ``tests/unit/test_palette.py`` computes both.
"""

BLUE = "#316cce"
ORANGE = "#d05f03"
GREEN = "#005d4d"
PURPLE = "#9f3d90"
RED = "#a70902"
SKY = "#189ec9"
GREY = "#8e817a"
TEXT = "#1d2433"
BACKGROUND = "#ffffff"

MARKS = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY, GREY)
"""Colours of series and kinds, in the order in which they are used."""

DARK = {
    BLUE: "#1c7ed2",
    ORANGE: "#fdb31e",
    GREEN: "#9dd3a8",
    PURPLE: "#9d556b",
    RED: "#e15c07",
    SKY: "#6fb0fc",
    GREY: "#a59391",
    TEXT: "#e7ebf3",
    BACKGROUND: "#12161f",
}
"""Colour of the light theme -> colour of the dark theme."""

VARIABLES = {
    BLUE: "--blue",
    ORANGE: "--orange",
    GREEN: "--green",
    PURPLE: "--purple",
    RED: "--red",
    SKY: "--sky",
    GREY: "--grey",
    TEXT: "--text",
    BACKGROUND: "--background",
}
"""Colour of the light theme -> the CSS custom property that an HTML page uses for it."""
