"""Responses that are OpenAPI documents, and responses that are not."""

import base64
import copy
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract import openapi, servers
from redeploy.contract.openapi import contract_of, read_document
from redeploy.contract.routes import parse_pattern
from redeploy.contract.smoke import Smoke
from redeploy.contract.snapshot import Contract, NoContract
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from tests.unit.factories import page, reply

URL = "https://api.example.com/docs/openapi.json"
SMOKE = (
    Smoke("GET", "/api/items/5", "2xx", "https://api.example.com/api/items/5"),
    Smoke("POST", "/v1/items?x=1", "2xx", "https://api.example.com/v1/items?x=1"),
)


def document(**parts: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    """A document of version 3.1 with one operation, and these parts."""
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "7"}, "paths": {"/items": {"get": {}}}} | parts


def operations_in(found: dict[str, Any], url: str = URL) -> list[str]:
    """The operations of a document, in words."""
    return [str(each) for each in contract_of(found, url).operations]


def why(http_result: HttpResult) -> str:
    found = read_document(http_result, URL)
    assert isinstance(found, NoContract), found
    assert "\n" not in found.why
    return found.why


# versions


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.0", "3.1.1", "3.2.0", "3.0", "3.10.0"])
def test_openapi_3_is_read(version: str) -> None:
    found = contract_of(document(openapi=version))
    assert (found.version, operations_in(document(openapi=version))) == ("7", ["GET /items"])


def test_openapi_2_is_read_with_its_base_path() -> None:
    two = {"swagger": "2.0", "info": {"title": "t", "version": "7"}, "paths": {"/items": {"get": {}, "post": {}}}}
    assert operations_in(two) == ["GET /items", "POST /items"]
    assert operations_in(two | {"basePath": "/v1"}) == ["GET /v1/items", "POST /v1/items"]
    assert operations_in(two | {"basePath": "/v1/"}) == ["GET /v1/items", "POST /v1/items"]
    assert operations_in(two | {"basePath": "/"}) == ["GET /items", "POST /items"]
    assert contract_of(two | {"basePath": "/"}).located
    assert not contract_of(two).located


def test_every_method_is_an_operation_and_nothing_else_is() -> None:
    methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"]
    item: dict[str, Any] = {each: {} for each in methods} | {"parameters": [], "summary": "s", "x-get": {}, "GET": {}}
    found = operations_in(document(paths={"/a": item, "x-paths": {"get": {}}}))
    assert found == sorted(f"{each.upper()} /a" for each in methods)


def test_a_document_of_3_1_may_have_no_paths() -> None:
    assert operations_in({"openapi": "3.1.0", "webhooks": {}}) == []
    assert operations_in(document(paths={})) == []


# servers


@pytest.mark.parametrize(
    ("servers", "found"),
    [
        ([], "GET /items"),
        ([{"url": "/"}], "GET /items"),
        ([{"url": "/v1"}], "GET /v1/items"),
        ([{"url": "/v1/"}], "GET /v1/items"),
        ([{"url": "https://api.example.com/v1"}], "GET /v1/items"),
        ([{"url": "https://elsewhere.example.com"}], "GET /items"),
        ([{"url": "v1"}], "GET /docs/v1/items"),
        ([{"url": "./v1"}], "GET /docs/v1/items"),
        ([{"url": "../v1"}], "GET /v1/items"),
        ([{"url": ""}], "GET /items"),
        ([{"url": "//other.example.com/v1"}], "GET /v1/items"),
        ([{"url": "/{base}", "variables": {"base": {"default": "v1"}}}], "GET /v1/items"),
        ([{"url": "https://{h}/{b}", "variables": {"h": {"default": "x"}, "b": {"default": "v1"}}}], "GET /v1/items"),
        ([{"url": "/{base}"}], "GET /{base}/items"),
        ([{"url": "/v1?x=1#y"}], "GET /v1/items"),
        ([{"url": "/v1"}, {"url": "/v2"}], "GET /v1/items"),
        ([{"url": "http://[::1"}], "GET /items"),
    ],
)
def test_the_path_of_a_server_comes_before_the_paths(servers: list[dict[str, Any]], found: str) -> None:
    assert operations_in(document(servers=servers)) == [found]
    assert contract_of(document(servers=servers)).located is bool(servers)


def test_servers_of_a_path_and_of_an_operation_count_before_the_documents() -> None:
    servers = [{"url": "/operation"}]
    item = {"servers": [{"url": "/path"}], "get": {"servers": servers}, "post": {}, "put": {"servers": []}}
    found = operations_in(document(servers=[{"url": "/document"}], paths={"/a": item, "/b": {"get": {}}}))
    assert found == ["GET /operation/a", "POST /path/a", "PUT /path/a", "GET /document/b"]


def test_all_servers_count_up_to_a_limit() -> None:
    many = [{"url": f"/v{number}"} for number in range(100)]
    found = contract_of(document(servers=many))
    assert found.oddities == ("`servers` names more than 8 paths; the rest are ignored",)
    operation = found.operations[0]
    assert len(operation.prefixes) == servers.MOST_PREFIXES
    assert all(parse_pattern(f"/v{number}/items").matches(operation) for number in range(servers.MOST_PREFIXES))
    assert parse_pattern("/items").matches(operation)


def test_server_variables_that_contain_each_other_do_not_explode() -> None:
    variables = {f"v{number}": {"default": f"{{v{number + 1}}}" * 8} for number in range(7)}
    found = contract_of(document(servers=[{"url": "/{v0}", "variables": variables}])).operations[0]
    assert len(found.prefixes[0]) <= servers.LONGEST_PATH + 1


# path items elsewhere


@pytest.mark.parametrize("name", ["x", "a~1b", "c%20d"])
def test_a_path_item_may_be_elsewhere_in_the_document(name: str) -> None:
    items: dict[str, Any] = {"x": {"get": {}}, "a/b": {"get": {}}, "c d": {"get": {}}}
    item = {"$ref": f"#/components/pathItems/{name}", "post": {}}
    assert operations_in(document(paths={"/a": item}, components={"pathItems": items})) == ["GET /a", "POST /a"]


@pytest.mark.parametrize(
    "reference",
    [
        "other.yaml",
        "https://elsewhere.example.com/x.json",
        "#/nowhere",
        "#/info/title",
        "#/paths/~1a",
        "",
        "#",
        "#/tags/7",
        "#/tags/" + "9" * 5000,
        5,
    ],
)
def test_a_path_item_that_is_not_in_the_document_leaves_its_operations_unknown(reference: str | int) -> None:
    item: dict[str, Any] = {"$ref": reference, "post": {}}
    found = contract_of(document(paths={"/a": item, "/b": {"get": {}}}, tags=[]))
    assert [str(each) for each in found.operations] == ["POST /a", "GET /b"]
    assert [(str(each), "bundle it" in why) for each, why in found.unread.items()] == [("/a", True)]
    assert [each.startswith("`/a` refers to ") for each in found.oddities] == [True]


# what is skipped and reported


@pytest.mark.parametrize(
    ("parts", "operations", "oddity"),
    [
        ({"paths": {"/a": {"get": {}, "post": None, "parameters": None}}}, ["GET /a"], "`POST /a` is null"),
        ({"paths": {"/a": {"get": []}}}, ["GET /a"], ""),
        ({"paths": {"/a": None, "/b": {"get": {}}}}, ["GET /b"], "`/a` is null"),
        ({"paths": {"/a": [], "/b": {"get": {}}}}, ["GET /b"], ""),
        ({"paths": []}, [], ""),
        ({"paths": None}, [], ""),
        ({"paths": {"a": {"get": {}}, "/b": {"get": {}}}}, ["GET /b"], "`a` does not begin with a slash"),
        ({"servers": None}, ["GET /items"], "`servers` is not an array"),
        ({"servers": {}}, ["GET /items"], "`servers` is not an array"),
        ({"servers": [{}, {"url": "/v1"}]}, ["GET /v1/items"], "`servers` has an entry without a URL"),
        ({"servers": [5]}, ["GET /items"], "`servers` has an entry without a URL"),
        ({"paths": {"/a": {"get": {"servers": 5}}}}, ["GET /a"], "`servers` is not an array"),
        ({"basePath": None}, ["GET /items"], "`basePath` is not text"),
        ({"info": {"version": 7}}, ["GET /items"], "`info.version` is not text"),
        ({"info": {"version": None}}, ["GET /items"], "`info.version` is not text"),
        ({"info": []}, ["GET /items"], ""),
    ],
)
def test_malformed_parts_that_the_contract_does_not_need_are_skipped(
    parts: dict[str, Any], operations: list[str], oddity: str
) -> None:
    found = contract_of(document(**parts))
    assert [str(each) for each in found.operations] == operations
    assert found.oddities == ((oddity,) if oddity else ())
    assert not found.unread


@pytest.mark.parametrize("item", [{"get": 5}, {"get": "x"}, {"get": [1]}, {"<<": {"get": {}}}, 5, "x", [1]])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_operations_that_cannot_be_read_are_unknown_and_not_absent(item: Any, elsewhere: bool) -> None:  # noqa: ANN401
    paths: dict[str, Any] = {"/a": {"$ref": "#/x"} if elsewhere else item, "/b": {"get": {}}}
    found = contract_of(document(paths=paths, x=item))
    assert [str(each) for each in found.operations] == ["GET /b"]
    assert [each.path for each in found.unread] == ["/a"]
    assert len(found.oddities) == 1


def test_a_path_that_is_too_long_is_cut_and_unknown() -> None:
    found = contract_of(document(paths={"/x/" + "a" * 2000: {"get": {}}, "/b": {"get": {}}}))
    assert [(str(each)[:3], len(each.path)) for each in found.unread] == [("/x/", servers.LONGEST_PATH)]
    assert [str(each) for each in found.operations] == ["GET /b"]


def test_repeated_oddities_are_reported_once_with_their_number() -> None:
    paths: dict[str, Any] = {f"/{number}": {"get": None, "put": {}} for number in range(2000)}
    assert contract_of(document(paths=paths)).oddities == ("`GET /0` and 1,999 more is null",)
    paths = {f"/{number}": {"$ref": f"./{number}.yaml"} for number in range(2000)}
    assert len(contract_of(document(paths=paths)).oddities) == openapi.MOST_ODDITIES


@pytest.mark.parametrize(
    ("written", "version"),
    [('"1.10"', "1.10"), ("1.10", "1.10"), ("1.0", "1.0"), ("7", "7"), ("true", ""), ("null", ""), ("[1]", "")],
)
def test_a_version_is_taken_as_it_is_written(written: str, version: str) -> None:
    body = f'{{"openapi": "3.1.0", "info": {{"version": {written}}}, "paths": {{}}, "x": 1.50}}'
    found = read_document(reply(200, body), URL)
    assert isinstance(found, Contract)
    assert found.version == version


@pytest.mark.parametrize("version", ["2.0", 2.0])
def test_a_version_of_the_specification_may_be_a_number(version: str | float) -> None:
    assert operations_in({"swagger": version, "paths": {"/items": {"get": {}}}}) == ["GET /items"]


# YAML

IN_YAML = """# the service
openapi: 3.0.3
info: {title: t, version: 1.10}
x-common: &common
  get: {summary: s}
paths:
  /items/{id}:
    <<: *common
    put:
      responses:
        200:
          content:
            application/json:
              schema: {type: object, required: [on], properties: {on: {type: boolean, enum: [true]}, n: {maximum: 5}}}
    post:
  /other: *common
"""


def test_a_document_may_be_yaml() -> None:
    smoke = Smoke("PUT", "/items/5", "2xx", "https://api.example.com/items/5")
    for media in ("application/yaml", "text/plain", ""):
        http_result = reply(200, IN_YAML, **({"content_type": media} if media else {}))
        found = read_document(http_result, URL, (smoke,))
        assert isinstance(found, Contract)
        assert found.version == "1.10"
        assert list(map(str, found.operations)) == ["GET /items/{id}", "PUT /items/{id}", "GET /other"]
        assert not found.unread
        schema = found.promises[smoke]["200"].schemas["application/json"]
        assert schema["allOf"][0]["properties"] == {"on": {"type": ["boolean"], "enum": [True]}, "n": {"maximum": 5}}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (json.dumps(json.dumps(document())), "it is a document inside a JSON string"),
        (json.dumps("openapi: 3.1.0\npaths: {}"), "it is a document inside a JSON string"),
        (json.dumps("not found"), "it is not an OpenAPI document"),
        (base64.b64encode(json.dumps(document()).encode()), "it is base64"),
        (base64.encodebytes(json.dumps(document()).encode()), "it is base64"),
        (b'"' + base64.b64encode(json.dumps(document()).encode()) + b'"', "it is base64"),
        ("not found", "it is not an OpenAPI document"),
        ("a: [", "it is not valid YAML: line 2"),
        ("openapi: 3.0.0\npaths: *x", "it is not valid YAML: line 2"),
        ("a: &a [" + "x," * 50_000 + "]\nb: [" + "*a," * 50_000 + "]", "more than 200 levels"),
        ("[" * 300, "it is not valid JSON"),
        ("a: " + "[" * 300, "more than 200 levels"),
    ],
)
def test_a_document_that_is_encoded_differently_is_reported_as_such(body: str | bytes, reason: str) -> None:
    assert reason in why(reply(200, body))


# what is not a document


@pytest.mark.parametrize(
    ("http_result", "reason"),
    [
        pytest.param(reply(404), "the response was 404", id="404"),
        pytest.param(reply(500, {"openapi": "3.1.0"}), "the response was 500", id="500"),
        pytest.param(page(200), "a web page came (200), as a single-page application sends it", id="page"),
        pytest.param(page(404), "a web page came (404)", id="page for a 404"),
        pytest.param(reply(200, "<html>", content_type="application/json"), "a web page came", id="page called JSON"),
        pytest.param(page(502), "from a proxy", id="proxy"),
        pytest.param(reply(302, location="https://elsewhere/"), "a redirect that is not followed", id="redirect"),
        pytest.param(reply(302, location="https://t.cloudflareaccess.com/"), "Cloudflare Access", id="wall"),
        pytest.param(reply(429), "too many requests", id="throttled"),
        pytest.param(reply(200, document(), age="60"), "from a cache", id="cached"),
        pytest.param(TransportError(ErrorKind.TIMED_OUT), "no response in time", id="time-out"),
        pytest.param(TransportError(ErrorKind.REFUSED), "the connection was refused", id="refused"),
        pytest.param(TransportError(ErrorKind.TLS), "the TLS handshake failed", id="TLS"),
        pytest.param(TransportError(ErrorKind.TOO_LARGE, status=200), "it is larger than 16 MiB", id="too large"),
        pytest.param(reply(200, b""), "it is not valid JSON: it is cut off", id="empty"),
        pytest.param(
            reply(200, b'{"openapi": "3.1.0", "paths": {'), "it is not valid JSON: it is cut off", id="truncated"
        ),
        pytest.param(
            reply(200, b'{"openapi": }'), "it is not valid JSON: line 1, column 13 cannot be read", id="not JSON"
        ),
        pytest.param(reply(200, b"{} {}"), "it is not valid JSON: line 1, column 4 cannot be read", id="two documents"),
        pytest.param(reply(200, b'{"openapi": "\xff"}'), "it is not written in UTF-8", id="not UTF-8"),
        pytest.param(reply(200, json.dumps(document()).encode("utf-16")), "it is not written in UTF-8", id="UTF-16"),
        pytest.param(reply(200, b'{"openapi":' + b"[" * 200_000), "nested too deeply", id="deep"),
        pytest.param(reply(200, b'{"openapi":' + b'{"a":' * 200_000), "nested too deeply", id="deep objects"),
        pytest.param(reply(200, b"[" + b"{}," * 1_000_001), "more than 200 MiB of memory", id="many objects"),
        pytest.param(
            reply(200, b"[" + b'{"a":1},' * 700_000), "more than 200 MiB of memory", id="objects that hold one"
        ),
        pytest.param(reply(200, b"[" + b'"ab",' * 1_800_000), "more than 200 MiB of memory", id="many texts"),
        pytest.param(reply(200, b"[" + b"1e5," * 4_000_000), "it is not valid JSON", id="many numbers, which fit"),
        pytest.param(reply(200, []), "it is not an OpenAPI document", id="array"),
        pytest.param(reply(200, b"null"), "it is not an OpenAPI document", id="null"),
        pytest.param(reply(200, {"status": "ok"}), "it is not an OpenAPI document", id="another object"),
        pytest.param(reply(200, {"swagger": "1.2"}), "it is not an OpenAPI document", id="Swagger 1.2"),
        pytest.param(reply(200, {"openapi": "4.0.0"}), "it is not an OpenAPI document", id="OpenAPI 4"),
        pytest.param(reply(200, {"openapi": None}), "it is not an OpenAPI document", id="no version"),
        pytest.param(reply(200, {"openapi": "3.0.0"}), "it has no `paths`", id="no paths"),
        pytest.param(reply(200, {"swagger": "2.0"}), "it has no `paths`", id="2.0 without paths"),
        pytest.param(reply(200, document(paths=[5])), "its `paths` are not an object", id="paths an array"),
        pytest.param(reply(200, document(paths="x")), "its `paths` are not an object", id="paths a text"),
    ],
)
def test_text_that_is_not_a_document_has_one_clear_reason(http_result: HttpResult, reason: str) -> None:
    assert reason in why(http_result)


def test_an_error_page_is_not_reported_as_a_page_for_every_path() -> None:
    assert why(page(404)) == "a web page came (404)"


def test_a_very_long_number_is_reported_as_such() -> None:
    assert "digits" in why(reply(200, b'{"openapi": ' + b"9" * 5000 + b"}"))


def test_a_byte_order_mark_does_not_matter() -> None:
    assert isinstance(read_document(reply(200, b"\xef\xbb\xbf" + json.dumps(document()).encode()), URL), Contract)


def test_the_media_type_does_not_matter() -> None:
    for media in ("text/plain", "application/octet-stream", ""):
        http_result = reply(200, json.dumps(document()), **({"content_type": media} if media else {}))
        assert isinstance(read_document(http_result, URL), Contract)


@pytest.mark.parametrize(
    "text", [json.dumps(document(deprecated=True, x=[None, False, -1.5, "text"])), json.dumps(document(), indent=2)]
)
def test_a_truncated_document_is_reported_as_truncated(text: str) -> None:
    for end in range(len(text)):
        assert why(reply(200, text[:end].encode())) == "it is not valid JSON: it is cut off", text[:end]


@pytest.mark.parametrize("place", ["paths", "openapi", "info", "servers", "x"])
def test_a_document_as_deep_as_python_can_read_raises_nothing(place: str) -> None:
    for depth in range(sys.getrecursionlimit() - 250, sys.getrecursionlimit() + 10):
        text = json.dumps(document())[:-1] + f', "{place}": ' + "[" * depth + "]" * depth + "}"
        assert isinstance(read_document(reply(200, text), URL, SMOKE), Contract | NoContract)


def test_an_oddity_is_reported_in_one_harmless_line() -> None:
    hostile = "\u202e\n::error::<img>##[error]" * 30
    for found in (
        document(paths={hostile: {}}),
        document(paths={"/" + hostile[:500]: {"$ref": hostile}}),
        document(paths={"/" + hostile[:500]: 5}),
        document(paths={"/" + hostile: None}),
    ):
        [reason] = contract_of(found).oddities
        assert len(reason) < 400
        assert "\u202e" not in reason
        assert "\n" not in reason
        assert "##[" not in reason


def test_the_version_is_one_harmless_line_of_bounded_length() -> None:
    version = contract_of(document(info={"version": "\n1\u202e" * 500})).version
    assert len(version) <= 256
    assert version.isprintable()


# response schemas for smoke requests


@pytest.mark.parametrize(
    ("target", "described"),
    [
        ("/items/5", "/items/{id}"),
        ("/items/new", "/items/new"),
        ("/items/5?x=1", "/items/{id}"),
        ("/items/", None),
        ("/items/5/6", None),
        ("/v1/items/5", "/items/{id}"),
        ("/v2/items/5", None),
        ("https://elsewhere.example.com/items/5", None),
        ("https://api.example.com/v1/items/5", "/items/{id}"),
        ("https://API.example.com:443/items/5?x=1", "/items/{id}"),
        ("http://api.example.com/items/5", None),
        ("https://eu.example.com/v1/items/5", "/items/{id}"),
    ],
)
def test_a_request_is_described_by_the_most_literal_template(target: str, described: str | None) -> None:
    def item(name: str) -> dict[str, Any]:
        return {"get": {"responses": {"200": {"content": {f"x/{name}": {}}}}}}

    paths = {"/items/{id}": item("/items/{id}"), "/items/new": item("/items/new"), "/{a}/{b}": {"post": {}}}
    servers = [{"url": "/v1"}, {"url": "https://eu.example.com/v1"}, {"url": "https://x:port/"}, {"url": "http://["}]
    smoke = Smoke("GET", target, "2xx", target if "://" in target else f"https://api.example.com{target}")
    promises = contract_of(document(paths=paths, servers=servers), URL, (smoke,)).promises
    found = promises[smoke]["200"].media[0].removeprefix("x/") if smoke in promises else None
    assert found == described


def test_a_base_url_with_a_path_is_a_part_of_the_request() -> None:
    smoke = Smoke("GET", "/items", "2xx", "https://api.example.com/v1/items")
    found = contract_of(document(paths={"/v1/items": {"get": {}}}), URL, (smoke,))
    assert smoke in found.promises
    assert smoke not in contract_of(document(paths={"/v2/items": {"get": {}}}), URL, (smoke,)).promises


# any input

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
KEYS = ["get", "post", "$ref", "servers", "url", "variables", "default", "schema", "content", "<<", "/a", ""]
strange = st.recursive(
    scalars | st.sampled_from(["#/x", "#/paths/~1items", "{base}", "http://[", "3.1.0", "/v1", "\ud800"]),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(KEYS), each, max_size=3),
    max_leaves=8,
)

FULL: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "t", "version": "1"},
    "servers": [{"url": "/{base}", "variables": {"base": {"default": "v1"}}}],
    "paths": {
        "/api/items/{id}": {
            "servers": [{"url": "/api"}],
            "get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/x/A"}}}}}},
        },
        "/items": {"$ref": "#/x/I"},
    },
    "x": {
        "A": {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}},
        "I": {"post": {"servers": [{"url": "/v1"}], "responses": {"default": {"$ref": "#/x/R"}}}},
        "R": {"content": {"application/json": {"schema": {"type": "array", "items": {}}}}},
    },
}
TWO: dict[str, Any] = {
    "swagger": "2.0",
    "basePath": "/v1",
    "produces": ["application/json"],
    "paths": {"/items": {"post": {"produces": [], "responses": {"200": {"schema": {"$ref": "#/definitions/A"}}}}}},
    "definitions": {"A": {"type": "object", "required": ["a"]}},
}


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - a JSON value
    """The paths to all places of a document."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(each for key, part in parts for each in places(part, (*way, key)))]


def changed(whole: Any, way: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - JSON values
    """The document with one place changed."""
    if not way:
        return change(whole)
    whole = copy.copy(whole)
    whole[way[0]] = changed(whole[way[0]], way[1:], change)
    return whole


@given(st.data(), st.sampled_from([FULL, TWO]))
def test_a_damaged_document_gives_a_contract_or_a_reason(data: st.DataObject, whole: dict[str, Any]) -> None:
    broken: Any = whole
    for _ in range(data.draw(st.integers(1, 3))):
        way = data.draw(st.sampled_from(places(broken)))
        value = data.draw(strange)
        broken = changed(broken, way, lambda old, new=value: new)  # type: ignore[misc]
    found = read_document(Response(200, {}, json.dumps(broken).encode()), URL, SMOKE)
    assert isinstance(found, Contract | NoContract)
    if isinstance(found, NoContract):
        assert found.why
        assert "\n" not in found.why


@given(st.binary(max_size=200))
def test_no_bytes_raise_an_exception(body: bytes) -> None:
    assert isinstance(read_document(Response(200, {}, body), URL, SMOKE), Contract | NoContract)


def test_the_undamaged_documents_describe_their_requests() -> None:
    assert len(contract_of(FULL, URL, SMOKE).promises) == 2
    assert len(contract_of(TWO, URL, SMOKE).promises) == 1
