"""The HTML in Markdown that GitHub keeps: the allow-list of its `html-pipeline`, sanitisation filter."""

import re

from tools.preview.tree import Element

_TAGS = """
h1 h2 h3 h4 h5 h6 br b i strong em a pre code img tt div ins del sup sub p picture ol ul table thead tbody tfoot
blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td th s strike summary details caption figure figcaption abbr bdo
cite dfn mark small source span time wbr
"""
_ATTRIBUTES = """
abbr align alt aria-hidden aria-label axis border cellpadding cellspacing char charoff clear color cols colspan compact
coords datetime dir headers height hreflang hspace ismap itemprop label lang maxlength media noshade nowrap open rel rev
role rows rowspan rules scope shape size span start summary tabindex title type usemap valign value vspace width
"""
_ALLOWED_TAGS, _ALLOWED_ATTRIBUTES = frozenset(_TAGS.split()), frozenset(_ATTRIBUTES.split())
_OF_TAG = {"a": {"href"}, "img": {"src", "loading", "longdesc"}, "source": {"srcset"}, "blockquote": {"cite"}}
_SCHEMES = {
    "href": {"http", "https", "mailto", "xmpp", "irc", "ircs"},
    "src": {"http", "https"},
    "longdesc": {"http", "https"},
}
_DROPPED_WHOLE = {"script", "style", "iframe", "title", "textarea", "xmp", "noembed", "noframes", "plaintext"}
_CELLS = {"tr", "td", "th", "thead", "tbody", "tfoot"}


def sanitise(root: Element) -> list[str]:
    """Remove from a tree what GitHub removes, and return it."""
    removed: list[str] = []
    _clean(root, removed, frozenset())
    return removed


def _clean(parent: Element, removed: list[str], inside: frozenset[str]) -> None:
    kept: list[Element | str] = []
    for child in parent.children:
        if isinstance(child, str):
            kept.append(child)
            continue
        if child.tag in _DROPPED_WHOLE:
            removed.append(f"<{child.tag}> and what it holds")
            continue
        _clean(child, removed, inside | {child.tag})
        if _is_ours(child) or _is_allowed(child, inside):
            _strip(child, removed)
            kept.append(child)
        else:
            removed.append(f"<{child.tag}>")
            kept += child.children
    parent.children = kept


def _is_allowed(element: Element, inside: frozenset[str]) -> bool:
    if element.tag == "li":
        return bool(inside & {"ol", "ul"})
    if element.tag in _CELLS:
        return "table" in inside
    return element.tag in _ALLOWED_TAGS


def _is_ours(element: Element) -> bool:
    """Whether cmark wrote it for a footnote or a task, which GitHub accepts."""
    if element.tag == "input":
        return element.attributes.get("type") == "checkbox" and "disabled" in element.attributes
    return element.tag == "section" and "data-footnotes" in element.attributes


def _strip(element: Element, removed: list[str]) -> None:
    for name, value in list(element.attributes.items()):
        known = name in _ALLOWED_ATTRIBUTES or name in _OF_TAG.get(element.tag, ())
        if (known and _may_point_at(name, value)) or _is_of_cmark(element.tag, name, value):
            continue
        del element.attributes[name]
        if name != "id":  # GitHub only prefixes it with `user-content-`
            removed.append(f"{name}={value!r} of <{element.tag}>")


def _is_of_cmark(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return value in {"footnotes", "footnote-ref", "footnote-backref"}
    return name.startswith("data-footnote") or (tag == "input" and name in {"checked", "disabled"})


def _may_point_at(attribute: str, value: str) -> bool:
    schemes = _SCHEMES.get(attribute)
    scheme = re.match(r"([^/#?:]*):", re.sub(r"[\x00-\x20]", "", value))  # browsers ignore these, too
    return schemes is None or scheme is None or scheme[1].lower() in schemes
