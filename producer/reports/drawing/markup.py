"""Escapes text for HTML and SVG."""

from html import escape

from poolrace.producer.printable import printable


def markup(text: str) -> str:
    """The text as the content of an element, or as the value of an attribute in quotes."""
    return escape(printable(text))
