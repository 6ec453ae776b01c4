"""Text from the network or the workspace, made harmless before it is printed."""

import re
import unicodedata

_TERMINAL_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_TAG = re.compile(r"<[^<>]*>")
"""Ends at the next `<`, too: otherwise a page full of `<` would be read to its end from each of them."""

_INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def one_line(text: str, limit: int = 256) -> str:
    """Return `text` as one visible line of at most `limit` characters.

    Line ends of every kind, terminal sequences, controls, direction marks and other invisible characters become one
    space. `##[`, which the runner reads as a command wherever it stands in a line (actions/runner, `ActionCommand.cs`),
    is broken up; `::` counts only at the start of a line, and what is printed always starts with our own words.
    """
    visible = _TERMINAL_SEQUENCE.sub(" ", text[: limit * 8])
    if not visible.isprintable():  # most texts are
        visible = "".join(" " if unicodedata.category(each) in _INVISIBLE else each for each in visible)
    line = " ".join(visible.split()).replace("##[", "# #[")
    return line if len(line) <= limit and len(text) <= limit * 8 else line[: limit - 1] + "…"


def without_tags(text: str) -> str:
    """Return a text with spaces in place of HTML tags; a `<` that is never closed stays."""
    return _TAG.sub(" ", text)


def block(text: str, most_lines: int, width: int = 200) -> list[str]:
    """Return `text` as visible lines, limited in number and length; indents stay, all else is as in `one_line`."""
    lines = re.split(r"\r\n|\n|\r", text[: most_lines * width * 2])
    shown = []
    for line in lines[:most_lines]:
        bare = line.lstrip(" \t")
        shown.append(" " * min(len(line) - len(bare), 40) + one_line(bare, width))
    return [*shown, "..."] if len(lines) > most_lines else shown


def code(text: str, limit: int = 256) -> str:
    """Return `text` as a Markdown code span: inside it GitHub makes no link, mention, image or HTML.

    Backticks and bars would end the span or the table cell, so look-alikes replace them.
    """
    spelled = one_line(text, limit).translate({ord("`"): "\N{MODIFIER LETTER GRAVE ACCENT}", ord("|"): "¦"})
    return f"`{spelled or ' '}`"
