"""The colours of charts: one palette that colour-blind readers can tell apart.

The hues are those of Okabe and Ito ("Color Universal Design", 2008), made darker where their
contrast against a white background is below 3:1.
"""

BLUE = "#0072b2"
ORANGE = "#b36b00"
GREEN = "#00805d"
PURPLE = "#a8407d"
RED = "#c44e00"
SKY = "#2e86b8"
GREY = "#6b7280"
TEXT = "#1d2433"
BACKGROUND = "#ffffff"

MARKS = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY, GREY)
"""Colours of series and kinds, in the order in which they are used."""

DARK = {
    BLUE: "#4fa8e0",
    ORANGE: "#e69f00",
    GREEN: "#2fbf95",
    PURPLE: "#dd8fbb",
    RED: "#f08040",
    SKY: "#7cc7ee",
    GREY: "#98a2b3",
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
