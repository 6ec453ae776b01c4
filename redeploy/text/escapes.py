"""Escapes in a text from outside, resolved: what a reader, a browser or a parser would make of them."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from redeploy.text.markup import unescaped

_INVISIBLE = (
    r"\x00-\x1a\x1c-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
"""Controls, line ends, and what Unicode calls ignorable (`Default_Ignorable_Code_Point`)."""

_SIGN = rf"[%&\\\x1b{_INVISIBLE}]"  # compiled when first needed, and so is the next
_ESCAPE = (
    rf"(?={_SIGN})(?:"  # this alone is searched for quickly
    r"(?P<bytes>(?:%[0-9A-Fa-f]{2})++)"
    r"|(?P<entity>&(?:#[0-9]{1,19}|#[xX][0-9A-Fa-f]{1,19}|[A-Za-z]{2,31});?)"
    r"|\\(?:u(?P<four>[0-9A-Fa-f]{4})|x(?P<two>[0-9A-Fa-f]{2})|(?P<end>[bfnrt])|(?P<sign>[!-/:-@\[-`{-~]))"
    r"|\x1b(?:\[[0-?]*+[ -/]*+[@-~])?+"
    rf"|[{_INVISIBLE}]++(?:(?<=[\r\n]) ++)?)"
)
"""An escape of URLs, HTML, JSON or a programming language; or a break, which no reader takes for a part of a word."""


def resolved(text: str) -> str:
    """Return a text with one layer of escapes resolved, and without line ends, indents and what is not visible."""
    return re.sub(_ESCAPE, _meaning, text) if re.search(_SIGN, text) else text


def places_before(text: str, places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield where the given places of the resolved text are in the text itself; an escape counts as a whole."""
    begins, ends = [0], [0]  # of escapes, in the resolved text
    origins, afters = [0], [0]  # the same in `text`
    for match in re.finditer(_ESCAPE, text):
        begin = ends[-1] + match.start() - afters[-1]
        begins.append(begin)
        ends.append(begin + len(_meaning(match)))
        origins.append(match.start())
        afters.append(match.end())
    for first, after in places:
        at = bisect_right(begins, first) - 1
        begin = origins[at] if first < ends[at] else afters[at] + first - ends[at]
        at = bisect_right(begins, after - 1) - 1
        yield begin, afters[at] if after <= ends[at] else afters[at] + after - ends[at]


def _meaning(match: re.Match[str]) -> str:
    if match["bytes"]:
        return bytes.fromhex(match["bytes"].replace("%", "")).decode("utf-8", "replace")
    if match["entity"]:
        return unescaped(match["entity"])
    if code := match["four"] or match["two"]:
        return chr(int(code, 16))
    return "\n" if match["end"] else match["sign"] or ""
