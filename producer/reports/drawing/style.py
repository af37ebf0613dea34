"""What pages and pictures look like: colours for light and dark, and how each kind is drawn."""

import re

COLOURS = {
    "ink": ("#1d2433", "#e7ebf3"),
    "soft": ("#667085", "#98a2b3"),
    "line": ("#d9dee7", "#344054"),
    "paper": ("#ffffff", "#12161f"),
    "local": ("#3b7dd8", "#6ba3f5"),
    "celery": ("#37a169", "#5cc48d"),
    "warm": ("#d9730d", "#f2a65a"),
}
"""Name -> colour on light and on dark paper."""

SHAPES = """
.plot { font-size: 13px; fill: var(--soft); }
.plot polyline, .plot line { fill: none; stroke: var(--soft); stroke-width: 1.5; }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.plot .law { stroke: var(--local); stroke-width: 2.5; }
.plot .overhead { stroke: var(--warm); stroke-width: 2; stroke-dasharray: 7 4; }
.plot .imbalance { stroke: var(--celery); stroke-width: 2; stroke-dasharray: 2 4; }
.plot .prefork { stroke: var(--local); stroke-width: 2.5; }
.plot .threads { stroke: var(--celery); stroke-width: 2.5; }
.plot .gevent { stroke: var(--warm); stroke-width: 2.5; }
.plot .solo { stroke: var(--soft); stroke-width: 2.5; }
.plot .ideal { stroke-dasharray: 5 5; }
.plot .mark { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; }
.plot .strong { fill: var(--ink); font-weight: 600; }
.plot .spread { stroke: var(--ink); }
.plot .point { fill: var(--ink); }
.plot rect { stroke: none; }
.plot rect.celery { fill: var(--celery); }
.plot rect.local, .plot rect.prefork { fill: var(--local); }
.plot rect.threads { fill: var(--celery); }
.plot rect.gevent { fill: var(--warm); }
.plot rect.solo { fill: var(--soft); }
.plot rect.alike { opacity: .5; }
.plot .on { fill: var(--paper); font-weight: 600; }
.plot .alike + .on, .plot .alike + .on + .on { fill: var(--ink); }
.plot .small { font-size: 11px; }
.plot .title { font-size: 19px; }
"""
"""A shape's class says what it stands for."""

PAGE = """
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; }
.soft { color: var(--soft); margin-top: .2rem; }
svg.plot { width: 100%; height: auto; margin: 1.2rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; }
.wrong { color: #d92d20; font-weight: 600; }
"""


def page() -> str:
    """The style of a page, which follows the reader's choice of light or dark."""
    light, dark = (
        " ".join(f"--{name}: {colours[theme]};" for name, colours in COLOURS.items())
        for theme in (0, 1)
    )
    return (
        f"\n:root {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}{PAGE}{SHAPES}"
    )


def picture() -> str:
    """The style of shapes alone, on light paper; what draws pictures knows no variables."""
    return re.sub(r"var\(--(\w+)\)", lambda found: COLOURS[found[1]][0], SHAPES)
