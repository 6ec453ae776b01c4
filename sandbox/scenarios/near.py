"""Suggestions for a misspelt scenario name."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

_CLOSE = 0.7
_MOST = 4


def near_misses(typed: str, names: Iterable[str]) -> list[str]:
    """Return the names most similar to the typed one, best first: similar as a whole, or in each typed word."""
    sought = re.findall(r"[a-z0-9]+", typed.lower())
    scores = {name: _likeness(sought, name.split("-")) for name in names} if sought else {}
    near = sorted((name for name, score in scores.items() if score >= _CLOSE), key=lambda name: (-scores[name], name))
    return near[:_MOST]


def _likeness(sought: Sequence[str], words: Sequence[str]) -> float:
    """Return the similarity, from 0 to 1 (the same)."""
    whole = _alike("".join(sought), "".join(words))
    each = [max(_alike(one, word, start=0.9) for word in words) for one in sought]
    return max(whole, 0.95 * sum(each) / len(each))


def _alike(one: str, other: str, start: float = 0.0) -> float:
    """Return how similar two words are; `start` is the least similarity of two words of which one starts with the other."""
    if len(one) > 1 and (one.startswith(other) or other.startswith(one)):
        return max(start, _ratio(one, other))
    return _ratio(one, other)


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
