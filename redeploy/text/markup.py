"""Finds one value in an HTML page of any shape, in time that is linear in the page's length."""

import re
from collections.abc import Iterator

_MANY_DIGITS = re.compile("&#(?=[0-9]{20}|[xX][0-9A-Fa-f]{20})")
"""The beginning of an invalid character reference; Python refuses to read a number with thousands of digits."""

_RAW = frozenset([b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes"])
"""Elements whose content is text up to their own end tag (html.spec.whatwg.org, 13.2.5)."""

_TAG = rb"<(?:(?P<comment>!--)|(?P<other>[!?/])|(?P<name>[a-z][^\s/>]*+))"
_ATTRIBUTE = rb"""[\s/]*+(?:(?P<end>>)|(?P<name>[^\s/>][^\s/>=]*+)(?P<given>\s*+=\s*+)?+)"""
_BARE = rb"[^\s>]*+"
"""Possessive: no byte is read twice."""


def meta_content(page: bytes, name: str) -> str | None:
    """Return the `content` of the first `<meta>` with this `name` or `property`, in any case; None if there is none."""
    wanted, lower = name.encode().lower(), page.lower()
    if wanted not in lower:
        return None  # so most pages are not parsed
    for tag, attributes in _elements(page, lower):
        if tag == b"meta" and b"content" in attributes:
            called = (attributes.get(b"name", b""), attributes.get(b"property", b""))
            if any(each.strip().lower() == wanted for each in called):
                return _text(attributes[b"content"])
    return None


def attribute(page: bytes, name: str) -> str | None:
    """Return the value of the first attribute of that name, in any case; None if there is none."""
    wanted, lower = name.encode().lower(), page.lower()
    if wanted not in lower:
        return None
    for _, attributes in _elements(page, lower):
        if wanted in attributes:
            return _text(attributes[wanted])
    return None


def unescaped(text: str) -> str:
    """Return a text with HTML's character references resolved; one of many digits, which `html` cannot read, stays."""
    import html  # its tables load slowly

    return html.unescape(_MANY_DIGITS.sub("", text))


def _text(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    return unescaped(text) if "&" in text else text


def _elements(page: bytes, lower: bytes) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Yield the start tags of a page with their attributes, names in lower case; the first of two attributes counts.

    Comments, and the text inside scripts and the like, are skipped. A page that ends within a tag ends before it.
    `lower` is the page in lower case.
    """
    next_tag, place = re.compile(_TAG).search, 0
    while place >= 0 and (tag := next_tag(lower, place)):
        if tag["comment"]:
            place = _after(page, b"-->", tag.start() + 2)
        elif tag["other"]:
            place = _after(page, b">", tag.start())
        else:
            attributes, place = _attributes(page, tag.end())
            if place < 0:
                return
            if attributes:
                yield tag["name"], attributes
            if tag["name"] in _RAW:
                place = lower.find(b"</" + tag["name"], place)


def _attributes(page: bytes, place: int) -> tuple[dict[bytes, bytes], int]:
    """Return the attributes from a position in a tag on, and where the tag ends; -1 if the page ends first."""
    found: dict[bytes, bytes] = {}
    attribute_at = re.compile(_ATTRIBUTE).match
    while match := attribute_at(page, place):
        place = match.end()
        if match["end"]:
            return found, place
        value = b""
        if match["given"]:
            quote = page[place : place + 1]
            if quote in (b'"', b"'"):
                end = page.find(quote, place + 1)
                if end < 0:
                    return found, -1
                value, place = page[place + 1 : end], end + 1
            else:
                bare = re.compile(_BARE).match(page, place)
                value, place = (bare[0], bare.end()) if bare else (b"", place)
        found.setdefault(match["name"].lower(), value)
    return found, -1


def _after(page: bytes, mark: bytes, place: int) -> int:
    found = page.find(mark, place)
    return found + len(mark) if found >= 0 else -1
