"""Route patterns, and the operations that they match."""

import re
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract import routes
from redeploy.contract.routes import METHODS, Operation, Pattern, fits, near_misses, parse_pattern, shape


def operation(text: str, *prefixes: str) -> Operation:
    method, path = text.split()
    return Operation(path, method, prefixes or ("",))


# the grammar


@pytest.mark.parametrize(
    ("line", "method", "path"),
    [
        ("GET /api/ready", "GET", "/api/ready"),
        ("get /api/ready", "GET", "/api/ready"),
        ("/api/ready", "", "/api/ready"),
        ("  DELETE   /api/items/{id} ", "DELETE", "/api/items/{id}"),
        ("POST /**", "POST", "/**"),
        ("/", "", "/"),
        ("/a/*/b/**", "", "/a/*/b/**"),
        ("query /search", "QUERY", "/search"),
        ("/a:verb", "", "/a:verb"),
    ],
)
def test_a_pattern_is_a_method_and_a_path(line: str, method: str, path: str) -> None:
    assert parse_pattern(line) == Pattern(method, path)
    assert str(parse_pattern(line)) == f"{method} {path}".strip()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("GET", "is not a route"),
        ("api/ready", "is not a route"),
        ("GET api/ready", "is not a route"),
        ("GET POST /api/ready", "is not a route"),
        ("GET /api /ready", "is not a route"),
        ("https://api.example.com/a", "is not a route"),
        ("", "is not a route"),
        ("FETCH /api/ready", "must be `GET`"),
        ("/api/it*", "`*` stands for a whole segment"),
        ("/api/***", "`*` stands for a whole segment"),
        ("/api/{a*}", "`*` stands for a whole segment"),
        ("GET /api?x=1", "has a query"),
    ],
)
def test_an_invalid_pattern_is_reported(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_pattern(line)


def test_a_misspelt_method_gets_a_suggestion() -> None:
    with pytest.raises(ValueError, match="DELETE"):
        parse_pattern("DELET /a")


def test_the_line_of_an_unknown_method_is_named() -> None:
    with pytest.raises(ValueError, match="FETCH /api/ready"):
        parse_pattern("FETCH /api/ready")


@given(st.text(max_size=40))
def test_any_line_is_a_pattern_or_says_what_is_wrong(line: str) -> None:
    message = ""
    try:
        assert parse_pattern(line).path.startswith("/")
    except ValueError as error:
        message = str(error)
    assert len(message) < 300


# matching


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/api/ready", "/api/ready", True),
        ("/api/ready", "/api/ready/", False),
        ("/api/ready", "/API/ready", False),
        ("/api/ready", "/api", False),
        ("/api", "/api/ready", False),
        ("/", "/", True),
        ("/api/*", "/api/ready", True),
        ("/api/*", "/api/{id}", True),
        ("/api/*", "/api/", False),
        ("/api/*", "/api", False),
        ("/api/*", "/api/a/b", False),
        ("/api/*/status", "/api/x/status", True),
        ("/*/*", "/a/b", True),
        ("/api/**", "/api", True),
        ("/api/**", "/api/", True),
        ("/api/**", "/api/a/b/c", True),
        ("/api/**", "/apis", False),
        ("/**", "/", True),
        ("/**", "/a/b", True),
        ("/**/status", "/status", True),
        ("/**/status", "/a/b/status", True),
        ("/**/status", "/a/status/b", False),
        ("/a/**/b/**/c", "/a/x/b/y/z/c", True),
        ("/a/**/b/**/c", "/a/b/c", True),
        ("/a/**/b/**/c", "/a/c/b", False),
        ("/**/*", "/", False),
        ("/**/*", "/a", True),
        ("/**/**", "/", True),
        ("/items/{id}", "/items/{item_id}", True),
        ("/items/{}", "/items/{item_id}", True),
        ("/items/{id}", "/items/5", False),
        ("/items/5", "/items/{id}", False),
        ("/items/{id}.json", "/items/{name}.json", True),
        ("/items/{id}.json", "/items/{name}.xml", False),
        ("/items/{a}-{b}", "/items/{c}-{d}", True),
        ("/items/{a}", "/items/{a}/", False),
        ("/a.b", "/axb", False),
    ],
)
def test_a_path_matches(pattern: str, path: str, matches: bool) -> None:
    assert parse_pattern(pattern).matches(operation(f"GET {path}")) is matches


@pytest.mark.parametrize(
    ("pattern", "route", "forbidden"),
    [
        ("/internal/**", "GET /Internal/x/", True),
        ("/admin", "GET /admin/", True),
        ("/admin/", "GET /ADMIN", True),
        ("GET /admin", "GET /admin//", True),
        ("GET /admin", "POST /admin/", False),
        ("/admin", "GET /admin/users", False),
        ("/admin/*", "GET /admin/", False),
        ("/admin/{id}", "GET /Admin/{name}/", True),
        ("/", "GET /", True),
        ("/", "GET /a", False),
        ("/v1/items/", "GET /items", True),
    ],
)
def test_a_forbidden_route_is_found_whatever_its_letter_case_and_with_a_slash_at_its_end(
    pattern: str, route: str, forbidden: bool
) -> None:
    assert parse_pattern(pattern).forbids(operation(route, "/v1")) is forbidden


@pytest.mark.parametrize("method", METHODS)
def test_a_method_matches_itself_and_no_method_matches_any(method: str) -> None:
    assert parse_pattern(f"{method} /a").matches(operation(f"{method} /a"))
    assert parse_pattern("/a").matches(operation(f"{method} /a"))
    other = "GET" if method != "GET" else "POST"
    assert not parse_pattern(f"{other} /a").matches(operation(f"{method} /a"))


@pytest.mark.parametrize("pattern", ["/items", "/api/v1/items", "/api/*/items", "/v2/items", "/**/items"])
def test_a_path_counts_as_written_and_with_the_path_of_each_server(pattern: str) -> None:
    found = operation("GET /items", "/api/v1", "/v2")
    assert parse_pattern(pattern).matches(found)
    assert not parse_pattern("/v3/items").matches(found)
    assert str(found) == "GET /api/v1/items"


segments = st.lists(st.sampled_from(["a", "b", "{x}", "{y}", "c.{z}", ""]), min_size=1, max_size=5)
wild = st.lists(st.sampled_from(["a", "b", "{x}", "*", "**", "c.{z}"]), min_size=1, max_size=6)


def renamed(path: str, suffix: str) -> str:
    return re.sub(r"\{(\w*)\}", lambda each: "{" + each[1] + suffix + "}", path)


@given(wild, segments, st.sampled_from(["", "_id", "2"]), st.sampled_from(["", "name"]))
def test_matching_does_not_depend_on_the_names_of_parameters(
    pattern: list[str], path: list[str], one: str, other: str
) -> None:
    asked, written = "/" + "/".join(pattern), "/" + "/".join(path)
    expected = Pattern("", asked).matches(operation(f"GET {written}"))
    assert Pattern("", renamed(asked, one)).matches(operation(f"GET {renamed(written, other)}")) is expected


@given(segments, segments)
def test_without_wildcards_matching_is_symmetric(one: list[str], other: list[str]) -> None:
    first, second = "/" + "/".join(one), "/" + "/".join(other)
    there = Pattern("", first).matches(operation(f"GET {second}"))
    assert Pattern("", second).matches(operation(f"GET {first}")) is there
    assert there is (shape(first) == shape(second))


@given(wild, segments)
def test_wildcards_match_as_a_regular_expression_of_segments_does(pattern: list[str], path: list[str]) -> None:
    expression = "".join(
        "(?:/[^/]*)*" if each == "**" else "/[^/]+" if each == "*" else "/" + re.escape(shape(each)) for each in pattern
    )
    expected = bool(re.fullmatch(expression, shape("/" + "/".join(path))))
    assert Pattern("", "/" + "/".join(pattern)).matches(operation("GET /" + "/".join(path))) is expected


class Counted(list[str]):
    """Segments that count how often they are compared."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - as a list has it
        Counted.looks += 1
        return super().__getitem__(at)


@pytest.mark.parametrize("stars", [1, 5, 20, 100])
def test_no_pattern_takes_exponential_time(stars: int) -> None:
    pattern = Counted(["**", "a"] * stars + ["b"])
    path = Counted(["a"] * 200)
    Counted.looks = 0
    assert not routes._match(pattern, path)
    assert Counted.looks <= 6 * len(pattern) * len(path)


# concrete paths and templates


@pytest.mark.parametrize(
    ("path", "template", "fit"),
    [
        ("/items/5", "/items/{id}", True),
        ("/items/", "/items/{id}", False),
        ("/items/5/6", "/items/{id}", False),
        ("/items/5.json", "/items/{id}.json", True),
        ("/items/.json", "/items/{id}.json", False),
        ("/items/5.jsonx", "/items/{id}.json", False),
        ("/a-b", "/{x}-{y}", True),
        ("/a-", "/{x}-{y}", False),
        ("/-b", "/{x}-{y}", False),
        ("/a-b-c", "/{x}-{y}", True),
        ("/ab", "/{x}{y}", True),
        ("/a", "/{x}{y}", False),
        ("/v1:run", "/v{n}:run", True),
        ("/v:run", "/v{n}:run", False),
        ("/", "/", True),
        ("/items", "/items", True),
        ("/items", "/Items", False),
        ("/{id}", "/{name}", True),
        ("/aXbXc", "/a{p}b{q}c", True),
        ("/abc", "/a{p}b{q}c", False),
    ],
)
def test_a_concrete_path_fits_a_template(path: str, template: str, fit: bool) -> None:
    assert fits(path, template) is fit


@given(
    st.lists(st.text("ab-", max_size=5), min_size=1, max_size=3),
    st.lists(st.lists(st.sampled_from(["a", "b", "-", "{x}", "{y}"]), max_size=4), min_size=1, max_size=3),
)
def test_a_template_accepts_what_its_regular_expression_would(path: list[str], template: list[list[str]]) -> None:
    concrete, written = "/" + "/".join(path), "/" + "/".join(map("".join, template))
    expression = "/".join(
        "".join("[^/]+" if each.startswith("{") else re.escape(each) for each in part) for part in template
    )
    assert fits(concrete, written) is bool(re.fullmatch("/" + expression, concrete))


def test_a_hostile_template_takes_no_exponential_time() -> None:
    assert not fits("/" + "a" * 2_000 + "b", "/" + "{x}a" * 300 + "c")


# near misses


DOCUMENT = [
    operation(each)
    for each in (
        "GET /api/ready",
        "POST /api/ready",
        "GET /api/items/{id}",
        "PUT /api/items/{id}",
        "GET /api/status/",
        "GET /Api/Version",
        "GET /internal/metrics",
    )
]


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        pytest.param("DELETE /api/ready", ["GET /api/ready", "POST /api/ready"], id="another method"),
        pytest.param("DELETE /api/*", ["GET /api/ready", "POST /api/ready"], id="another method, wildcard"),
        pytest.param("GET /api/items/5", ["GET /api/items/{id}"], id="a parameter's value"),
        pytest.param("GET /api/status", ["GET /api/status/"], id="a slash at the end"),
        pytest.param("GET /api/version", ["GET /Api/Version"], id="letter case"),
        pytest.param("GET /v1/internal/metrics", ["GET /internal/metrics"], id="a prefix too many"),
        pytest.param("GET /metrics", ["GET /internal/metrics"], id="a prefix missing"),
        pytest.param("GET /api/raedy", ["GET /api/ready", "POST /api/ready"], id="a typing error"),
        pytest.param("GET /something/else/entirely", [], id="nothing like it"),
    ],
)
def test_the_nearest_operation_is_suggested(pattern: str, near: list[str]) -> None:
    assert [str(each) for each in near_misses(parse_pattern(pattern), DOCUMENT)] == near


def test_only_a_few_near_misses_are_named() -> None:
    many = [operation(f"GET /api/v{each}/ready") for each in range(50)]
    assert len(near_misses(parse_pattern("POST /**"), many)) == 3
    assert near_misses(parse_pattern("POST /a"), []) == []


@given(
    st.text(st.characters(exclude_characters="?*", exclude_categories=["Z", "C"]), max_size=30),
    st.lists(st.text(max_size=20), max_size=6),
)
def test_near_misses_are_operations_of_the_document_and_never_raise(asked: str, paths: list[str]) -> None:
    document = [Operation("/" + path, method) for path, method in product(paths, ("GET", "POST"))]
    assert set(near_misses(Pattern("GET", "/" + asked), document)) <= set(document)
