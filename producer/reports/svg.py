"""A small plot as inline SVG: axes, curves, points with their spread. Knows no comparison.

Colours are classes, which the page defines for light and dark; nothing is fetched.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 46, 48
"""Room for the ticks' numbers, the legend and the titles of the axes."""

APART = 30
"""Between two numbers below the axis, so that they do not overlap."""

STEPS = 120
"""Straight pieces that a curve is drawn with."""


@dataclass(frozen=True)
class Axis:
    """From values to places along one side of the plot."""

    title: str
    low: float
    high: float
    ticks: Sequence[float]
    log: bool = False

    def part(self, value: float) -> float:
        """Where the value lies, from 0 to 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def value(self, part: float) -> float:
        """The value that lies there: the reverse of ``part``."""
        if self.log:
            return self.low * math.pow(self.high / self.low, part)
        return self.low + part * (self.high - self.low)


@dataclass
class Plot:
    """Collects what is drawn; a ``kind`` is a class of the page's style."""

    label: str
    x: Axis
    y: Axis
    _parts: list[str] = field(default_factory=list)
    _legend: list[tuple[str, str]] = field(default_factory=list)

    def curve(self, kind: str, name: str, points: Iterable[tuple[float, float]]) -> None:
        """A line through the points, as far as they lie on the plot."""
        inside = [(x, y) for x, y in points if self.y.low <= y <= self.y.high * 1.001]
        places = " ".join(f"{self._at_x(x):.1f},{self._at_y(y):.1f}" for x, y in inside)
        self._parts.append(f'<polyline class="{kind}" points="{places}"/>')
        self._legend.append((kind, name))

    def point(self, x: float, y: float, low: float, high: float) -> None:
        """A measured value and its spread."""
        at = self._at_x(x)
        self._parts += [
            (
                f'<line class="spread" x1="{at:.1f}" x2="{at:.1f}" y1="{self._at_y(low):.1f}"'
                f' y2="{self._at_y(high):.1f}"/>'
            ),
            f'<circle class="point" cx="{at:.1f}" cy="{self._at_y(y):.1f}" r="4.5"/>',
        ]

    def mark(self, x: float, words: str) -> None:
        """A vertical line at ``x``, with words beside it."""
        at = self._at_x(x)
        right = self.x.part(x) < 0.6
        anchor, beside = ("start", at + 6) if right else ("end", at - 6)
        self._parts += [
            f'<line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>',
            (
                f'<text class="strong" x="{beside:.1f}" y="{TOP + 14}" text-anchor="{anchor}">'
                f"{escape(words)}</text>"
            ),
        ]

    def render(self) -> str:
        """The plot as an element of the page."""
        return "\n".join(
            (
                (
                    f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
                    f' aria-label="{escape(self.label)}">'
                ),
                *self._grid(),
                *self._parts,
                *self._names(),
                "</svg>",
            )
        )

    def _grid(self) -> list[str]:
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        lines = [
            (
                f'<text x="{(LEFT + right) / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
                f"{escape(self.x.title)}</text>"
            ),
            f'<text x="{LEFT}" y="{TOP - 8}" text-anchor="end">{escape(self.y.title)}</text>',
        ]
        for tick in self.y.ticks:
            at = self._at_y(tick)
            lines += [
                f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>',
                f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{tick:g}</text>',
            ]
        last = -math.inf
        for tick in self.x.ticks:
            at = self._at_x(tick)
            if at - last >= APART:
                lines.append(
                    f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{tick:g}</text>'
                )
                last = at
        return lines

    def _names(self) -> list[str]:
        lines, at = [], float(LEFT + 16)
        for kind, name in self._legend:
            lines += [
                f'<line class="{kind}" x1="{at:.0f}" x2="{at + 26:.0f}" y1="14" y2="14"/>',
                f'<text x="{at + 32:.0f}" y="18">{escape(name)}</text>',
            ]
            at += 32 + 7.2 * len(name) + 22  # some 7 px a letter at this size
        return lines

    def _at_x(self, value: float) -> float:
        return LEFT + self.x.part(value) * (WIDTH - LEFT - RIGHT)

    def _at_y(self, value: float) -> float:
        return HEIGHT - BOTTOM - self.y.part(value) * (HEIGHT - TOP - BOTTOM)


def along(axis: Axis) -> list[float]:
    """Values to draw a curve through, evenly spread over the axis as it is shown."""
    return [axis.value(step / STEPS) for step in range(STEPS + 1)]


def round_ticks(high: float) -> list[float]:
    """Some five round numbers from 0 up to ``high``."""
    rough = high / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [number * step for number in range(int(high / step + 1e-9) + 1)]
