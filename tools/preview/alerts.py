"""Alerts: quotations that begin with a line such as `[!WARNING]`."""

import re

from tools.preview.tree import Element

_MARKER = re.compile(r"\s*\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\n|$)", re.IGNORECASE)
_LETTERS = {"note": "i", "tip": "✓", "important": "!", "warning": "!", "caution": "!"}


def show_alerts(root: Element) -> None:
    """Give alerts GitHub's markup; there are none in lists, tables and other quotations."""
    for child in root.children:
        if not isinstance(child, Element):
            continue
        if child.tag == "blockquote":
            _show(child)
        elif child.tag in {"details", "div"}:
            show_alerts(child)


def _show(quotation: Element) -> None:
    blocks = [child for child in quotation.children if isinstance(child, Element)]
    if not blocks or blocks[0].tag != "p" or not blocks[0].children:
        return
    first = blocks[0].children[0]
    marker = _MARKER.match(first) if isinstance(first, str) else None
    if not isinstance(first, str) or marker is None:
        return
    after, rest = first[marker.end() :], blocks[0].children[1:]
    if not after and not marker[0].endswith("\n") and rest:
        if not isinstance(rest[0], Element) or rest[0].tag != "br":
            return
        del rest[0]
    if not after.strip() and not rest and len(blocks) == 1:
        return
    kind = marker[1].lower()
    icon = Element("span", {"class": "alert-icon"}, [_LETTERS[kind]])
    title = Element("p", {"class": "markdown-alert-title"}, [icon, kind.capitalize()])
    body = [Element("p", {}, [after, *rest])] if after.strip() or rest else []
    quotation.tag = "div"
    quotation.attributes = {"class": f"markdown-alert markdown-alert-{kind}"}
    quotation.children = [title, *body, *blocks[1:]]
