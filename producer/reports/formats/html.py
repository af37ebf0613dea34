"""``html``: one self-contained page with chart, findings, table; no script, nothing to fetch."""

from html import escape

from poolrace.producer.reports.drawing import style
from poolrace.producer.reports.views.view import view
from poolrace.producer.results.files import Results


def render(results: Results) -> str:
    """A page that looks the same in ten years: all of it is in the file."""
    shown = view(results)
    kind = "soft" if shown.sound else "wrong"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(shown.title)}</title><style>{style.page()}</style></head><body>",
            f"<h1>{escape(shown.title)}</h1>",
            f'<p class="soft">{escape(shown.summary)} · {escape(results.made_at)}</p>',
            shown.chart.element() if shown.chart else "",
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
