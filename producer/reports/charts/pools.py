"""Colour, shape and dash of each pool, the same in all charts."""

from poolrace.producer.reports.charts import palette

POOL_COLOURS = {
    "prefork": palette.BLUE,
    "threads": palette.ORANGE,
    "gevent": palette.GREEN,
    "solo": palette.PURPLE,
}
"""Pool -> the colour of its points, lines and cells."""

POOL_SHAPES = {
    "prefork": "circle",
    "threads": "square",
    "gevent": "triangle-up",
    "solo": "diamond",
}
"""Pool -> the shape of its points; other pools are drawn as crosses."""

DASHES = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2], [12, 3], [1, 4])
"""Pixels of dash and gap of the lines, in turn."""


def pool_colour(pool: str) -> str:
    """The colour of the pool; of a pool that poolrace does not know, red."""
    return POOL_COLOURS.get(pool, palette.RED)


def pool_shape(pool: str) -> str:
    """The shape of the pool's points; of a pool that poolrace does not know, a cross."""
    return POOL_SHAPES.get(pool, "cross")
