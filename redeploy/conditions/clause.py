"""One condition on a response, and whether the response fulfils it."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from operator import is_
from typing import Any

from redeploy.conditions import pattern
from redeploy.conditions.source import NOT_JSON, is_text, reads_page, value_at
from redeploy.http.response import Response
from redeploy.text.json_path import MISSING, spelled
from redeploy.text.untrusted import code

SHOWN = 80
"""Characters of the response's value that a message shows."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+")


class Operator(StrEnum):
    """How a value is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    CONTAINS = "contains"
    CONTAINS_NOT = "!contains"
    MATCHES = "matches"
    MATCHES_NOT = "!matches"

    @property
    def negative(self) -> bool:
        """Whether it is negated; a missing field then fulfils it."""
        return self.startswith("!")

    @property
    def orders(self) -> bool:
        """Whether it compares the size of two numbers."""
        return self[0] in "<>"


@dataclass(frozen=True)
class Clause:
    """A condition `FIELD OP VALUE`."""

    source: str
    operator: Operator
    values: tuple[str, ...]
    """Alternatives of `=` and `!=`; one value for any other operator."""
    written: str
    """The condition as it is written in the input."""

    def __str__(self) -> str:
        return self.written

    @property
    def reads_page(self) -> bool:
        """Whether it accepts an HTML page."""
        return reads_page(self.source)

    @property
    def reads_body(self) -> bool:
        """Whether it reads more than a header."""
        return not self.source.startswith("header:")

    def failure(self, reply: Response, redact: Callable[[str], str]) -> str | None:
        """Say what was expected and what came, as harmless Markdown; None if the response fulfils the condition."""
        as_text = self.operator in (Operator.MATCHES, Operator.MATCHES_NOT)
        if self._holds(value_at(reply, self.source, as_written=as_text)):
            return None
        there = _there(value_at(reply, self.source, as_written=True), redact)
        return f"{code(redact(self.written), 2 * SHOWN)} does not hold: {there}"

    def _holds(self, value: Any) -> bool:  # noqa: ANN401 - a JSON value
        negative = self.operator.negative
        if value is NOT_JSON or isinstance(value, dict):
            return False
        if value is MISSING:
            return negative
        match self.operator:
            case Operator.CONTAINS | Operator.CONTAINS_NOT:
                return self._contained(value) is not negative
            case _ if isinstance(value, list):
                return False
            case Operator.MATCHES | Operator.MATCHES_NOT:
                return pattern.found(self.values[0], _as_text(value)) is not negative
            case Operator.EQUAL | Operator.NOT_EQUAL:
                trimmed = value.strip() if is_text(self.source) else value
                return any(equal(trimmed, each) for each in self.values) is not negative
            case _:
                return self._in_order(value.strip() if is_text(self.source) else value)

    def _in_order(self, value: Any) -> bool:  # noqa: ANN401 - a JSON value
        left, right = number(value) if isinstance(value, str) else value, number(self.values[0])
        if isinstance(left, bool) or not isinstance(left, int | float) or right is None:
            return False
        match self.operator:
            case Operator.LESS:
                return left < right
            case Operator.AT_MOST:
                return left <= right
            case Operator.MORE:
                return left > right
            case _:
                return left >= right

    def _contained(self, value: Any) -> bool:  # noqa: ANN401 - a JSON value
        [part] = self.values
        if isinstance(value, list):
            return holds_equal(value, part)
        return isinstance(value, str) and part in value


def equal(value: Any, expected: str) -> bool:  # noqa: ANN401 - a JSON value
    """Return whether a JSON scalar equals a condition's VALUE: a number by its amount, a string by its characters."""
    if value is None:
        return expected == "null"
    if isinstance(value, bool):
        return expected == ("true" if value else "false")
    if isinstance(value, int | float):
        return value == number(expected)
    return isinstance(value, str) and value == expected


def holds_equal(values: Sequence[Any], wanted: str) -> bool:
    """Return whether an array has an element that is `equal`, in little more time than reading the array took."""
    amount = number(wanted)
    alike: set[Any] = {wanted, _WORDS.get(wanted, wanted), wanted if amount is None else amount}
    with suppress(TypeError):  # there is an object or an array: then each one is compared
        if alike.isdisjoint(values):
            return False
    if wanted in _WORDS and any(map(partial(is_, _WORDS[wanted]), values)):
        return True
    numbers = [] if amount is None else [each for each in values if each is not True and each is not False]
    return wanted in values or amount in numbers


_WORDS = {"true": True, "false": False, "null": None}


def number(text: str) -> int | float | None:
    """Return the number that a whole text spells; None if it is not a number."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return int(text)
    except ValueError:  # it has a fraction, or more digits than Python reads as an integer
        return float(text)


def _as_text(value: Any) -> str:  # noqa: ANN401 - a JSON scalar
    return "null" if value is None else spelled(value) or ""


def _there(value: Any, redact: Callable[[str], str]) -> str:  # noqa: ANN401 - a JSON value
    """Describe the response's value. It is redacted as a whole, then cut."""
    if value is NOT_JSON:
        return "the response is not JSON"
    if value is MISSING:
        return "the field is missing"
    if isinstance(value, dict):
        return "the value is an object"
    if isinstance(value, list):
        return f"the value is an array of {len(value):,}"
    text = redact(_as_text(value)).strip()
    return f"the value is {code(text, SHOWN)}" if text else "the value is empty"
