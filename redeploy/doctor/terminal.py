"""A chain as lines for a log or a terminal."""

import textwrap
from collections.abc import Callable

from redeploy.report.chain import TITLES, Chain, LinkResult, State
from redeploy.report.chain_table import headline, hidden

_WORDS = {State.OK: "ok", State.WARNING: "warning", State.BROKEN: "BROKEN", State.NOT_REACHED: "-"}
_COLOURS = {State.OK: "32", State.WARNING: "33", State.BROKEN: "1;31", State.NOT_REACHED: "2"}
_WIDEST_WORD = max(map(len, _WORDS.values()))
_WIDEST_TITLE = max(map(len, TITLES.values()))

LONGEST_LINE = 100
"""Columns of a paragraph; longer lines are hard to read."""


def line(found: LinkResult) -> str:
    """Return the result of one link, as a line of the log."""
    return f"{_WORDS[found.state]:{_WIDEST_WORD}}  {TITLES[found.link]:{_WIDEST_TITLE}}  {found.seen}"


def screen(chain: Chain, columns: int, *, coloured: bool) -> str:
    """Return an examination as text for a terminal: every link, then the remedy of each broken link and warning."""
    width = max(40, min(columns, LONGEST_LINE))
    paint = _painted if coloured else _plain
    lines: list[str] = []
    for each in chain.links:
        indent = " " * (_WIDEST_WORD + _WIDEST_TITLE + 4)
        first, *more = textwrap.wrap(each.seen, width - len(indent), break_on_hyphens=False) or [""]
        word = paint(f"{_WORDS[each.state]:{_WIDEST_WORD}}", each.state)
        lines += [f"{word}  {TITLES[each.link]:{_WIDEST_TITLE}}  {first}", *(f"{indent}{one}" for one in more)]
    for state in (State.BROKEN, State.WARNING):
        for each in chain.those(state):
            lines += ["", *_remedy(chain, each, width, paint)]
    state = State.BROKEN if chain.those(State.BROKEN) else State.OK
    lines += ["", *(paint(one, state) for one in textwrap.wrap(f"{chain.verdict}: {headline(chain)}", width))]
    return "\n".join(each.rstrip() for each in lines) + "\n"


def _remedy(chain: Chain, found: LinkResult, width: int, paint: Callable[[str, State], str]) -> list[str]:
    remedy, finding = found.remedy, found.finding
    if remedy is None or finding is None:
        return []
    title = textwrap.wrap(f"{TITLES[found.link]}: {remedy.headline}", width)
    lines = [paint(one, found.state) for one in title]
    if behind := hidden(chain, found):
        lines += textwrap.wrap(behind, width, initial_indent="  ", subsequent_indent="  ")
    lines += textwrap.wrap(f"Likely cause: {remedy.cause}", width, initial_indent="  ", subsequent_indent="  ")
    lines += _fix(f"Fix: {remedy.fix}", width)
    if lines[-1].startswith("    "):  # code; the next line must not look like a part of it
        lines.append("")
    return [*lines, f"  More: docs/troubleshooting.md#{finding}"]


def _fix(markdown: str, width: int) -> list[str]:
    """Return a fix with its sentences wrapped and its code unchanged, ready to paste."""
    lines: list[str] = []
    for place, part in enumerate(markdown.split("```")):
        if place % 2:
            gap = [""] if lines[-1:] != [""] else []
            lines += [*gap, *(f"    {one}".rstrip() for one in part.partition("\n")[2].rstrip().split("\n")), ""]
        else:
            for paragraph in filter(str.strip, part.split("\n\n")):
                text = " ".join(paragraph.split())
                lines += textwrap.wrap(
                    text,
                    width,
                    initial_indent="  ",
                    subsequent_indent="  ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _painted(text: str, state: State) -> str:
    return f"\x1b[{_COLOURS[state]}m{text}\x1b[0m"


def _plain(text: str, _: State) -> str:
    return text
