"""GitHub's Markdown, made of our own words and of texts from outside that must stay text."""

import re
from collections.abc import Iterable, Sequence

from redeploy.core.hostile import block, code

MOST_LINES = 60
"""Lines of a text from outside that are shown."""


def inline(text: str) -> str:
    """Escape our own sentences, which quote texts from outside, for a line of Markdown; code spans in them stay."""
    pieces = re.split(r"(`[^`\n]*`)", text)
    return "".join(piece if piece.startswith("`") else _escaped(piece) for piece in pieces)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table, with an empty one after it; a head that ends in a colon is aligned to the right."""
    rule = "|".join("--:" if head.endswith(":") else "---" for head in heads)
    titles = " | ".join(head.removesuffix(":") for head in heads)
    return [f"| {titles} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows), ""]


def folded(title: str, lines: Sequence[str]) -> list[str]:
    """Return lines that show when the reader asks for them; the title is our own words."""
    return ["<details>", f"<summary>{title}</summary>", "", *lines, "</details>", ""]


def fenced(text: str, language: str = "text") -> list[str]:
    """Return a text from outside as a code block that nothing in it can end."""
    lines = block(text, MOST_LINES)
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *lines, fence, ""]


def link(shown: str, url: str) -> str:
    """Return a link; both are our own, or checked."""
    return f"[{code(shown)}]({url})"


def plain(markdown: str) -> str:
    """Return Markdown without the fences of its code blocks, for annotations, which are plain text."""
    return re.sub(r"\n*```\w*\n?", "\n", markdown).strip()


def _escaped(text: str) -> str:
    entities = {character: f"&#{ord(character)};" for character in "&<>|[]@#*_~\\`"}
    return re.sub(
        r"(?<=https)://|(?<=http)://|www\.",
        lambda each: f"{each[0][0]}&#8203;{each[0][1:]}",
        "".join(entities.get(each, each) for each in text),
    )
