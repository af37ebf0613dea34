"""SVG drawings: a plot of curves and points, horizontal bars, a grid of coloured cells.

Colours and line styles are CSS classes, which ``style.py`` defines; nothing is loaded from
elsewhere. This module draws numbers and labels, and imports neither results nor their analysis.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from poolrace.producer.reports.drawing.markup import markup

WIDTH, HEIGHT = 760, 380
"""Units of the drawing's coordinate system: the width of a drawing, the height of a plot."""

LEFT, RIGHT, TOP, BOTTOM = 64, 20, 46, 48
"""Units between the edges of a plot and its axes: space for numbers, legend and titles."""

TICK_DISTANCE = 30
"""Units between two numbers below the x axis, at least; closer numbers are left out."""

CURVE_SEGMENTS = 120
"""Number of straight segments per curve."""

CHARACTER_WIDTH = 7.2
"""Units; the average width of a character of the drawing's font."""

BAR_MARGIN = 24
"""Units kept free between the names and the bars, and again between bars, texts and the edge."""

BAR_DISTANCE = 26
"""Units from the top of a bar to the top of the next one."""

CELL_HEIGHT = 52.0
"""Units; the height of a cell of a grid."""


@dataclass(frozen=True)
class Drawing:
    """SVG shapes in a box of width ``WIDTH``."""

    label: str
    """Description of the content for screen readers."""
    height: float
    shapes: tuple[str, ...]

    def element(self) -> str:
        """The drawing as an ``svg`` element of an HTML page."""
        return "\n".join(
            (
                (
                    f'<svg class="plot" viewBox="0 0 {WIDTH} {self.height:g}" role="img"'
                    f' aria-label="{markup(self.label)}">'
                ),
                *self.shapes,
                "</svg>",
            )
        )


@dataclass(frozen=True)
class Axis:
    """One axis of a plot: converts values to positions and back."""

    title: str
    low: float
    high: float
    ticks: Sequence[float]
    log: bool = False

    def fraction(self, value: float) -> float:
        """The position of the value along the axis, from 0 to 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def value_at(self, fraction: float) -> float:
        """The value at a position: the inverse of ``fraction``."""
        if self.log:
            return self.low * math.pow(self.high / self.low, fraction)
        return self.low + fraction * (self.high - self.low)


@dataclass
class Plot:
    """Collects curves, points and marks, and draws them over a grid with axes and a legend."""

    label: str
    x: Axis
    y: Axis
    _shapes: list[str] = field(default_factory=list)
    _legend: list[tuple[str, str]] = field(default_factory=list)

    def curve(self, css_class: str, name: str, points: Iterable[tuple[float, float]]) -> None:
        """Add a line through those points that lie within the plot, and its legend entry."""
        inside = [(x, y) for x, y in points if self.y.low <= y <= self.y.high * 1.001]
        positions = " ".join(f"{self._left(x):.1f},{self._top(y):.1f}" for x, y in inside)
        self._shapes.append(f'<polyline class="{markup(css_class)}" points="{positions}"/>')
        self._legend.append((css_class, name))

    def point(self, x: float, y: float, low: float, high: float) -> None:
        """Add a measured value, and its spread as a vertical line from ``low`` to ``high``."""
        left = self._left(x)
        self._shapes += [
            (
                f'<line class="spread" x1="{left:.1f}" x2="{left:.1f}" y1="{self._top(low):.1f}"'
                f' y2="{self._top(high):.1f}"/>'
            ),
            f'<circle class="point" cx="{left:.1f}" cy="{self._top(y):.1f}" r="4.5"/>',
        ]

    def mark(self, x: float, text: str) -> None:
        """Add a vertical line at ``x`` with a text beside it."""
        left = self._left(x)
        text_on_right = self.x.fraction(x) < 0.6
        anchor, text_left = ("start", left + 6) if text_on_right else ("end", left - 6)
        bottom = HEIGHT - BOTTOM
        self._shapes += [
            f'<line class="mark" x1="{left:.1f}" x2="{left:.1f}" y1="{TOP}" y2="{bottom}"/>',
            (
                f'<text class="strong" x="{text_left:.1f}" y="{TOP + 14}" text-anchor="{anchor}">'
                f"{markup(text)}</text>"
            ),
        ]

    def drawing(self) -> Drawing:
        """The collected shapes with grid, axes and legend."""
        return Drawing(self.label, HEIGHT, (*self._grid(), *self._shapes, *_legend(self._legend)))

    def _grid(self) -> list[str]:
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        lines = [
            (
                f'<text x="{(LEFT + right) / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
                f"{markup(self.x.title)}</text>"
            ),
            f'<text x="{LEFT}" y="{TOP - 8}" text-anchor="end">{markup(self.y.title)}</text>',
        ]
        for tick in self.y.ticks:
            top = self._top(tick)
            lines += [
                f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{top:.1f}" y2="{top:.1f}"/>',
                f'<text x="{LEFT - 8}" y="{top + 4:.1f}" text-anchor="end">{tick:g}</text>',
            ]
        previous = -math.inf
        for tick in self.x.ticks:
            left = self._left(tick)
            if left - previous >= TICK_DISTANCE:
                lines.append(
                    f'<text x="{left:.1f}" y="{bottom + 18}" text-anchor="middle">{tick:g}</text>'
                )
                previous = left
        return lines

    def _left(self, x: float) -> float:
        return LEFT + self.x.fraction(x) * (WIDTH - LEFT - RIGHT)

    def _top(self, y: float) -> float:
        return HEIGHT - BOTTOM - self.y.fraction(y) * (HEIGHT - TOP - BOTTOM)


@dataclass(frozen=True)
class Bar:
    """A horizontal bar with a name on its left and a text on its right."""

    css_class: str
    name: str
    value: float
    text: str


def bars(label: str, rows: Sequence[Bar]) -> Drawing:
    """Horizontal bars in proportion to their values; the longest leaves space for the texts."""
    left = BAR_MARGIN + CHARACTER_WIDTH * max(len(bar.name) for bar in rows)
    text_width = CHARACTER_WIDTH * max(len(bar.text) for bar in rows)
    longest_width = WIDTH - left - BAR_MARGIN - text_width
    highest = max(bar.value for bar in rows) or 1.0
    shapes = []
    for number, bar in enumerate(rows):
        top = 8 + BAR_DISTANCE * number
        width = max(2.0, longest_width * bar.value / highest)
        shapes += [
            f'<text x="0" y="{top + 14}">{markup(bar.name)}</text>',
            (
                f'<rect class="{markup(bar.css_class)}" x="{left:.1f}" y="{top}"'
                f' width="{width:.1f}" height="19" rx="3"/>'
            ),
            f'<text x="{left + width + 8:.1f}" y="{top + 14}">{markup(bar.text)}</text>',
        ]
    return Drawing(label, 16 + BAR_DISTANCE * len(rows), tuple(shapes))


@dataclass(frozen=True)
class Cell:
    """One cell of a grid: a coloured rectangle with a text."""

    css_class: str
    text: str
    second_line: str = ""
    """A second line in a smaller font."""


def grid(
    label: str,
    titles: tuple[str, str],
    names: tuple[Sequence[str], Sequence[str]],
    cells: Sequence[Sequence[Cell]],
    legend: Iterable[tuple[str, str]],
) -> Drawing:
    """A grid of coloured cells, rows from bottom to top.

    ``titles`` holds the titles of the x and the y axis, ``names`` the names of columns and rows.
    ``legend`` holds pairs of a CSS class and a name.
    """
    (x_title, y_title), (columns, rows) = titles, names
    width = (WIDTH - LEFT - RIGHT) / len(columns)
    bottom = TOP + CELL_HEIGHT * len(rows)
    shapes = [
        *_legend(legend),
        f'<text x="{LEFT}" y="{TOP - 8}" text-anchor="end">{markup(y_title)}</text>',
    ]
    for row, (name, row_cells) in enumerate(zip(rows, cells, strict=True)):
        top = bottom - CELL_HEIGHT * (row + 1)
        shapes.append(
            f'<text x="{LEFT - 10}" y="{top + CELL_HEIGHT / 2 + 4:.1f}" text-anchor="end">'
            f"{markup(name)}</text>"
        )
        for column, cell in enumerate(row_cells):
            shapes += _cell_shapes(cell, LEFT + width * column, top, width)
    for column, name in enumerate(columns):
        shapes.append(
            f'<text x="{LEFT + width * (column + 0.5):.1f}" y="{bottom + 20:.1f}"'
            f' text-anchor="middle">{markup(name)}</text>'
        )
    shapes.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{bottom + 42:.1f}" text-anchor="middle">'
        f"{markup(x_title)}</text>"
    )
    return Drawing(label, bottom + 52, tuple(shapes))


def _cell_shapes(cell: Cell, left: float, top: float, width: float) -> list[str]:
    centre, middle = left + width / 2, top + CELL_HEIGHT / 2
    text_top = middle - 6 if cell.second_line else middle + 4
    shapes = [
        (
            f'<rect class="{markup(cell.css_class)}" x="{left + 1.5:.1f}" y="{top + 1.5:.1f}"'
            f' width="{width - 3:.1f}" height="{CELL_HEIGHT - 3:.1f}" rx="3"/>'
        ),
        (
            f'<text class="cell" x="{centre:.1f}" y="{text_top:.1f}"'
            f' text-anchor="middle">{markup(cell.text)}</text>'
        ),
    ]
    if cell.second_line:
        shapes.append(
            f'<text class="cell small" x="{centre:.1f}" y="{middle + 18:.1f}"'
            f' text-anchor="middle">{markup(cell.second_line)}</text>'
        )
    return shapes


def _legend(entries: Iterable[tuple[str, str]]) -> list[str]:
    """The legend in one line above the plot: a short line of each CSS class, and its name."""
    shapes, left = [], float(LEFT + 16)
    for css_class, name in entries:
        shapes += [
            (
                f'<line class="{markup(css_class)}" x1="{left:.0f}" x2="{left + 26:.0f}" y1="14"'
                ' y2="14"/>'
            ),
            f'<text x="{left + 32:.0f}" y="18">{markup(name)}</text>',
        ]
        left += 32 + CHARACTER_WIDTH * len(name) + 22
    return shapes


def curve_values(axis: Axis) -> list[float]:
    """Values at equal distances along the axis, to draw a curve through."""
    return [axis.value_at(step / CURVE_SEGMENTS) for step in range(CURVE_SEGMENTS + 1)]


def round_ticks(high: float) -> list[float]:
    """About five round numbers from 0 up to ``high``."""
    smallest_step = high / 5
    power = 10.0 ** math.floor(math.log10(smallest_step))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= smallest_step)
    return [number * step for number in range(int(high / step + 1e-9) + 1)]
