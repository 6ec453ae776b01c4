"""Explains why YAML cannot read a file: usually a text needs quotes."""

import re
from typing import Protocol

from redeploy.text.untrusted import code

_VALUE = re.compile(r"""[ \t]*(?:-[ \t]+)*(?:(?P<key>[\w.$/-]+|"[^"]*"|'[^']*')[ \t]*:[ \t]+)?(?P<value>\S.*)""")
_PRIVATE = re.compile(r"auth|token|secret|passw|key|cookie|credential|url", re.IGNORECASE)
"""Lines with such a word are not shown: they may contain a secret."""

_MEANS = {
    "!": "reads as a tag",
    "{": "reads as a mapping",
    "[": "reads as a list",
    "*": "reads as an alias",
    "&": "reads as an anchor",
    "?": "reads as a key",
    "%": "reads as a directive",
    "@": "keeps for later use",
    "`": "keeps for later use",
    "|": "reads as a block of lines",
    ">": "reads as a block of lines",
    "]": "reads as the end of a list",
    "}": "reads as the end of a mapping",
}
"""What YAML does with a character at the beginning of a text."""

LONGEST = 2000
"""Characters of a line that are examined."""


class Text(Protocol):
    """The lines of a file."""

    def at(self, index: int) -> tuple[int, int]:
        """Return line and column of a character, counted from 1."""

    def line(self, number: int) -> str:
        """Return a line."""


def cause(lines: Text, index: int, began: int, said: str) -> tuple[int, int, str]:
    """Return where and why a file cannot be read.

    Args:
        lines: its lines.
        index: the character at which the parser gave up.
        began: the character where the value began that it was reading.
        said: the parser's message.
    """
    line, column = lines.at(index)
    text = lines.line(line)[:LONGEST]
    if "\t" in text[: len(text) - len(text.lstrip())]:
        return line, text.index("\t") + 1, "is indented with a tab; YAML allows only spaces"
    if "flow" in said:
        return _in_brackets(lines, lines.at(began), (line, column))
    if "quoted scalar" in said:
        return _in_quotes(lines.at(began), (line, column), said)
    found = _VALUE.match(text)
    value = found["value"] if found else ""
    above = lines.line(line - 1)[:LONGEST] if line > 1 else ""
    of_the_key = found is not None and found["key"] and column <= found.start("value")
    if of_the_key and "mapping values" in said and above.strip() and ":" not in above:
        name = "" if _PRIVATE.search(above) else f": {code(above.strip(), 60)}"
        return line - 1, len(above) - len(above.lstrip()) + 1, f"has a name without `: ` after it{name}"
    if found and value[0] in _MEANS:
        why = f"has a value that begins with {code(value[0])}, which YAML {_MEANS[value[0]]}"
        return line, found.start("value") + 1, f"{why}{quoted(text)}"
    if found and (within := re.search(r":(?=\s|$)", value)) and value[0] not in "\"'":
        return line, found.start("value") + within.start() + 1, f"has `: ` in a value{quoted(text)}"
    if found and value[0] in "\"'":
        return line, column, "has text after a closing quote; put the whole value in one pair of quotes"
    if found and "block sequence entries" in said:
        return line, column, f"has a value that begins with `-`, which YAML reads as a list{quoted(text)}"
    return line, column, "is not YAML here; is this line indented like its neighbours, with `: ` after its name?"


def quoted(text: str) -> str:
    """Return the advice to put the value of a line in quotes, with the corrected line; begins with a semicolon."""
    found = _VALUE.match(text[:LONGEST])
    advice = "; put the value in quotes"
    if not found or _PRIVATE.search(text):
        return advice
    value, before = found["value"].rstrip(), text[: found.start("value")].strip()
    if _is_bracketed(value):
        return advice  # it is about a part of the line
    return f"{advice}: {code(f'{before} {in_quotes(value)}'.strip(), 120)}"


def _is_bracketed(value: str) -> bool:
    """Return whether a text is one list or mapping in brackets, from its first character to its last."""
    depth = 0
    for place, each in enumerate(value):
        depth += (each in "[{") - (each in "]}")
        if depth <= 0:
            return place > 0 and place == len(value) - 1
    return value[:1] in ("[", "{") and depth > 0


def in_quotes(value: str) -> str:
    """Return a text in a form that YAML reads back unchanged."""
    if '"' in value or "\\" in value:
        return "'" + value.replace("'", "''") + "'"
    return f'"{value}"'


def _in_brackets(lines: Text, began: tuple[int, int], ended: tuple[int, int]) -> tuple[int, int, str]:
    """Return what is wrong between brackets or braces, given line and column of their beginning and end."""
    first, column = began
    text = lines.line(first)[:LONGEST]
    for number in range(first, min(ended[0], first + 50) + 1):
        within = lines.line(number)[:LONGEST]
        if comment := re.search(r"\s(#)", within):
            what = "has ` #` in a value, which begins a comment; put the value in quotes"
            return number, comment.start(1) + 1, what
    opening = text[column - 1 : column] or "["
    inside = lines.line(ended[0])[: ended[1]][:LONGEST]
    start = max(inside.rfind(","), column if ended[0] == first else 0) + 1
    if "{" in inside[max(start - 1, 0) :].lstrip("[{ ,") or "$" in inside[max(start - 1, 0) :]:
        return (*ended, 'has `{` in a value between brackets; put the value in quotes, such as `"${NAME}"`')
    if re.search(r":\s", inside[max(start - 1, 0) :]):
        return (*ended, "has `: ` in a value between brackets; put the value in quotes")
    closing = {"[": "]", "{": "}"}.get(opening, "]")
    if closing not in "".join(lines.line(each)[:LONGEST] for each in range(first, min(ended[0], first + 50) + 1)):
        why = f"has a value that begins with `{opening}`, which nothing closes"
        return first, column, f"{why}{quoted(text) if not text[: column - 1].strip().endswith(opening) else ''}"
    return (*ended, f"needs a comma or `{closing}` here; a text that contains such characters needs quotes")


def _in_quotes(began: tuple[int, int], ended: tuple[int, int], said: str) -> tuple[int, int, str]:
    if "escape" in said:
        return (*ended, "has a backslash between double quotes, which begins an escape; put the value in single quotes")
    return (*began, "has a quote that nothing closes")
