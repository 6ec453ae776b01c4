"""An OpenAPI file of the workspace, and the lines of its operations."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract import reference
from redeploy.contract.reference import Reference

PATHS: dict[str, Any] = {
    "/api/ready": {"get": {"responses": {"200": {"description": "ok"}}}},
    "/api/items/{id}": {
        "parameters": [{"name": "id", "in": "path"}],
        "get": {"summary": "one of them"},
        "delete": {"summary": "gone"},
    },
}
DOCUMENT: dict[str, Any] = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": PATHS}


def lines(found: Reference) -> dict[str, int]:
    return {str(each): line for each, line in found.lines.items()}


def operations(found: Reference) -> list[str]:
    return [str(each) for each in found.contract.operations]


def wrong(text: str) -> str:
    with pytest.raises(ValueError, match="names a file that cannot be used as a reference") as raised:
        reference.read("openapi.yaml", text)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def numbered(text: str) -> dict[str, int]:
    """The lines of the operations of `DOCUMENT` in a text with one line per key, found by a simple reader."""
    found, path = {}, ""
    for number, line in enumerate(text.splitlines(), 1):
        key = line.partition(":")[0].strip(" \t\"'")
        if key.startswith("/"):
            path = line.rpartition(":")[0].strip(" \t\"'")
        elif path and key in ("get", "delete"):
            found[f"{key.upper()} {path}"] = number
    return found


# reading


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps(DOCUMENT), id="minified JSON"),
        pytest.param(json.dumps(DOCUMENT, indent=2), id="JSON"),
        pytest.param(json.dumps(DOCUMENT, indent="\t"), id="JSON with tabs"),
        pytest.param("\n \t\n" + json.dumps(DOCUMENT), id="JSON after empty lines"),
        pytest.param("\ufeff" + json.dumps(DOCUMENT), id="JSON with a byte order mark"),
        pytest.param(yaml.safe_dump(DOCUMENT), id="YAML"),
        pytest.param("\ufeff" + yaml.safe_dump(DOCUMENT), id="YAML with a byte order mark"),
        pytest.param("%YAML 1.2\n---\n" + yaml.safe_dump(DOCUMENT), id="YAML with a directive"),
        pytest.param("---\n# a comment\n" + yaml.safe_dump(DOCUMENT, default_style='"'), id="YAML with quotes"),
        pytest.param(yaml.safe_dump(DOCUMENT, default_style="'", indent=4), id="YAML with single quotes"),
        pytest.param(yaml.safe_dump(DOCUMENT).replace("\n", "\r\n"), id="YAML with CRLF"),
    ],
)
def test_json_and_yaml_are_read_alike(text: str) -> None:
    found = reference.read("openapi.yaml", text)
    assert operations(found) == ["DELETE /api/items/{id}", "GET /api/items/{id}", "GET /api/ready"]
    assert (found.path, found.contract.version) == ("openapi.yaml", "1")


def test_versions_and_names_in_yaml_are_always_text() -> None:
    text = "swagger: 2.0\ninfo: {title: t, version: 1.10}\npaths:\n  /on:\n    get: {deprecated: yes}\n"
    found = reference.read("x", text)
    assert (found.contract.version, operations(found)) == ("1.10", ["GET /on"])


# the lines


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps(DOCUMENT, indent=2), id="JSON"),
        pytest.param(json.dumps(DOCUMENT, indent=4).replace('": ', '" : '), id="JSON with spaces before colons"),
        pytest.param(json.dumps(DOCUMENT, indent="\t"), id="JSON with tabs"),
        pytest.param(yaml.safe_dump(DOCUMENT, sort_keys=False), id="YAML"),
        pytest.param("# one\n\n\n" + yaml.safe_dump(DOCUMENT, indent=4), id="YAML after a comment"),
        pytest.param(yaml.safe_dump(DOCUMENT, default_style="'"), id="YAML with single quotes"),
    ],
)
def test_each_operation_has_the_line_of_its_method(text: str) -> None:
    found = lines(reference.read("x", text))
    assert found == numbered(text)
    assert len(found) == 3


def test_slashes_may_be_escaped_as_php_does() -> None:
    text = json.dumps(DOCUMENT, indent=2)
    assert lines(reference.read("x", text.replace("/", "\\/"))) == numbered(text)


def test_a_minified_document_has_no_known_lines() -> None:
    assert lines(reference.read("x", json.dumps(DOCUMENT))) == {}


def test_text_that_only_looks_like_an_operation_has_no_line() -> None:
    text = """openapi: 3.0.0
info:
  title: t
  description: |
    /api/ready:
      get: in a text
tags:
  - name: x
paths:
  /other:
    post:
      summary: x
  /api/ready:
    summary: |
      get: this is a text, too
    get:
      summary: x
components:
  schemas:
    A:
      properties:
        get: {type: string}
"""
    found = lines(reference.read("x", text))
    assert found["POST /other"] == 11
    assert found["GET /api/ready"] in (15, 16)


def test_a_property_or_callback_with_the_name_of_a_method_is_not_taken_for_one() -> None:
    item = {
        "get": {"responses": {"200": {"schema": {"properties": {"post": {}, "delete": {}}}}}},
        "post": {"callbacks": {"done": {"/{url}": {"delete": {}}}}},
        "delete": {},
    }
    text = json.dumps({"openapi": "3.0.0", "paths": {"/a": item}}, indent=2)
    rows = text.splitlines()
    begins = {each: f'      "{each}": ' + ("{}" if each == "delete" else "{") for each in item}
    expected = {f"{each.upper()} /a": rows.index(begin) + 1 for each, begin in begins.items()}
    assert lines(reference.read("x", text)) == expected


@given(
    st.dictionaries(
        st.sampled_from(["/a", "/a/b", "/c-d/{e}", "/f.g", "/:h"]),
        st.dictionaries(st.sampled_from(["get", "put", "query"]), st.just({"summary": "s"}), min_size=1),
        min_size=1,
    ),
    st.sampled_from([1, 2, 4]),
    st.booleans(),
)
def test_lines_are_those_on_which_the_method_is_written(paths: dict[str, Any], indent: int, as_json: bool) -> None:
    document = {"openapi": "3.1.0", "paths": paths}
    text = json.dumps(document, indent=indent) if as_json else yaml.safe_dump(document, indent=max(2, indent))
    found = reference.read("x", text)
    assert len(found.lines) == len(found.contract.operations)
    for operation, line in found.lines.items():
        assert operation.method.lower() in text.splitlines()[line - 1]


# what is not a document


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "not an OpenAPI document", id="empty"),
        pytest.param("just a sentence", "not an OpenAPI document", id="a sentence"),
        pytest.param("<!doctype html>", "not an OpenAPI document", id="HTML"),
        pytest.param("- a\n- b\n", "not an OpenAPI document", id="a list"),
        pytest.param("[]", "not an OpenAPI document", id="an array"),
        pytest.param("openapi: 4.0.0", "not an OpenAPI document", id="OpenAPI 4"),
        pytest.param('{"openapi": "3.0.0", "paths": {', "it is not valid JSON: it is cut off", id="truncated JSON"),
        pytest.param('{\n  "openapi": 3.0.0\n}', "it is not valid JSON: line 2", id="not JSON"),
        pytest.param("openapi: 3.0.0\npaths:\n\t/a: {}\n", "it is not valid YAML: line 3, column 1", id="tabs"),
        pytest.param("openapi: [3.0.0\npaths: {}\n", "it is not valid YAML: line 2", id="not YAML"),
        pytest.param("openapi: 3.0.0\npaths: {}\n---\nx: 1\n", "it is not valid YAML: line 3", id="two documents"),
        pytest.param("openapi: 3.0.0\npaths: *nobody\n", "it is not valid YAML: line 2", id="an unknown alias"),
        pytest.param("openapi: 3.0.0\n? [a]\n: b\n", "it is not valid YAML", id="a key that is a list"),
        pytest.param("openapi: 3.0.0\npaths: \x00\n", "it is not valid YAML", id="a control character"),
        pytest.param("openapi: 3.0.0\npaths: &a\n  /x: *a\n", "it is not valid YAML", id="an alias of itself"),
        pytest.param("a: &a [*a]\nopenapi: 3.0.0\npaths: {}\n", "it is not valid YAML", id="a list in itself"),
        pytest.param("openapi: 3.0.0\npaths: text\n", "its `paths` are not an object", id="paths a text"),
        pytest.param("openapi: 3.0.0\npaths: {}\nx: " + "[" * 300 + "]" * 300, "levels", id="deep YAML"),
        pytest.param(
            "openapi: 3.0.0\nx:\n" + "".join(" " * n + "- \n" for n in range(1, 300)), "levels", id="deep blocks"
        ),
        pytest.param('{"openapi": "3.0.0", "paths": {}, "x": ' + "[" * 100_000, "nested too deeply", id="deep JSON"),
        pytest.param("[" + "{}," * 1_000_000 + "{}]", "more than 200 MiB of memory", id="many brackets"),
        pytest.param(
            "openapi: 3.0.0\npaths: !!python/object:os.system {}\nx: y: z\n",
            "it is not valid YAML",
            id="several faults at once",
        ),
    ],
)
def test_text_that_is_not_a_document_has_one_clear_reason(text: str, message: str) -> None:
    assert message in wrong(text)


def test_a_very_long_number_is_reported_as_such() -> None:
    assert "digits" in wrong('{"openapi": "3.0.0", "paths": {}, "x": ' + "9" * 5000 + "}")


def test_aliases_are_followed() -> None:
    text = "x: &item {get: {summary: s}}\nopenapi: 3.0.0\npaths:\n  /a: *item\n  /b: *item\n"
    assert operations(reference.read("x", text)) == ["GET /a", "GET /b"]


def test_yaml_tags_create_no_objects() -> None:
    text = "openapi: 3.0.0\nx: !!python/object/apply:os.system ['true']\npaths: {}\n"
    assert operations(reference.read("x", text)) == []


def bomb(levels: int, width: int = 9) -> str:
    """Nested lists, each containing the previous one many times."""
    more = (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]\n" for n in range(1, levels))
    return "a0: &a0 [x]\n" + "".join(more)


@pytest.mark.parametrize(
    "end", ["paths: {}", "paths: *a11", "paths: {/a: *a11}", "openapi: *a11", "info: {version: *a11}"]
)
def test_multiplying_aliases_count_with_everything_they_expand_to(end: str) -> None:
    message = wrong(bomb(12) + ("" if "openapi" in end else "openapi: 3.0.0\n") + end + "\n")
    assert "more than" in message


def test_nested_aliases_are_counted_too() -> None:
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2_000))
    assert "levels" in wrong(chain + "openapi: 3.0.0\npaths: {}\n")


def test_a_large_scalar_is_accepted() -> None:
    text = f"openapi: 3.0.0\ninfo: {{title: {'x' * 1_000_000}, version: 1}}\npaths: {{/a: {{get: {{}}}}}}\n"
    assert operations(reference.read("x", text)) == ["GET /a"]


@pytest.mark.parametrize(
    "unit",
    ["\n", " \n", "/\n", "get:\n", "# /" + " " * 50 + "\n", "  \n\n"],
    ids=["line ends", "blank lines", "slashes", "methods", "spaces", "empty"],
)
def test_a_long_text_is_searched_for_lines_once(unit: str) -> None:
    assert reference._lines("openapi: 3.0.0\n" + unit * 200_000, ()) == {}  # otherwise this would take hours


marks = [
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: ",
    "\t",
    "'",
    '"',
    ": ",
    "- ",
    "\n",
    "|\n",
    "!!map ",
    "%",
    "?",
    "\ufeff",
    "x",
]
pieces = st.sampled_from(["openapi: 3.0.0\n", "paths:\n", "  /a:\n", "    get: {}\n", "9", "# /a:\n", *marks])


@given(st.lists(pieces, max_size=25).map("".join))
def test_any_text_is_a_reference_or_one_clear_error(text: str) -> None:
    message = ""
    try:
        assert isinstance(reference.read("x", text), Reference)
    except ValueError as error:
        message = str(error)
    assert not message or message.startswith("names a file that cannot be used as a reference: ")
    assert "\n" not in message
