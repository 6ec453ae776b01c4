"""HTML as a small tree: parsed leniently, always written completely."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
_DEEPEST = 200
"""Elements nested deeper lose their tags and keep their text, so that no input exhausts the stack."""


@dataclass
class Element:
    """An element, or the root of a tree, which has no tag."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    def text(self) -> str:
        """All text in it."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def elements(self) -> Iterator["Element"]:
        """The elements in it at any depth, in the order of the document."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.elements()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len(self.open) > _DEEPEST:
            return
        element = Element(tag)
        for name, value in attrs:
            element.attributes.setdefault(name, value or "")
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # browsers ignore the slash

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].tag == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        children = self.open[-1].children
        if children and isinstance(children[-1], str):
            children[-1] += data
        else:
            children.append(data)


def read(html: str) -> Element:
    """Return the tree of a fragment; unclosed elements end with their parent, and comments are dropped."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.open[0]


def write(node: Element | str) -> str:
    """Return a tree as HTML."""
    if isinstance(node, str):
        return escape(node, quote=False)
    inside = "".join(map(write, node.children))
    if not node.tag:
        return inside
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in node.attributes.items())
    return f"<{node.tag}{attributes}>" + ("" if node.tag in VOID else f"{inside}</{node.tag}>")
