"""``html``: one self-contained page with bars, table, findings; no script, nothing to fetch."""

from html import escape

from producer.reports.findings import findings
from producer.reports.table import HEADER, Row, fleet, machine, proof, rows, summary
from producer.results import Comparison

STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --soft: #667085; --line: #d9dee7;
  --paper: #fff; --local: #3b7dd8; --celery: #37a169; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf3; --soft: #98a2b3;
  --line: #344054; --paper: #12161f; --local: #6ba3f5; --celery: #5cc48d; } }
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
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; }
.wrong { color: #d92d20; font-weight: 600; }
"""


def render(comparison: Comparison) -> str:
    """A page that looks the same in ten years: all of it is in the file."""
    table = rows(comparison)
    title = f"{comparison.workload}: {len(table)} execution models"
    kind = "soft" if comparison.exact else "wrong"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            f'<p class="soft">{escape(summary(comparison))} · {escape(comparison.made_at)}</p>',
            '<div class="chart" role="img" aria-label="time of each model">',
            *_bars(table),
            "</div>",
            *(f"<p>{escape(sentence)}</p>" for sentence in findings(table)),
            '<div class="scroll"><table><thead><tr>',
            *(f"<th>{escape(name)}</th>" for name in HEADER),
            "</tr></thead><tbody>",
            *(_line(row) for row in table),
            "</tbody></table></div>",
            f'<p class="{kind}">{escape(proof(comparison))}</p>',
            *(f"<p>{escape(line)}</p>" for line in fleet(comparison)),
            *(f'<p class="soft">{escape(line)}</p>' for line in machine(comparison)),
            "</body></html>",
            "",
        )
    )


def _bars(table: list[Row]) -> list[str]:
    longest_s = max((row.elapsed_s for row in table), default=1.0)
    lines = []
    for row in table:
        kind = "bar local" if row.model.startswith("local:") else "bar"
        width = 80 * row.elapsed_s / longest_s
        lines.append(
            f"<span>{escape(row.model)}</span><span>"
            f'<span class="{kind}" style="width:{width:.1f}%"></span>'
            f"<small>{row.elapsed_s:.2f} s · {row.speed_up:.2f}x</small></span>"
        )
    return lines


def _line(row: Row) -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row.cells())}</tr>"
