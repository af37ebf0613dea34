"""Small drawings as SVG: a plot of curves and points, bars, a grid. Knows no comparison.

Colours are classes, which ``style.py`` defines; nothing is fetched.
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


LETTER = 7.2
"""Width of a letter, roughly."""


@dataclass(frozen=True)
class Drawing:
    """Shapes in a box that is ``WIDTH`` wide."""

    label: str
    """What it shows, for those who cannot see it."""
    height: float
    shapes: tuple[str, ...]

    def element(self) -> str:
        """The drawing as an element of a page."""
        return "\n".join(
            (
                (
                    f'<svg class="plot" viewBox="0 0 {WIDTH} {self.height:g}" role="img"'
                    f' aria-label="{escape(self.label)}">'
                ),
                *self.shapes,
                "</svg>",
            )
        )


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

    def drawing(self) -> Drawing:
        """What was collected, with axes and legend."""
        return Drawing(self.label, HEIGHT, (*self._grid(), *self._parts, *legend(self._legend)))

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

    def _at_x(self, value: float) -> float:
        return LEFT + self.x.part(value) * (WIDTH - LEFT - RIGHT)

    def _at_y(self, value: float) -> float:
        return HEIGHT - BOTTOM - self.y.part(value) * (HEIGHT - TOP - BOTTOM)


@dataclass(frozen=True)
class Bar:
    """A bar with its name before it, and words behind."""

    kind: str
    name: str
    value: float
    words: str


def bars(label: str, found: Sequence[Bar]) -> Drawing:
    """Bars from the left, the longest of which ends where the words have room."""
    left = 24 + LETTER * max(len(bar.name) for bar in found)
    room = WIDTH - left - 24 - LETTER * max(len(bar.words) for bar in found)
    longest = max(bar.value for bar in found) or 1.0
    shapes = []
    for number, bar in enumerate(found):
        top, width = 8 + 26 * number, max(2.0, room * bar.value / longest)
        shapes += [
            f'<text x="0" y="{top + 14}">{escape(bar.name)}</text>',
            (
                f'<rect class="{bar.kind}" x="{left:.1f}" y="{top}" width="{width:.1f}"'
                ' height="19" rx="3"/>'
            ),
            f'<text x="{left + width + 8:.1f}" y="{top + 14}">{escape(bar.words)}</text>',
        ]
    return Drawing(label, 16 + 26 * len(found), tuple(shapes))


@dataclass(frozen=True)
class Cell:
    """A field of a grid."""

    kind: str
    words: str
    more: str = ""
    """A second, smaller line."""


def grid(
    label: str,
    titles: tuple[str, str],
    names: tuple[Sequence[str], Sequence[str]],
    cells: Sequence[Sequence[Cell]],
    kinds: Iterable[tuple[str, str]],
) -> Drawing:
    """Coloured fields: ``titles`` and ``names`` of columns and rows, the rows from below upwards.

    ``kinds`` are the legend: class and name.
    """
    (across, upwards), (columns, rows) = titles, names
    wide, high = (WIDTH - LEFT - RIGHT) / len(columns), 52.0
    bottom = TOP + high * len(rows)
    shapes = [
        *legend(kinds),
        f'<text x="{LEFT}" y="{TOP - 8}" text-anchor="end">{escape(upwards)}</text>',
    ]
    for row, (name, line) in enumerate(zip(rows, cells, strict=True)):
        top = bottom - high * (row + 1)
        shapes.append(
            f'<text x="{LEFT - 10}" y="{top + high / 2 + 4:.1f}" text-anchor="end">{name}</text>'
        )
        for column, cell in enumerate(line):
            shapes += _field(cell, LEFT + wide * column, top, wide, high)
    for column, name in enumerate(columns):
        shapes.append(
            f'<text x="{LEFT + wide * (column + 0.5):.1f}" y="{bottom + 20:.1f}"'
            f' text-anchor="middle">{escape(name)}</text>'
        )
    shapes.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{bottom + 42:.1f}" text-anchor="middle">'
        f"{escape(across)}</text>"
    )
    return Drawing(label, bottom + 52, tuple(shapes))


def _field(cell: Cell, left: float, top: float, wide: float, high: float) -> list[str]:
    middle = left + wide / 2
    up = 10 if cell.more else 0
    shapes = [
        (
            f'<rect class="{cell.kind}" x="{left + 1.5:.1f}" y="{top + 1.5:.1f}"'
            f' width="{wide - 3:.1f}" height="{high - 3:.1f}" rx="3"/>'
        ),
        (
            f'<text class="on" x="{middle:.1f}" y="{top + high / 2 + 4 - up:.1f}"'
            f' text-anchor="middle">{escape(cell.words)}</text>'
        ),
    ]
    if cell.more:
        shapes.append(
            f'<text class="on small" x="{middle:.1f}" y="{top + high / 2 + 18:.1f}"'
            f' text-anchor="middle">{escape(cell.more)}</text>'
        )
    return shapes


def legend(kinds: Iterable[tuple[str, str]]) -> list[str]:
    """Names of kinds in a line at the top, each behind a piece of it."""
    lines, at = [], float(LEFT + 16)
    for kind, name in kinds:
        lines += [
            f'<line class="{kind}" x1="{at:.0f}" x2="{at + 26:.0f}" y1="14" y2="14"/>',
            f'<text x="{at + 32:.0f}" y="18">{escape(name)}</text>',
        ]
        at += 32 + LETTER * len(name) + 22
    return lines


def along(axis: Axis) -> list[float]:
    """Values to draw a curve through, evenly spread over the axis as it is shown."""
    return [axis.value(step / STEPS) for step in range(STEPS + 1)]


def round_ticks(high: float) -> list[float]:
    """Some five round numbers from 0 up to ``high``."""
    rough = high / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [number * step for number in range(int(high / step + 1e-9) + 1)]
