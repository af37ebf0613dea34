"""``html``: the report as one self-contained page that requests nothing."""

from poolrace.producer.reports.page import figures
from poolrace.producer.reports.page.document import document
from poolrace.producer.reports.page.element import Markup, element, elements, joined
from poolrace.producer.reports.page.table import table
from poolrace.producer.reports.views.view import View, Viewed, view


def render(results: Viewed) -> str:
    """The page: hosts and versions, findings, charts, tables, notes, and the command."""
    content = view(results)
    return page(content, results.made_at)


def page(content: View, made_at: str) -> str:
    """The page of this view."""
    library = figures.library()
    main = joined(
        (
            element("h1", content.title),
            element("p", f"{content.summary} · {made_at}", class_="quiet"),
            elements("p", content.environment, class_="quiet"),
            elements("p", content.warnings, class_="alarm"),
            _findings(content),
            _charts(content, library),
            _section("Results", table("Results", content.header, content.cells)),
            _section("Each measurement", table("As measured", content.raw_header, content.raw)),
            _section("Notes", elements("p", content.notes)) if content.notes else "",
            _command(content.invocation) if content.invocation else "",
        )
    )
    return document(content.title, main, library if content.charts else Markup())


def _section(heading: str, *content: str, **attributes: str) -> Markup:
    return element("section", element("h2", heading), *content, **attributes)


def _findings(content: View) -> Markup:
    validity = element("p", content.validity, class_="quiet" if content.valid else "alarm")
    return _section("Findings", elements("p", content.findings), validity, class_="findings")


def _charts(content: View, library: Markup) -> Markup:
    """The charts, or the sentence that names the extra; nothing if these results have no chart."""
    if not library:
        return element("p", figures.MISSING, class_="quiet")
    if not content.charts:
        return Markup()
    return _section("Charts", *map(figures.figure, content.charts))


def _command(invocation: str) -> Markup:
    return _section(
        "Repeat it",
        element("pre", element("code", invocation)),
        element("button", "Copy the command", type="button", class_="copy", hidden="hidden"),
        element("p", role="status"),
        class_="repeat",
    )
