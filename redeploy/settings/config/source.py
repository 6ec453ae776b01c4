"""The bytes of a file as a tree: YAML within limits, with only texts, lists and mappings.

It is built from the parser's events in one pass, so that aliases are counted before anything follows them. Tags have
no effect, and every text stays as it is written: `1.10`, `off` and `2026-01-20` are words.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from redeploy.settings.config.faults import Faults
from redeploy.settings.config.quotes import cause, quoted
from redeploy.settings.config.tree import Mapping, Node, Scalar, Sequence, Unusable

CAP = 1024 * 1024
"""Bytes of a file."""

MOST_NESTED = 100
"""Levels, aliases followed."""

MOST_VALUES = 50_000
"""Texts, lists and mappings, including those that aliases repeat."""

LETTERS = 100
"""Characters of a text that count as one more value."""

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that YAML does not allow anywhere (YAML 1.2.2, section 5.1)."""


_NO_NAME = Scalar("", 0, 0)
"""Stands for something that is not a name, which is noted; its value is skipped."""


class Lines:
    """The lines of a text, as editors and GitHub count them: YAML's parsers count some separators as line ends, too."""

    def __init__(self, text: str) -> None:
        """Find the line ends."""
        self.text = text
        self._starts = [0, *(each.end() for each in re.finditer(r"\r\n|\n|\r", text))]

    def at(self, index: int) -> tuple[int, int]:
        """Return line and column of a character, counted from 1."""
        number = bisect_right(self._starts, index)
        return number, index - self._starts[number - 1] + 1

    def line(self, number: int) -> str:
        """Return a line without its end; empty beyond the last."""
        if not 1 <= number <= len(self._starts):
            return ""
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : end].rstrip("\r\n")


class _StopError(Exception):
    """The rest of the file cannot be read; the reason is noted."""


def tree(content: bytes, faults: Faults) -> Mapping | None:
    """Return the mapping in a file; None if there is none, which is noted."""
    text = _decoded(content, faults)
    if text is None:
        return None
    lines = Lines(text)
    if forbidden := _FORBIDDEN.search(text):
        what = f"contains the character U+{ord(forbidden[0]):04X}, which YAML does not allow; remove it"
        faults.at_line(*lines.at(forbidden.start()), what)
        return None
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        root = _Builder(lines, faults).built(yaml.parse(text, Loader=loader))
    except _StopError:
        return None
    except yaml.MarkedYAMLError as error:
        index = error.problem_mark.index if error.problem_mark else 0
        began = error.context_mark.index if error.context_mark else index
        line, column, said = cause(lines, index, began, f"{error.context or ''} {error.problem or ''}".strip())
        faults.at_line(line, column, said)
        return None
    except yaml.YAMLError:
        faults.at_line(1, 1, "is not YAML")
        return None
    if isinstance(root, Mapping):
        return root
    if root is None:
        faults.at_line(1, 1, "is empty; it must name at least one service, such as `services: {api: {}}`")
    elif not isinstance(root, Unusable):
        faults.at_line(root.line, root.column, "must be a mapping that begins with `services:`")
    return None


def _decoded(content: bytes, faults: Faults) -> str | None:
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        start = before.rfind(b"\n") + 1
        column = len(before[start:].decode("utf-8", "replace")) + 1
        faults.at_line(before.count(b"\n") + 1, column, "is not UTF-8; save it in that encoding")
        return None


@dataclass(slots=True)
class _Level:
    """A list or a mapping that is still open."""

    start: Any
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    """The place of each name."""
    key: Scalar | None = None
    values: int = 1
    levels: int = 1

    @property
    def expects_key(self) -> bool:
        return self.is_mapping and self.key is None


class _Builder:
    def __init__(self, lines: Lines, faults: Faults) -> None:
        self._lines = lines
        self._faults = faults
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._opened: list[_Level] = []

    def built(self, events: Iterator[Any]) -> Node | None:
        import yaml

        self._opened = [_Level(None, is_mapping=False)]
        documents = 0
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._put(self._scalar(event), event, 1 + len(event.value) // LETTERS, 0)
                case yaml.CollectionStartEvent():
                    self._refuse_tag(event)
                    self._opened.append(_Level(event, isinstance(event, yaml.MappingStartEvent)))
                    if len(self._opened) - 1 > MOST_NESTED:
                        self._stop(event, f"has more than {MOST_NESTED} levels")
                case yaml.CollectionEndEvent():
                    level = self._opened.pop()
                    self._put(self._closed(level), level.start, level.values, level.levels)
                case yaml.AliasEvent():
                    self._put(*self._repeated(event))
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        self._stop(event, "has a second document after `---`; it may have one")
        return self._opened[0].items[0] if self._opened[0].items else None

    def _put(self, node: Node, event: Any, values: int, levels: int) -> None:  # noqa: ANN401 - yaml's events differ
        if event.anchor and hasattr(event, "tag"):  # an alias only repeats what an anchor named
            self._anchors[event.anchor] = node, values, levels
        level = self._opened[-1]
        level.values += values
        level.levels = max(level.levels, levels + 1)
        if level.values > MOST_VALUES:
            self._stop(
                event,
                f"is too large: it may have at most {MOST_VALUES:,} values, including those that aliases repeat",
            )
        if len(self._opened) + levels - 1 > MOST_NESTED:
            self._stop(event, f"has more than {MOST_NESTED} levels")
        if not level.is_mapping:
            level.items.append(node)
        elif level.key is None:
            level.key = self._name(node, event)
        else:
            self._enter(level, level.key, node)
            level.key = None

    def _name(self, node: Node, event: Any) -> Scalar:  # noqa: ANN401 - as above
        if isinstance(node, Scalar):
            return node
        if not isinstance(node, Unusable):
            self._note(event, "has a list or a mapping where a name belongs; put it in quotes if it is text")
        return _NO_NAME

    def _enter(self, level: _Level, key: Scalar, node: Node) -> None:
        if key is _NO_NAME:
            return
        if key.text in level.lines:
            said = f"is given a second time; the first is in line {level.lines[key.text]}. Keep one of them"
            self._faults.at(key, lambda: self._faults.shown(key.text), said)
        elif key.text == "<<" and key.plain:
            said = "merges mappings, which is not supported here; what all services share goes under `defaults`"
            self._faults.at(key, lambda: "`<<`", said)
        else:
            level.lines[key.text] = key.line
            level.entries.append((key, node))

    def _scalar(self, event: Any) -> Node:  # noqa: ANN401 - as above
        line, column = self._lines.at(event.start_mark.index)
        if self._refuse_tag(event):
            return Unusable(line, column)
        rest = self._lines.text[event.end_mark.index : event.end_mark.index + 200] if not event.style else ""
        return Scalar(
            event.value,
            line,
            column,
            plain=not event.style,
            commented=bool(re.match(r"[ \t]+#", rest)),
            in_lines=event.style == "|",
        )

    def _closed(self, level: _Level) -> Node:
        index = level.start.start_mark.index
        line, column = self._lines.at(index)
        if level.start.tag is not None:
            return Unusable(line, column)
        if not level.is_mapping:
            return Sequence(tuple(level.items), line, column)
        asked = self._lines.text[index : index + 1] == "?"
        return Mapping(tuple(level.entries), line, column, asked)

    def _repeated(self, event: Any) -> tuple[Node, Any, int, int]:  # noqa: ANN401 - as above
        if event.anchor in self._anchors:
            node, values, levels = self._anchors[event.anchor]
            return node, event, values, levels
        name = self._faults.shown(f"*{event.anchor}")
        if any(level.start is not None and level.start.anchor == event.anchor for level in self._opened):
            self._stop(event, f"contains {name} inside the value that it refers to, which never ends")
        line, column = self._lines.at(event.start_mark.index)
        fix = quoted(self._lines.line(line))
        self._note(event, f"contains {name}, which YAML reads as an alias, but no anchor has that name{fix}")
        return Unusable(line, column), event, 1, 0

    def _refuse_tag(self, event: Any) -> bool:  # noqa: ANN401 - as above
        if event.tag is None:
            return False
        line, _ = self._lines.at(event.start_mark.index)
        tag = event.tag.replace("tag:yaml.org,2002:", "!!", 1)
        shown, fix = self._faults.shown(tag), quoted(self._lines.line(line))
        self._note(event, f"contains {shown}, which YAML reads as a tag, and tags are not supported{fix}")
        return True

    def _note(self, event: Any, message: str) -> None:  # noqa: ANN401 - as above
        self._faults.at_line(*self._lines.at(event.start_mark.index), message)

    def _stop(self, event: Any, message: str) -> None:  # noqa: ANN401 - as above
        self._note(event, message)
        raise _StopError
