"""HTML elements as text: every string is escaped unless it is ``Markup`` already."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from poolrace.producer.printable import printable, printable_json


class Markup(str):
    """HTML that needs no escaping, because this module made it or because it is our own."""

    __slots__ = ()


MAX_TEXT = 2000
"""Number of characters of a text; the middle of a longer one is left out."""

VOID = frozenset({"meta"})
"""Elements that have no content and no end tag."""


def element(tag: str, *content: str, **attributes: str) -> Markup:
    """An element; ``class_`` and ``aria_label`` name the attributes ``class`` and ``aria-label``.

    Content and values of attributes are escaped; content that is ``Markup`` is not.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_escaped(value)}"'
        for name, value in attributes.items()
    )
    if tag in VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{joined(content)}</{tag}>")


def elements(tag: str, texts: Iterable[str], **attributes: str) -> Markup:
    """One element with these attributes for each of the texts."""
    return joined(element(tag, text, **attributes) for text in texts)


def joined(content: Iterable[str]) -> Markup:
    """The texts one after the other, escaped unless they are ``Markup``."""
    return Markup("".join(map(_escaped, content)))


def fitting(texts: Iterable[Markup], limit_bytes: int) -> list[Markup]:
    """The first texts that have together at most this number of bytes; the rest is not made."""
    shown = []
    for text in texts:
        limit_bytes -= len(text.encode())
        if limit_bytes < 0:
            break
        shown.append(text)
    return shown


def json_block(value: Any, **attributes: str) -> Markup:
    """A block of JSON that no browser runs, and that no text in it can end.

    ASCII only: U+2028 and lone surrogates become escapes. So do characters that tags begin with.
    """
    text = json.dumps(
        printable_json(value), ensure_ascii=True, allow_nan=False, separators=(",", ":")
    )
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return element("script", Markup(text), type="application/json", **attributes)


def escaped(text: str) -> Markup:
    """The whole text, printable and escaped."""
    return Markup(escape(printable(text)))


def _escaped(text: str) -> Markup:
    if isinstance(text, Markup):
        return text
    if len(text) > MAX_TEXT:
        half = MAX_TEXT // 2
        text = f"{text[:half]} … {text[-half:]}"
    return escaped(text)
