"""Routes: operations of an OpenAPI document, and the patterns that match them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from redeploy.text.choice import choice

METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "QUERY")
"""The methods that a path of an OpenAPI document may have, up to version 3.2."""

MOST_COMPARED = 5_000
"""Operations that are searched for near misses."""

MOST_SPELLED = 1_000
"""Paths whose spelling is compared; this many take a tenth of a second."""

_PARAMETER = re.compile(r"\{[^{}/]*\}")


@dataclass(frozen=True, order=True)
class Operation:
    """A method and a path, as written in the document, and the prefixes of its servers."""

    path: str
    method: str
    prefixes: tuple[str, ...] = ("",)

    def __str__(self) -> str:
        return f"{self.method} {self.prefixes[0]}{self.path}".lstrip()

    @cached_property
    def written(self) -> tuple[str, str]:
        """Method and path without the names of parameters, so that templates with other names compare equal."""
        return self.method, shape(self.path)

    @cached_property
    def places(self) -> frozenset[tuple[str, str]]:
        """The same with the prefix of each server."""
        return frozenset((self.method, shape(prefix + self.path)) for prefix in self.prefixes)

    @cached_property
    def segments(self) -> list[list[str]]:
        """The path as it is written, and with each prefix, split at the slashes; patterns are compared with these."""
        return [_segments(shape(prefix + self.path)) for prefix in dict.fromkeys(("", *self.prefixes))]


@dataclass(frozen=True)
class Pattern:
    """`GET /api/*/items/{id}`: a method, or any if it is empty, and a path with wildcards."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}".lstrip()

    def matches(self, operation: Operation) -> bool:
        """Return whether an operation matches, by its address at a server or as written in the document."""
        return self.method in ("", operation.method) and self.matches_path(operation)

    def matches_path(self, operation: Operation) -> bool:
        """Return whether the path matches, with any method."""
        return any(_match(self._segments, path) for path in operation.segments)

    def forbids(self, operation: Operation) -> bool:
        """Return the same for a forbidden route: letter case and a slash at the end make no difference.

        Many servers respond alike to both spellings. An operation without a method stands for any method of its path.
        """
        if operation.method and self.method not in ("", operation.method):
            return False
        return any(_match(self._forbidden, _loosely(path)) for path in operation.segments)

    @cached_property
    def _segments(self) -> list[str]:
        return _segments(shape(self.path))

    @cached_property
    def _forbidden(self) -> list[str]:
        return _loosely(self._segments)


def parse_pattern(line: str) -> Pattern:
    """Return the pattern of a line `GET /api/ready` or `/api/ready`.

    Raises:
        ValueError: with what is wrong.
    """
    *methods, path = line.split() or [""]
    if len(methods) > 1 or not path.startswith("/"):
        msg = f"{line!r:.80} is not a route; write `GET /api/ready`, or `/api/ready` for any method"
        raise ValueError(msg)
    if any("*" in segment and segment not in ("*", "**") for segment in _segments(path)):
        msg = f"{line!r:.80}: `*` stands for a whole segment and `**` for any number of them, as in `/api/*/items`"
        raise ValueError(msg)
    if "?" in path:
        msg = f"{line!r:.80} has a query, which is not part of a route"
        raise ValueError(msg)
    return Pattern(method_of(line, methods[0]) if methods else "", path)


def method_of(line: str, word: str) -> str:
    """Return the method that a word in a line names.

    Raises:
        ValueError: with what is wrong.
    """
    try:
        return choice(word.upper(), METHODS)
    except ValueError as error:
        msg = f"{line!r:.80}: {word!r:.20} {error}"
        raise ValueError(msg) from None


def shape(path: str) -> str:
    """Return a path without the names of its parameters."""
    return _PARAMETER.sub("{}", path) if "{" in path else path


def fits(path: str, template: str) -> bool:
    """Return whether a template matches a concrete path: a parameter matches one segment, or a part of one."""
    concrete, expected = _segments(path), _segments(shape(template))
    return len(concrete) == len(expected) and all(map(_segment_fits, concrete, expected))


def near_misses(pattern: Pattern, operations: Sequence[Operation], most: int = 3) -> list[Operation]:
    """Return the operations that a pattern without a match probably means, the most similar first."""
    compared = operations[:MOST_COMPARED]
    bare = pattern.path.rstrip("/").lower()

    def first(found: Iterable[Operation]) -> list[Operation]:
        return list(found)[:most]

    return (
        first(each for each in compared if pattern.matches_path(each))
        or first(each for each in compared if _of_method(pattern, each) and fits(pattern.path, each.path))
        or first(each for each in compared if each.path.rstrip("/").lower() == bare)
        or first(each for each in compared if bare and _ends_alike(bare, each.path.lower()))
        or first(_spelled_alike(pattern, compared))
    )


def _segment_fits(concrete: str, template: str) -> bool:
    """Find the literal pieces one after the other; a regular expression of a hostile template could take forever."""
    first, *rest = template.split("{}")
    if not rest:
        return concrete == template
    if not concrete.startswith(first):
        return False
    at = len(first)
    for piece in rest[:-1]:
        at = concrete.find(piece, at + 1)
        if at < 0:
            return False
        at += len(piece)
    return concrete.endswith(rest[-1]) and len(concrete) - len(rest[-1]) > at


def _spelled_alike(pattern: Pattern, operations: Sequence[Operation]) -> list[Operation]:
    import difflib  # only a miss needs it

    by_path: dict[str, list[Operation]] = {}
    for each in operations:
        if len(by_path) < MOST_SPELLED or each.path[:256] in by_path:
            by_path.setdefault(each.path[:256], []).append(each)
    alike = difflib.get_close_matches(pattern.path, by_path, n=2, cutoff=0.75)
    return [each for path in alike for each in by_path[path]]


def _of_method(pattern: Pattern, operation: Operation) -> bool:
    return pattern.method in ("", operation.method)


def _ends_alike(one: str, other: str) -> bool:
    short, long = sorted((one, other.rstrip("/")), key=len)
    return bool(short) and long.endswith(short)


def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def _loosely(segments: Sequence[str]) -> list[str]:
    """Return segments in one letter case, without empty ones at the end."""
    found = [each.casefold() for each in segments]
    while found and not found[-1]:
        found.pop()
    return found


def _match(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Match segments; on a dead end the last `**` takes one more, so the time is never exponential."""
    at = position = 0
    star, taken = -1, 0
    while position < len(path):
        if at < len(pattern) and pattern[at] == "**":
            star, taken = at, position
            at += 1
        elif at < len(pattern) and (pattern[at] == path[position] or (pattern[at] == "*" and path[position])):
            at, position = at + 1, position + 1
        elif star >= 0:
            taken += 1
            at, position = star + 1, taken
        else:
            return False
    return all(rest == "**" for rest in pattern[at:])
