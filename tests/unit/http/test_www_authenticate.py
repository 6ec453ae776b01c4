"""The credentials that a server asks for in its header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.www_authenticate import Challenge, parse


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ("", []),
        ("Basic", [("basic", {})]),
        ('Basic realm="Registry"', [("basic", {"realm": "Registry"})]),
        (
            'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:o/app:pull"',
            [("bearer", {"realm": "https://ghcr.io/token", "service": "ghcr.io", "scope": "repository:o/app:pull"})],
        ),
        ('Bearer realm="https://a/t" , service = x', [("bearer", {"realm": "https://a/t", "service": "x"})]),
        ('BEARER Realm="https://a/t"', [("bearer", {"realm": "https://a/t"})]),
        ('Basic realm="a, b", Bearer realm="c"', [("basic", {"realm": "a, b"}), ("bearer", {"realm": "c"})]),
        ('Negotiate, Basic realm="x"', [("negotiate", {}), ("basic", {"realm": "x"})]),
        ('Negotiate YWJj/+==, Basic realm="x"', [("negotiate", {}), ("basic", {"realm": "x"})]),
        (r'Basic realm="a \"quoted\" \\ realm"', [("basic", {"realm": r'a "quoted" \ realm'})]),
        (', ,Basic realm="x",,', [("basic", {"realm": "x"})]),
        ('Bearer realm="good", realm="evil"', [("bearer", {"realm": "good"})]),
        ('Basic realm="x", Bearer realm="unfinished', [("basic", {"realm": "x"}), ("bearer", {})]),
        ('Bearer realm="a"junk, service="b"', [("bearer", {})]),
        ('realm="x"', []),
        ("\x00Basic", []),
    ],
)
def test_challenges_are_parsed(header: str, challenges: list[tuple[str, dict[str, str]]]) -> None:
    assert [(each.scheme, dict(each.parameters)) for each in parse(header)] == challenges


WORD = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)
VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
CHALLENGES = st.lists(st.tuples(WORD, st.dictionaries(WORD.map(str.lower), VALUE, min_size=1, max_size=4)), max_size=4)


@given(CHALLENGES)
def test_parsing_undoes_formatting(challenges: list[tuple[str, dict[str, str]]]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ", ".join(
        f"{scheme} " + ", ".join(f"{name}={quoted(value)}" for name, value in parameters.items())
        for scheme, parameters in challenges
    )
    assert parse(header) == tuple(Challenge(scheme.lower(), parameters) for scheme, parameters in challenges)


@given(st.text(max_size=200) | st.text(' \t,="\\abBearer', max_size=200))
def test_any_header_is_parsed_without_an_error(header: str) -> None:
    for each in parse(header):
        assert each.scheme == each.scheme.lower()
        assert all(name == name.lower() for name in each.parameters)
        assert sum(len(name) + len(value) for name, value in each.parameters.items()) <= len(header)


def test_an_endless_header_is_read_only_up_to_a_limit() -> None:
    assert len(parse("a " * 10_000)) < 10_000
    assert len(parse('Basic realm="' + "\\" * 1_000_000)) == 1
