"""A YAML file as a tree of texts that know their places."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as it is written, without its quotes; lines and columns count from 1."""

    text: str
    line: int
    column: int
    plain: bool = True
    """Whether it is written without quotes."""
    commented: bool = False
    """Whether the rest of its line is a comment, which may have been meant as part of it."""
    in_lines: bool = False
    """Whether it is a block (`|`), whose lines are lines of the file from the next one on."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: "tuple[Node, ...]"
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Names with values, in the order of the file, each name once."""

    entries: "tuple[tuple[Scalar, Node], ...]"
    line: int
    column: int
    asked: bool = False
    """Whether it begins with `? `, which makes a mapping of what may have been meant as text."""
    names: "dict[str, tuple[Scalar, Node]]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", {key.text: (key, value) for key, value in self.entries})

    def get(self, name: str) -> "Node | None":
        """Return the value of a name; None if it is missing."""
        found = self.names.get(name)
        return found[1] if found else None

    def key(self, name: str) -> Scalar:
        """Return the place of a name, which must exist."""
        return self.names[name][0]


@dataclass(frozen=True, slots=True)
class Unusable:
    """A value with a problem that is already noted, so that nothing more is said about it."""

    line: int
    column: int


Node = Scalar | Sequence | Mapping | Unusable


def without(node: Node, unfit: AbstractSet[tuple[str | int, ...]]) -> Node:
    """Return a tree with the nodes at some paths marked as unusable."""
    on_the_way = {path[:end] for path in unfit for end in range(len(path))}

    def rebuilt(node: Node, path: tuple[str | int, ...]) -> Node:
        if path in unfit:
            return Unusable(node.line, node.column)
        if path not in on_the_way:
            return node
        if isinstance(node, Mapping):
            return replace(node, entries=tuple((key, rebuilt(each, (*path, key.text))) for key, each in node.entries))
        if isinstance(node, Sequence):
            return replace(node, items=tuple(rebuilt(each, (*path, place)) for place, each in enumerate(node.items)))
        return node

    return rebuilt(node, ())


def is_empty(node: Node | None) -> bool:
    """Return whether a value is missing or empty."""
    return node is None or (isinstance(node, Scalar) and not node.text.strip())


def instance(node: Node) -> object:
    """Return a tree as JSON; every text is a string, and a missing value is null."""
    match node:
        case Scalar():
            return None if node.plain and not node.text else node.text
        case Sequence():
            return [instance(each) for each in node.items]
        case Mapping():
            return {key.text: instance(each) for key, each in node.entries if not isinstance(each, Unusable)}
        case Unusable():
            return ""
