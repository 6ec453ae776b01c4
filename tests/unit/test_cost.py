"""Reading hostile text takes time in proportion to its length: steps are counted and patterns analysed, no clock is read."""

import ast
import importlib
import json
import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.conditions.grammar import expectation
from redeploy.http.condition import described
from redeploy.http.response import Response, http_date, nested_too_deeply
from redeploy.text.markdown import fenced, inline, plain
from redeploy.text.markup import attribute, meta_content
from redeploy.text.secret import CUT, Secret, redactor
from redeploy.text.untrusted import block, one_line, without_tags
from redeploy.triggers.trigger import Result
from redeploy.triggers.watchtower.answer import read_answer, reported_reasons
from tests.unit.factories import ready, reply
from tests.unit.settings.config.loading import load_text

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "Zq8-x_V4tWn2LrKp0sYh7uBcE5mJdGa1"
REDACT = redactor([Secret(TOKEN), Secret("aaaaaaaaaaaaaaaab")])


# steps


def steps(work: Callable[[], object]) -> int:
    """The number of Python lines that a function executes."""
    taken = 0

    def trace(_: FrameType, event: str, __: object) -> Any:  # noqa: ANN401 - itself
        nonlocal taken
        taken += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return taken


READERS: dict[str, Callable[[int], object]] = {
    "ends of a cut text": lambda size: REDACT(f"{TOKEN[:12]}{CUT}" * size),
    "beginnings in a cut text": lambda size: REDACT("a" * 8 * size + CUT),
    "layers of disguise": lambda size: REDACT("&#37;25" * size),
    "secrets in layers of disguise": lambda size: REDACT(f"%2525{TOKEN[:8]}\n{TOKEN[8:]}&" * size),
    "one line": lambda size: one_line("\x1b[0" * size, size * 4),
    "tags that nothing closes": lambda size: without_tags("<" * size),
    "a block": lambda size: block("\n" * size, 60),
    "a line of Markdown": lambda size: inline("`@a#1" * size),
    "fences": lambda size: fenced("`" * size),
    "reasons of the check endpoint": lambda size: reported_reasons(
        reply(200, {"containers": [{"name": "a", "error": "<" * 8}] * size}), Result.BLOCKED, REDACT
    ),
    "an answer of the trigger": lambda size: read_answer(reply(200, {"summary": [{}] * size})),
    "who answered": lambda size: described(reply(404, "//DTD HTML 2.0//EN <title>Cannot POST " * size)),
    "tags of a page": lambda size: meta_content(b"<meta name='a' content=b>" * size + b"x", "x"),
    "tags that nothing ends": lambda size: meta_content(b"<a b='<!--" * size + b"<meta x", "x"),
    "attributes": lambda size: attribute(b"<a " + b"b = 'c' " * size + b">", "x"),
    "a condition": lambda size: expectation("a contains 1 and b = 1").failure(ready(a=["2"] * size), REDACT),
    "a line of conditions": lambda size: expectation("a = 1 and " * size + "b = 1"),
    "brackets": lambda size: nested_too_deeply(b'["\\"", {' * size),
    "services of a config file": lambda size: load_text(
        "services:\n" + "".join(f"  s{n}: \n" for n in range(size // 8))
    ),
    "hosts of a config file": lambda size: load_text(
        "services: {a: }\nhosts:\n" + "".join(f"  h{n}: {{services: [a, b]}}\n" for n in range(size // 8))
    ),
    "wrong values of a config file": lambda size: load_text(
        "services: {a: {smoke: [" + "GET a, " * (size // 8) + "], health-expect: [" + "a==1, " * (size // 8) + "]}}"
    ),
    "unknown keys of a config file": lambda size: load_text("".join(f"k{n}: v\n" for n in range(200 + size // 8))),
    "names given twice in a config file": lambda size: load_text("a: b\n" * (200 + size // 8)),
    "variables of a config file": lambda size: load_text("services: {a: {image: '" + "${A}$${" * size + "'}}"),
    "wrong items of a config file": lambda size: load_text("services: {a: {smoke: [" + "x y, " * size + "]}}"),
    "headers of a config file": lambda size: load_text(
        "services: {a: {service-headers: {" + "".join(f"X-{n}: v, " for n in range(size // 4)) + "}}}"
    ),
    "aliases of a config file": lambda size: load_text("a: &a {b: c}\nd: [" + "*a, " * size + "]"),
    "a config file that is not YAML": lambda size: load_text("a: [" + "b #c\n " * size + "{"),
    "JSON": lambda size: ready(**{f"k{number}": 1 for number in range(size)}).json,
}


@pytest.mark.parametrize("name", READERS)
def test_twice_as_much_text_takes_at_most_twice_as_many_steps(name: str) -> None:
    read = READERS[name]
    read(1)  # what is loaded once does not count
    one, two = steps(lambda: read(400)), steps(lambda: read(800))
    assert two <= 2.2 * one + 200


# patterns


def patterns() -> Iterator[tuple[str, str]]:
    """Every pattern in the source of the product, with the function that uses it: a method of `re`, or `compile`."""
    for path in sorted((ROOT / "redeploy").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                of, method, written = node.func.value, node.func.attr, node.args[0]
                if (
                    isinstance(of, ast.Name)
                    and of.id == "re"
                    and isinstance(written, ast.Constant)
                    and method != "compile"
                ):
                    yield f"{name}: re.{method}", _text(written.value)
        for key, value in vars(importlib.import_module(name)).items():
            if isinstance(value, re.Pattern):
                yield f"{name}: {key}", _text(value.pattern)


def _text(pattern: object) -> str:
    return pattern.decode("latin-1") if isinstance(pattern, bytes) else str(pattern)


_ALPHABET = [chr(number) for number in range(128)]


def accepted(item: tuple[Any, Any]) -> frozenset[str]:
    """The ASCII characters that an item of one character matches."""
    kind, argument = item
    if kind is codes.LITERAL:
        return frozenset(chr(argument))
    if kind is codes.NOT_LITERAL:
        return frozenset(_ALPHABET) - {chr(argument)}
    if kind is codes.ANY:
        return frozenset(_ALPHABET) - {"\n"}
    if kind is codes.IN:
        pattern = parser.State()
        tree = parser.SubPattern(pattern, [item])
        compiled = re._compiler.compile(tree) if hasattr(re, "_compiler") else None
        return frozenset(each for each in _ALPHABET if compiled and compiled.fullmatch(each))
    return frozenset()


def repeats(items: Any) -> Iterator[Any]:  # noqa: ANN401 - the parser's tree
    """The items that are repeated without limit and with backtracking."""
    for kind, argument in items:
        if kind in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            _, most, inner = argument
            if most is codes.MAXREPEAT:
                yield inner
            yield from repeats(inner)
        elif kind is codes.SUBPATTERN:
            yield from repeats(argument[-1])
        elif kind is codes.BRANCH:
            for branch in argument[1]:
                yield from repeats(branch)


def first(items: Any) -> frozenset[str]:  # noqa: ANN401 - the parser's tree
    """The characters that a match may start with."""
    found: frozenset[str] = frozenset()
    for kind, argument in items:
        if kind in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            found |= first(argument[2])
            if argument[0]:
                return found
        elif kind is codes.SUBPATTERN:
            return found | first(argument[-1])
        elif kind is codes.BRANCH:
            return found.union(*map(first, argument[1]))
        elif kind not in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
            return found | accepted((kind, argument))
    return found


OURS = (
    "redeploy.setup.files",
    "redeploy.setup.workflows",
    "redeploy.setup.dotenv",
    "redeploy.settings.parsers",
    "redeploy.commands",
)
"""Modules whose patterns read what the owner wrote."""

SCANNING = ("re.sub", "re.search", "re.finditer", "re.findall", "re.split")


@cache
def hostile_patterns() -> list[tuple[str, str]]:
    return sorted({each for each in patterns() if not each[0].startswith(OURS)})


def test_no_pattern_repeats_a_group_of_repeats() -> None:
    found = [f"{where}: {pattern}" for where, pattern in hostile_patterns() if repeats_repeats(pattern)]
    assert found == []


def repeats_repeats(pattern: str) -> bool:
    return any(
        all(kind in (codes.MAX_REPEAT, codes.MIN_REPEAT) and most[1] is codes.MAXREPEAT for kind, most in list(outer))
        for outer in repeats(parser.parse(pattern))
    )


@pytest.mark.parametrize(
    ("pattern", "does"), [("(?:a*)*", True), ("(?:a+)+b", True), ("(?:ab*)*", False), ("a*b*", False)]
)
def test_nested_repeats_are_found(pattern: str, does: bool) -> None:
    assert repeats_repeats(pattern) is does


def scanning_patterns() -> list[tuple[str, str]]:
    """The patterns that are tried at every position of a text."""
    found = [each for each in hostile_patterns() if each[0].rpartition(": ")[2] in SCANNING]
    for where, pattern in hostile_patterns():
        module, _, name = where.partition(": ")
        source = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        if any(f"{name}.{method}(" in source for method in ("sub", "search", "finditer", "findall", "split")):
            found.append((where, pattern))
    return found


def test_no_pattern_scans_past_a_place_where_it_could_start_again() -> None:
    """Otherwise a text that consists only of possible starts is read to its end from each of them."""
    found = [f"{where}: {pattern}" for where, pattern in scanning_patterns() if reads_past_a_beginning(pattern)]
    assert found == []


def reads_past_a_beginning(pattern: str) -> bool:
    tree = parser.parse(pattern)
    anchored = next(iter(tree), (None, None))[0] in (codes.AT, codes.ASSERT_NOT)
    if anchored or len(tree) == 1:
        return False
    beginnings = first(tree)
    return any(beginnings & frozenset[str]().union(*(accepted(item) for item in inner)) for inner in repeats(tree))


@pytest.mark.parametrize(
    ("pattern", "does"), [("a[^b]*b", True), ("a[^ab]*b", False), ("^a[^b]*b", False), ("[^b]*", False)]
)
def test_scanning_past_a_start_is_found(pattern: str, does: bool) -> None:
    assert reads_past_a_beginning(pattern) is does


# exceptions


@given(st.text(max_size=60) | st.from_regex(r"(?a)\w{0,4},? \d{0,6} \w{0,4} \d{0,30}:?\d{0,4}:?\d{0,4} [+-]?\w{0,6}"))
def test_any_date_is_read_without_an_error(text: str) -> None:
    found = http_date(text)
    assert found is None or isinstance(found, float)


@given(st.text("&#xX0123456789abc;%25 ", max_size=80))
def test_any_text_is_searched_for_secrets_without_an_error(text: str) -> None:
    assert REDACT(text) == text


def test_numbers_of_thousands_of_digits_cause_no_error() -> None:
    digits = "9" * 5000
    assert REDACT(f"&#{digits};&#x{digits};") == f"&#{digits};&#x{digits};"
    assert Response(200, {"retry-after": digits}).retry_after is None
    assert Response(200, {"content-type": "application/json"}, digits.encode()).json is None
    assert plain(f"\n{digits}```") == digits
    assert json.loads("1") == 1
