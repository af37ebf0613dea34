"""``html``: one self-contained page with chart, findings, table; no script, nothing to fetch."""

from html import escape

from producer.reports.views import view
from producer.results import Results

STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --soft: #667085; --line: #d9dee7;
  --paper: #fff; --local: #3b7dd8; --celery: #37a169; --warm: #d9730d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf3; --soft: #98a2b3;
  --line: #344054; --paper: #12161f; --local: #6ba3f5; --celery: #5cc48d;
  --warm: #f2a65a; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; }
.soft { color: var(--soft); margin-top: .2rem; }
.chart { display: grid; grid-template-columns: max-content 1fr; gap: .35rem .8rem;
  margin: 1.5rem 0; align-items: center; }
.bar { height: 1.15rem; border-radius: 3px; min-width: 2px; display: inline-block;
  vertical-align: middle; background: var(--celery); }
.local { background: var(--local); }
.chart small { color: var(--soft); margin-left: .5rem; white-space: nowrap; }
.plot { width: 100%; height: auto; margin: 1.2rem 0; font-size: 13px; fill: var(--soft); }
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
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; }
.wrong { color: #d92d20; font-weight: 600; }
"""


def render(results: Results) -> str:
    """A page that looks the same in ten years: all of it is in the file."""
    shown = view(results)
    kind = "soft" if shown.sound else "wrong"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(shown.title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(shown.title)}</h1>",
            f'<p class="soft">{escape(shown.summary)} · {escape(results.made_at)}</p>',
            shown.chart,
            *(f"<p>{escape(sentence)}</p>" for sentence in shown.findings),
            '<div class="scroll"><table><thead>',
            _line("th", shown.header),
            "</thead><tbody>",
            *(_line("td", cells) for cells in shown.cells),
            "</tbody></table></div>",
            f'<p class="{kind}">{escape(shown.proof)}</p>',
            *(f"<p>{escape(line)}</p>" for line in shown.notes),
            *(f'<p class="soft">{escape(line)}</p>' for line in shown.machine),
            "</body></html>",
            "",
        )
    )


def _line(tag: str, cells: tuple[str, ...]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
