"""``html``: the report as one self-contained page that requests nothing."""

from collections.abc import Iterator

from poolrace.producer.reports.page import figures
from poolrace.producer.reports.page.document import document
from poolrace.producer.reports.page.element import Markup, element, escaped, joined
from poolrace.producer.reports.page.table import measurements, sentences, table
from poolrace.producer.reports.views.view import View, Viewed, view

MAX_COMMAND = 20_000
"""Number of characters of a command on a page."""

TOO_LONG = "The command is too long for a page: it is the field `invocation` of the results file."

Section = tuple[str, str, Markup]
"""Id, heading and content of a section."""


def render(results: Viewed) -> str:
    """The page: measurement and hosts, findings, charts, tables, notes, and the command."""
    content = view(results)
    return page(content, results.made_at)


def page(content: View, made_at: str) -> str:
    """The page of this view."""
    library = figures.library()
    sections = list(_sections(content, library))
    links = joined(element("a", heading, href=f"#{name}") for name, heading, _ in sections)
    main = joined(
        (
            element("h1", content.title),
            _facts(content, made_at),
            sentences(content.warnings, class_="alarm"),
            element("nav", links, aria_label="Sections"),
            *(
                element("section", element("h2", heading), inner, id=name)
                for name, heading, inner in sections
            ),
        )
    )
    return document(content.title, main, library if content.charts else Markup())


def _facts(content: View, made_at: str) -> Markup:
    """The list of facts: measurement, hosts with their versions, and time."""
    day, _, time = made_at.partition("T")
    facts = {
        "Measured": sentences([content.summary]),
        "Where": sentences(content.environment),
        "When": sentences([f"{day} {time[:8]} ({made_at[19:].lstrip('.0123456789')})"]),
    }
    return element(
        "dl",
        *(
            element("div", element("dt", name), element("dd", lines))
            for name, lines in facts.items()
        ),
        class_="facts",
    )


def _sections(content: View, library: Markup) -> Iterator[Section]:
    validity = element("p", content.validity, class_="quiet" if content.valid else "alarm")
    yield "findings", "Findings", joined((sentences(content.findings), validity))
    if not library:
        yield "charts", "Charts", element("p", figures.MISSING, class_="quiet")
    elif content.charts:
        yield "charts", "Charts", figures.figures(content.charts)
    yield "results", "Results", table("Results", content.header, content.cells)
    raw = measurements("Each measurement", content.raw_header, content.raw)
    yield "measurements", "Each measurement", raw
    if content.notes:
        yield "notes", "Notes", sentences(content.notes)
    if content.invocation:
        yield "repeat", "Repeat it", _command(content.invocation)


def _command(invocation: str) -> Markup:
    if len(invocation) > MAX_COMMAND:
        return element("p", TOO_LONG)
    return element(
        "div",
        element("pre", element("code", escaped(invocation)), tabindex="0"),
        element("button", "Copy the command", type="button", hidden="hidden"),
        element("p", role="status"),
        class_="command",
    )
