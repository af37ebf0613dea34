"""The palette of charts: contrast to the background, and distance for colour-blind readers."""

import math
from itertools import combinations

import pytest

from poolrace.producer.reports.charts import palette

LEAST_CONTRAST = 3.0
"""Contrast that WCAG 2.2 asks of graphics (criterion 1.4.11)."""

LEAST_TEXT_CONTRAST = 4.5
"""Contrast that WCAG 2.2 asks of text (criterion 1.4.3)."""

LEAST_DISTANCE = 0.1
"""Distance of two colours in Oklab. The red and the green of traffic lights, #c8102e and #008450,
which are hard to tell apart with deuteranopia, have 0.05 then."""

MATRICES = {
    "trichromacy": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""Linear RGB -> linear RGB as a colour-blind reader sees it: Machado, Oliveira and Fernandes, "A
Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), severity 1.0."""

Triple = tuple[float, ...]


def linear(colour: str) -> Triple:
    """Linear RGB of a hexadecimal sRGB colour (IEC 61966-2-1)."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return tuple(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)


def times(matrix: tuple[Triple, ...], vector: Triple) -> Triple:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def contrast(colour: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2."""
    weights = ((0.2126, 0.7152, 0.0722),)
    low, high = sorted(times(weights, linear(each))[0] for each in (colour, other))
    return (high + 0.05) / (low + 0.05)


def oklab(rgb: Triple) -> Triple:
    """Oklab of linear RGB: Ottosson, "A perceptual color space for image processing" (2020)."""
    to_cones = (
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    )
    to_lab = (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
    inside = tuple(min(max(channel, 0.0), 1.0) for channel in rgb)
    return times(to_lab, tuple(cone ** (1 / 3) for cone in times(to_cones, inside)))


def distance(colour: str, other: str, vision: str) -> float:
    first, second = (oklab(times(MATRICES[vision], linear(each))) for each in (colour, other))
    return math.dist(first, second)


THEMES = {"light": {colour: colour for colour in palette.DARK}, "dark": palette.DARK}


@pytest.mark.parametrize("theme", THEMES)
def test_each_colour_contrasts_with_the_background(theme: str) -> None:
    shown = THEMES[theme]
    background = shown[palette.BACKGROUND]
    for colour in palette.MARKS:
        assert contrast(shown[colour], background) >= LEAST_CONTRAST, colour
    assert contrast(shown[palette.TEXT], background) >= LEAST_TEXT_CONTRAST


@pytest.mark.parametrize("vision", MATRICES)
@pytest.mark.parametrize("theme", THEMES)
def test_no_two_colours_look_alike_to_a_colour_blind_reader(theme: str, vision: str) -> None:
    shown = [THEMES[theme][colour] for colour in (*palette.MARKS, palette.TEXT)]
    for colour, other in combinations(shown, 2):
        assert distance(colour, other, vision) >= LEAST_DISTANCE, (colour, other)


def test_the_distance_tells_the_colours_of_traffic_lights_from_blue_and_orange() -> None:
    red, green, blue, orange = "#c8102e", "#008450", "#0072b2", "#e69f00"
    assert distance(red, green, "trichromacy") > 2 * LEAST_DISTANCE
    assert distance(red, green, "deuteranopia") < distance(blue, orange, "deuteranopia") / 2
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_each_colour_has_a_dark_one_and_a_custom_property() -> None:
    colours = {*palette.MARKS, palette.TEXT, palette.BACKGROUND}
    assert set(palette.DARK) == set(palette.VARIABLES) == colours
    for values in (palette.DARK.values(), palette.VARIABLES.values()):
        assert len(set(values)) == len(colours)
