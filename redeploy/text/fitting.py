"""JSON that fits into an environment variable.

A workflow passes outputs on in the environment of later steps, and Linux does not start a process with a variable of
more than 128 KiB (`MAX_ARG_STRLEN`, linux/binfmts.h): a container with a longer one would not start.
"""

import json
from collections.abc import Sequence
from typing import Any

MOST_BYTES = 96 * 1024
"""Of one output; it is ASCII."""

_SHORTER = (1000, 200, 40)
"""Lengths that texts are cut to, one after the other, if cutting lists is not enough."""


def spelled(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Return the JSON of a value, in ASCII and without white space."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def array(texts: Sequence[str]) -> str:
    """Return the JSON array of texts; a last entry counts those that do not fit."""
    whole = spelled(list(texts))
    if len(whole) <= MOST_BYTES:
        return whole
    room, kept = MOST_BYTES - 100, list[str]()
    for text in texts:
        room -= len(spelled(text)) + 1
        if room < 0:
            break
        kept.append(text)
    return spelled([*kept, f"... and {len(texts) - len(kept)} more"])


def document(content: dict[str, Any], lists: Sequence[str], *, kept: str = "") -> str:
    """Return the JSON of an object. If it does not fit, the object itself is cut, and `truncated` is set.

    Args:
        content: the object.
        lists: dotted paths of the lists that are cut first, in this order; a list loses its middle.
        kept: a field that is never cut, since a later run compares with it; it takes far less than there is room for.
    """
    return spelled(fitted(content, lists, MOST_BYTES, kept=kept))


def fitted(content: dict[str, Any], lists: Sequence[str], room: int, *, kept: str = "") -> dict[str, Any]:
    """Return an object, which may be changed for it, so that its JSON has at most `room` bytes, as far as that can be."""
    if len(spelled(content)) <= room:
        return content
    content["truncated"] = True
    excess = len(spelled(content)) - room
    for path in lists:
        *above, name = path.split(".")
        holder = content
        for each in above:
            holder = holder[each]
        excess -= _cut(holder[name], excess)
    for most in _SHORTER:
        if excess > 0:
            content = {name: each if name == kept else _shortened(each, most) for name, each in content.items()}
            excess = len(spelled(content)) - room
    return content


def _cut(items: list[Any], excess: int) -> int:
    """Remove at least so many characters from a list's middle, and return how many that were."""
    sizes = [len(spelled(each)) + 1 for each in items]
    begin = end = len(items) // 2
    gone = 0
    while gone < excess and (begin > 0 or end < len(items)):
        if end < len(items) and (len(items) - end >= begin or begin == 0):
            gone += sizes[end]
            end += 1
        else:
            begin -= 1
            gone += sizes[begin]
    del items[begin:end]
    return gone


def _shortened(value: Any, most: int) -> Any:  # noqa: ANN401 - JSON values
    if isinstance(value, dict):
        return {name: _shortened(each, most) for name, each in value.items()}
    if isinstance(value, list):
        return [_shortened(each, most) for each in value[:most]]
    return f"{value[: most - 1]}\N{HORIZONTAL ELLIPSIS}" if isinstance(value, str) and len(value) > most else value
