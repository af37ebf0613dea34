"""The HTML document around the sections of a page: policy, style and scripts, all inline."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from poolrace.producer.reports.page.element import Markup, element, joined
from poolrace.producer.reports.page.theme import custom_properties

FOLDER = files("poolrace.producer.reports.page")
"""The folder of the style sheet and of the script."""


def document(title: str, main: Markup, library: Markup) -> str:
    """The whole page; its policy forbids every request and every script except for these."""
    # The page's script is ASCII-safe text of ours and has no end tag in it.
    own = Markup(FOLDER.joinpath("page.js").read_text(encoding="utf-8"))
    style = Markup(FOLDER.joinpath("page.css").read_text(encoding="utf-8"))
    style = joined((custom_properties(), style))
    scripts = [script for script in (library, own) if script]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(scripts)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", style),
    )
    # Scripts come last, after the elements that they use.
    body = element(
        "body",
        element("main", main),
        *(element("script", script, type="module") for script in scripts),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _policy(scripts: list[Markup]) -> str:
    """The Content-Security-Policy: scripts by hash, no request. Vega sets inline styles."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes};"
        " style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return b64encode(sha256(script.encode()).digest()).decode()
