"""GitHub's Markdown, built from our own words and from untrusted text that must stay plain text."""

import re
from collections.abc import Iterable, Sequence

from redeploy.text.untrusted import block, code

MOST_LINES = 60
"""How many lines of a text from outside are shown."""

_BREAK = "\u200b"
_PIECES = re.compile(r"[0-9a-z]{1,6}|.", re.IGNORECASE)
"""How a match is broken up: six digits are not a commit."""

_MARKDOWN = frozenset("&<>|[]*_~\\`#@")
_MADE_INTO_MORE = re.compile(
    r"@(?=\S)|[#:](?=[\w/+-])|www\.|gh-(?=\d)|(?<![\w-])[0-9a-f]{7,64}(?![\w-])", re.IGNORECASE
)
"""Mentions, issues, emoji and URLs; bare host names; issues again; commits."""


def inline(text: str) -> str:
    """Escape our own sentences, which quote texts from outside, for a line of Markdown; their code spans stay."""
    pieces = re.split(r"(`[^`\n]*`)", text)
    return "".join(piece.replace("|", "¦") if place % 2 else _escaped(piece) for place, piece in enumerate(pieces))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table, followed by an empty line; a heading that ends in a colon is aligned to the right."""
    rule = "|".join("--:" if head.endswith(":") else "---" for head in heads)
    titles = " | ".join(head.removesuffix(":") for head in heads)
    return [f"| {titles} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows), ""]


def folded(title: str, lines: Sequence[str]) -> list[str]:
    """Return lines that are folded until the reader opens them; the title is our own words."""
    return ["<details>", f"<summary>{title}</summary>", "", *lines, "</details>", ""]


def fenced(text: str, language: str = "text") -> list[str]:
    """Return a text from outside as a code block that it cannot end."""
    lines = [line.replace("<", f"<{_BREAK}") for line in block(text, MOST_LINES)]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *lines, fence, ""]


def link(shown: str, url: str) -> str:
    """Return a link; text and URL must be our own, or checked."""
    return f"[{code(shown)}]({url})"


def plain(markdown: str) -> str:
    """Return Markdown without the fences of its code blocks, for annotations, which are plain text."""
    return re.sub(r"\n{0,3}```\w*\n?", "\n", markdown).strip()


def _escaped(text: str) -> str:
    """Escape what Markdown reads, and break up what GitHub makes links, mentions, emoji or formulas of afterwards.

    GitHub's filters see entities as the characters they stand for, so only a character between helps against those.
    """
    broken = _MADE_INTO_MORE.sub(lambda each: "".join(piece + _BREAK for piece in _PIECES.findall(each[0])), text)
    broken = broken.replace("$", "\N{FULLWIDTH DOLLAR SIGN}")  # no character between two of them prevents a formula
    return "".join(f"&#{ord(each)};" if each in _MARKDOWN else each for each in broken)
