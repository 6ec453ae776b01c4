"""Walks every combination of facts that a run can reach, without listing them one by one.

A decision runs on facts whose values are chosen only when it reads them. If a fact may still have several values,
the walk branches over those that the rules allow. So each branch stands for all combinations that share the values
that were read: the decision cannot distinguish them. Nothing is sampled, and no value that is read is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from redeploy.decision.facts import Facts
from tools.docs.decision_space import ANSWERS, AXES, CLAUSES, FIXED

_NAMES = tuple(AXES)
_PLACE = {name: place for place, name in enumerate(_NAMES)}

Decision = TypeVar("Decision")

Domains = tuple[int, ...]
"""For each axis, the values that are still possible, one bit each."""


def _bits(name: str, values: frozenset[Any]) -> int:
    return sum(1 << place for place, value in enumerate(AXES[name]) if value in values)


_CLAUSES = tuple(tuple((_PLACE[name], _bits(name, values)) for name, values in clause) for clause in CLAUSES)
_TOUCHING = tuple(
    tuple(clause for clause in _CLAUSES if any(place == other for other, _ in clause)) for place in range(len(_NAMES))
)
_EVERYTHING: Domains = tuple((1 << len(AXES[name])) - 1 for name in _NAMES)

_SPLITS: Mapping[str, tuple[str, int]] = {
    "healthy": ("condition", _bits("condition", frozenset(each for each in AXES["condition"] if each == "healthy"))),
    "late": ("now", _bits("now", frozenset(each for each in AXES["now"] if each >= FIXED["deadline"]))),
}
"""Properties of `Facts` that test one aspect of a fact with many values: the rest of its value stays open."""


def narrowed(domains: Domains, place: int, values: int) -> Domains | None:
    """Return what remains possible when a fact has one of these values; None if the rules forbid that."""
    state = list(domains)
    changed = [(place, values)]
    while changed:
        place, values = changed.pop()
        left = state[place] & values
        if left == state[place]:
            continue
        if not left:
            return None
        state[place] = left
        for clause in _TOUCHING[place]:
            open_literal: tuple[int, int] | None = None
            for other, allowed in clause:
                possible = state[other]
                if not possible & ~allowed:
                    break  # already true
                if possible & allowed:
                    if open_literal is not None:
                        break  # two literals can still become true
                    open_literal = other, allowed
            else:
                if open_literal is None:
                    return None
                changed.append(open_literal)
    return tuple(state)


def completed(domains: Domains, *, first: bool = True) -> Domains | None:
    """Return one full possible combination, with each fact as early or as late on its axis as the rules allow."""
    for place, possible in enumerate(domains):
        if possible & (possible - 1):
            bits = [1 << bit for bit in range(possible.bit_length()) if possible >> bit & 1]
            for bit in bits if first else reversed(bits):
                left = narrowed(domains, place, bit)
                if left is not None and (found := completed(left, first=first)) is not None:
                    return found
            return None
    return domains


def facts_of(domains: Domains) -> Facts:
    """Return the facts of a full combination."""
    values = {
        name: AXES[name][domains[place].bit_length() - 1] for place, name in enumerate(_NAMES) if name != "window_open"
    }
    return Facts(**values, **FIXED)


class _ExcludedError(Exception):
    """The rules allow no value."""


class _Lazy:
    """Facts whose values are chosen when they are read."""

    def __init__(self, domains: Domains, others: list[Domains]) -> None:
        self.domains = domains
        self.others = others

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the value of any fact
        if name in FIXED:
            value = FIXED[name]
        elif name in _SPLITS:
            value = self._split(*_SPLITS[name])
        elif name in _PLACE:
            value = self._chosen(name)
        else:
            value = getattr(Facts, name).fget(self)
        self.__dict__[name] = value
        return value

    def _chosen(self, name: str) -> Any:  # noqa: ANN401 - the value of any fact
        place = _PLACE[name]
        possible = self.domains[place]
        if possible & (possible - 1):
            bits = [1 << bit for bit in range(possible.bit_length()) if possible >> bit & 1]
            self._branch([narrowed(self.domains, place, bit) for bit in bits])
        return AXES[name][self.domains[place].bit_length() - 1]

    def _split(self, name: str, values: int) -> bool:
        place = _PLACE[name]
        if self.domains[place] & values and self.domains[place] & ~values:
            self._branch([narrowed(self.domains, place, part) for part in (~values, values)])
        return bool(self.domains[place] & values)

    def _branch(self, ways: list[Domains | None]) -> None:
        possible = [way for way in ways if way is not None]
        if not possible:
            raise _ExcludedError
        self.domains = possible[0]
        self.others += possible[1:]


def walk(decide: Callable[[Facts], Decision], **given: object) -> Iterator[tuple[Decision, Domains]]:
    """Yield every decision, with the combinations that lead to it.

    Args:
        decide: a pure function of facts.
        given: facts that are fixed.
    """
    start: Domains | None = _EVERYTHING
    for name, value in given.items():
        start = start and narrowed(start, _PLACE[name], _bits(name, frozenset([value])))
    waiting = [start] if start else []
    while waiting:
        lazy = _Lazy(waiting.pop(), waiting)
        try:
            decision = decide(cast("Facts", lazy))
        except _ExcludedError:
            continue
        if completed(lazy.domains) is not None:
            yield decision, lazy.domains


def described(domains: Domains) -> str:
    """Return the fixed facts that differ from the first values of their axes, as readable text."""
    settled = {
        name: AXES[name][domains[place].bit_length() - 1]
        for place, name in enumerate(_NAMES)
        if not domains[place] & (domains[place] - 1)
    }
    return ", ".join(f"{name}={_word(name, value)}" for name, value in settled.items() if value != AXES[name][0])


def _word(name: str, value: object) -> object:
    return next(word for word, answer in ANSWERS.items() if answer == value) if name == "answer" else value
