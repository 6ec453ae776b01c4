"""The value of a key as the text that an input would have, with the place of each line."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from redeploy.contract.smoke import Sent
from redeploy.settings.config import smoke
from redeploy.settings.config.faults import Faults, Words
from redeploy.settings.config.tree import Mapping as Names
from redeploy.settings.config.tree import Node, Scalar, Sequence, Unusable
from redeploy.settings.config.variables import ALONE, Variables
from redeploy.settings.defaults import NAMED_VALUES
from redeploy.text.untrusted import code

ALONE_ALLOWED = frozenset({"watchtower-token", "registry-password"})
"""Keys whose value is one variable and nothing else."""


@dataclass(frozen=True)
class Value:
    """The value of an input from a file."""

    text: str
    words: Words
    node: Node
    lines: tuple[Node, ...] = ()
    """The place of each line of the text; empty if unknown."""
    listed: bool = False
    """Whether the lines are items of a list, or of a mapping."""
    sent: Mapping[int, Sent] = field(default_factory=dict)
    """What smoke requests have besides their lines, by line number."""

    faulty: bool = False
    """Whether a problem of it is already noted."""

    def place(self, line: int) -> tuple[Node, Words]:
        """Return the place of a line of the text, and what it is in words; line 0 is the whole text."""
        if not line:
            return self.node, self.words
        node = self.lines[line - 1] if line <= len(self.lines) else self.node
        if not self.listed and "\n" not in self.text:
            return node, self.words
        what = f"{'item' if self.listed else 'line'} {line}"
        if isinstance(self.node, Names) and isinstance(node, Scalar):
            what = code(node.text, 60)
        return node, lambda: f"{what} of {self.words()}"

    @cached_property
    def commented(self) -> bool:
        """Whether a part of it may have been lost as a comment."""
        nodes = self.lines if self.listed else (self.node,)
        return any(isinstance(each, Scalar) and each.commented for each in nodes)


class Maker:
    """Turns nodes into values, and notes what is wrong with them."""

    def __init__(self, faults: Faults, variables: Variables, header: Callable[[str, str], str | None]) -> None:
        """Keep what is needed.

        Args:
            faults: collects the problems.
            variables: the variables for `${NAME}`.
            header: what is wrong with the value of a header, by its name and its value as the file has it.
        """
        self._faults = faults
        self._variables = variables
        self._header = header

    def value(self, name: str, node: Node, words: Words) -> Value:
        """Return the value of a key, whose kind is valid."""
        if isinstance(node, Unusable):
            return Value("", words, node, faulty=True)
        before = len(self._faults.found)
        made = self._value(name, node, words)
        return replace(made, faulty=True) if self._is_wrong_since(before) else made

    def _is_wrong_since(self, before: int) -> bool:
        return len(self._faults.found) > before or self._faults.full

    def _value(self, name: str, node: Node, words: Words) -> Value:
        match node:
            case Sequence():
                return self._of_list(node, words)
            case Names():
                return self._of_names(node, words)
            case _:
                return self._of_text(name, node, words)

    def _of_text(self, name: str, node: Node, words: Words) -> Value:
        raw = node.text if isinstance(node, Scalar) else ""
        if name in ALONE_ALLOWED and raw.strip() and not ALONE.fullmatch(raw.strip()):
            example = f'`{name}: "${{{name.upper().replace("-", "_")}}}"`'
            said = f"must be exactly one variable of the step, such as {example}, since a secret is not written into a file"
            self._faults.at(node, words, said)
            return Value("", words, node)
        if name in NAMED_VALUES:
            for line in re.split(r"[\r\n]+", raw):
                header, colon, value = line.partition(":")
                if colon and (refused := self._header(header.strip(), value.strip())):
                    self._faults.at(node, _part(header.strip(), words, self._faults), refused)
        text = self.expanded(node, raw, words)
        shift = len(re.findall(r"\n", text[: len(text) - len(text.lstrip())])) + 1
        count = text.strip().count("\n") + 1
        lines: tuple[Node, ...] = ()
        if isinstance(node, Scalar) and node.in_lines and text.count("\n") == raw.count("\n"):
            lines = tuple(Scalar("", node.line + shift + number, 1) for number in range(count))
        return Value(text.strip(), words, node, lines)

    def _of_list(self, node: Sequence, words: Words) -> Value:
        texts: list[str] = []
        sent: dict[int, Sent] = {}
        for number, item in enumerate(node.items, 1):
            named, before = _part(f"item {number}", words), len(self._faults.found)
            text = ""
            if isinstance(item, Names):
                made = smoke.request(item, named, self)
                text, sent[number] = made.line, made.sent
            elif isinstance(item, Scalar):
                text = self.one_line(item, named)
            texts.append("" if self._is_wrong_since(before) else text)
        return Value("\n".join(texts), words, node, node.items, listed=True, sent=sent)

    def _of_names(self, node: Names, words: Words) -> Value:
        lines = [f"{name}: {value}" for name, value in self.headers(node, words)]
        return Value("\n".join(lines), words, node, tuple(key for key, _ in node.entries), listed=True)

    def headers(self, node: Names, words: Words) -> list[tuple[str, str]]:
        """Return the headers of a mapping, as far as they can be used."""
        found = []
        for key, value in node.entries:
            name = key.text.strip()
            named = _part(name, words, self._faults)
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                self._faults.at(key, named, "is not the name of a header; write letters, digits and hyphens")
                name = "X-Unfit"
            elif isinstance(value, Scalar) and (said := self._header(name, value.text.strip())):
                self._faults.at(value, named, said)
            found.append((name, self.one_line(value, named)))
        return found

    def one_line(self, node: Node, words: Words) -> str:
        """Return the text of a node, which may have one line."""
        raw = node.text if isinstance(node, Scalar) else ""
        text = self.expanded(node, raw, words).strip()
        if re.search(r"[\r\n]", text):
            self._faults.at(node, words, "has several lines; write each as its own item")
            return re.split(r"[\r\n]", text)[0]
        return text

    def expanded(self, node: Node, raw: str, words: Words) -> str:
        """Return a text with its variables put in, and note what is wrong with them."""
        found = self._variables.expand(raw)
        for said in (*found.wrong, *found.unset):
            self._faults.at(node, words, said)
        return "" if found.wrong else found.text

    def refuse(self, node: Node, words: Words, said: str) -> None:
        """Note a problem."""
        self._faults.at(node, words, said)


def _part(name: str, words: Words, faults: Faults | None = None) -> Words:
    """Return the words for a part of something; a name from the file is shown as code."""
    return lambda: f"{faults.shown(name) if faults else name} of {words()}"
