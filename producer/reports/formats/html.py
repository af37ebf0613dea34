"""``html``: the report as one self-contained page: no scripts, nothing loaded from elsewhere."""

from poolrace.producer.reports.drawing import style
from poolrace.producer.reports.drawing.markup import markup
from poolrace.producer.reports.views.view import Viewed, view


def render(results: Viewed) -> str:
    """Title, summary, chart, findings, table, validity, notes and environment as a page."""
    content = view(results)
    validity_class = "muted" if content.valid else "error"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{markup(content.title)}</title><style>{style.page_css()}</style></head><body>",
            f"<h1>{markup(content.title)}</h1>",
            f'<p class="muted">{markup(content.summary)} · {markup(results.made_at)}</p>',
            *(f'<p class="error">{markup(line)}</p>' for line in content.warnings),
            content.chart.element() if content.chart else "",
            *(f"<p>{markup(sentence)}</p>" for sentence in content.findings),
            '<div class="scroll"><table><thead>',
            _row("th", content.header),
            "</thead><tbody>",
            *(_row("td", cells) for cells in content.cells),
            "</tbody></table></div>",
            f'<p class="{validity_class}">{markup(content.validity)}</p>',
            *(f"<p>{markup(line)}</p>" for line in content.notes),
            *(f'<p class="muted">{markup(line)}</p>' for line in content.environment),
            "</body></html>",
            "",
        )
    )


def _row(tag: str, cells: tuple[str, ...]) -> str:
    return f"<tr>{''.join(f'<{tag}>{markup(cell)}</{tag}>' for cell in cells)}</tr>"
