"""The CSS of HTML pages and SVG images: colours for light and dark themes, shapes, page layout."""

import re

COLOURS = {
    "text": ("#1d2433", "#e7ebf3"),
    "muted": ("#667085", "#98a2b3"),
    "line": ("#d9dee7", "#344054"),
    "background": ("#ffffff", "#12161f"),
    "local": ("#3b7dd8", "#6ba3f5"),
    "celery": ("#37a169", "#5cc48d"),
    "orange": ("#d9730d", "#f2a65a"),
}
"""Name -> colours of the light and of the dark theme."""

SHAPES = """
.plot { font-size: 13px; fill: var(--muted); }
.plot polyline, .plot line { fill: none; stroke: var(--muted); stroke-width: 1.5; }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.plot .fitted { stroke: var(--local); stroke-width: 2.5; }
.plot .overhead { stroke: var(--orange); stroke-width: 2; stroke-dasharray: 7 4; }
.plot .imbalance { stroke: var(--celery); stroke-width: 2; stroke-dasharray: 2 4; }
.plot .prefork { stroke: var(--local); stroke-width: 2.5; }
.plot .threads { stroke: var(--celery); stroke-width: 2.5; }
.plot .gevent { stroke: var(--orange); stroke-width: 2.5; }
.plot .solo { stroke: var(--muted); stroke-width: 2.5; }
.plot .ideal { stroke-dasharray: 5 5; }
.plot .mark { stroke: var(--text); stroke-width: 1; stroke-dasharray: 3 3; }
.plot .strong { fill: var(--text); font-weight: 600; }
.plot .spread { stroke: var(--text); }
.plot .point { fill: var(--text); }
.plot rect { stroke: none; }
.plot rect.celery { fill: var(--celery); }
.plot rect.local, .plot rect.prefork { fill: var(--local); }
.plot rect.threads { fill: var(--celery); }
.plot rect.gevent { fill: var(--orange); }
.plot rect.solo { fill: var(--muted); }
.plot rect.alike { opacity: .5; }
.plot .cell { fill: var(--background); font-weight: 600; }
.plot .alike + .cell, .plot .alike + .cell + .cell { fill: var(--text); }
.plot .small { font-size: 11px; }
.plot .title { font-size: 19px; }
"""
"""CSS of the shapes of a drawing; a class names the curve, pool or model that a shape shows."""

PAGE = """
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--background);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; }
.muted { color: var(--muted); margin-top: .2rem; }
svg.plot { width: 100%; height: auto; margin: 1.2rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; }
.error { color: #d92d20; font-weight: 600; }
"""
"""CSS of the HTML page around the drawing."""


def page_css() -> str:
    """The CSS of an HTML page; it follows the reader's choice of a light or dark theme."""
    light, dark = (
        " ".join(f"--{name}: {colours[theme]};" for name, colours in COLOURS.items())
        for theme in (0, 1)
    )
    return (
        f"\n:root {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}{PAGE}{SHAPES}"
    )


def image_css() -> str:
    """The CSS of an SVG image in the light theme, without variables, which resvg does not know."""
    return re.sub(r"var\(--(\w+)\)", lambda name: COLOURS[name[1]][0], SHAPES)
