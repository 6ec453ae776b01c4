"""What a document promises about a response body, and whether a response matches it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.contract import response_schema
from redeploy.contract.dialects import MOST_SCHEMAS, is_json
from redeploy.contract.openapi import contract_of
from redeploy.contract.response_schema import Comparison, ResponseSchema, ResponseSchemas, compare, described
from redeploy.contract.smoke import Smoke
from redeploy.http.response import Response
from tests.unit.factories import page, reply

SMOKE = Smoke("GET", "/a", "2xx", "https://api.example.com/a")
OPENAPI = ("2.0", "3.0.3", "3.1.0")


def document(
    schema: Any,  # noqa: ANN401 - a JSON value
    version: str = "3.0.3",
    status: str = "200",
    media: tuple[str, ...] = ("application/json",),
    **parts: Any,  # noqa: ANN401 - JSON values
) -> dict[str, Any]:
    """A document that describes the response of `GET /a` by a schema; `parts` are added at the top level."""
    if version == "2.0":
        operation = {"responses": {status: {"description": "", "schema": schema}}, "produces": list(media)}
        return {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}}, **parts}
    content = {each: {"schema": schema} for each in media}
    operation = {"responses": {status: {"description": "", "content": content}}}
    return {"openapi": version, "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}}, **parts}


def promised(described_as: dict[str, Any]) -> ResponseSchemas:
    return contract_of(described_as, "/", (SMOKE,)).promises[SMOKE]


def schema_violation(promise: ResponseSchemas, method: str, answer: Response) -> str:
    return compare(promise, method, answer).schema_violation


def judged(
    schema: Any,  # noqa: ANN401 - a JSON value
    body: Any,  # noqa: ANN401 - a JSON value
    version: str = "3.0.3",
    **parts: Any,  # noqa: ANN401 - JSON values
) -> str:
    """The violation of a schema by a body, through a whole document; `schemas` are its components."""
    if "schemas" in parts:
        schemas = parts.pop("schemas")
        parts |= {"definitions": schemas} if version == "2.0" else {"components": {"schemas": schemas}}
    answer = Response(200, {"content-type": "application/json"}, json.dumps(body).encode())
    return schema_violation(promised(document(schema, version, **parts)), "GET", answer)


def raw(schema: Any, body: bytes, version: str = "3.1.0") -> str:  # noqa: ANN401 - a JSON value
    """The same for a body as sent over the network."""
    answer = Response(200, {"content-type": "application/json"}, body)
    return schema_violation(promised(document(schema, version)), "GET", answer)


# which response is described


@pytest.mark.parametrize(
    ("names", "status", "meant"),
    [
        (("200", "2XX", "default"), 200, "200"),
        (("200", "2XX", "default"), 201, "2XX"),
        (("200", "2xx", "default"), 299, "2xx"),
        (("200", "2XX", "default"), 404, "default"),
        (("200", "4XX"), 500, None),
        (("default",), 200, "default"),
        (("DEFAULT",), 200, "DEFAULT"),
        ((), 200, None),
        (("20X",), 200, None),
    ],
)
def test_the_most_exact_description_of_a_status_counts(names: tuple[str, ...], status: int, meant: str | None) -> None:
    responses = {name: {"description": "", "content": {f"x/{name.lower()}": {}}} for name in names}
    spec = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": responses}}}}
    found = described(promised(spec), status)
    assert (found.media if found else None) == ((f"x/{meant.lower()}",) if meant else None)


@pytest.mark.parametrize(
    ("media", "json"),
    [
        ("application/json", True),
        ("application/problem+json", True),
        ("application/vnd.api+json", True),
        ("text/json", False),
        ("application/xml", False),
        ("text/html", False),
        ("", False),
    ],
)
def test_media_types_of_json_are_recognised(media: str, json: bool) -> None:
    assert is_json(media) is json


@pytest.mark.parametrize("version", OPENAPI)
def test_a_body_that_matches_its_schema_passes(version: str) -> None:
    schema = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string", "enum": ["ok"]}}}
    assert judged(schema, {"status": "ok"}, version) == ""
    assert "`$.status`" in judged(schema, {"status": "bad"}, version)
    assert "`$`" in judged(schema, {}, version)
    assert "status" in judged(schema, {}, version)
    assert "`$`" in judged(schema, ["ok"], version)
    assert "object" in judged(schema, ["ok"], version)


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        pytest.param(document({"type": "object"}, status="404"), reply(200, []), id="status not described"),
        pytest.param({"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}, reply(200, []), id="no responses"),
        pytest.param(
            {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": [1]}}}}, reply(200, []), id="strange responses"
        ),
        pytest.param(
            {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {"description": ""}}}}}},
            page(200),
            id="no content described",
        ),
        pytest.param(document({"type": "object"}, media=("text/csv",)), reply(200, []), id="no JSON described"),
        pytest.param(document({"type": "object"}, "2.0", media=("text/csv",)), reply(200, []), id="2.0 produces"),
    ],
)
def test_without_a_schema_every_response_passes(spec: dict[str, Any], answer: Response) -> None:
    assert schema_violation(promised(spec), "GET", answer) == ""


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_response_without_a_body_is_not_compared(status: int) -> None:
    spec = document({"type": "object"}, status="default")
    assert schema_violation(promised(spec), "GET", Response(status)) == ""


def test_a_response_to_head_is_not_compared() -> None:
    smoke = Smoke("HEAD", "/a", "2xx", "https://api.example.com/a")
    spec = document({"type": "object"})
    spec["paths"]["/a"]["head"] = spec["paths"]["/a"].pop("get")
    assert schema_violation(contract_of(spec, "/", (smoke,)).promises[smoke], "HEAD", Response(200)) == ""


@pytest.mark.parametrize(
    ("media", "answer", "violation"),
    [
        (("application/json",), page(200), "the document describes JSON, but `text/html` came"),
        (("application/json",), reply(200, "x"), "the document describes JSON, but a response without a type came"),
        (("application/json",), reply(200, "x", content_type="text/plain"), "describes JSON, but `text/plain` came"),
        (("application/json", "text/html"), page(200), ""),
        (("application/json", "*/*"), page(200), ""),
        (("application/json; charset=utf-8",), reply(200, {}), ""),
        (("application/json",), reply(200, {}, content_type="Application/JSON; charset=UTF-8"), ""),
        (("application/json",), reply(200, {}, content_type="application/hal+json"), ""),
        (("application/json",), reply(200, "{", content_type="application/json"), "the body is not valid JSON"),
        (("application/json",), reply(200, "", content_type="application/json"), "the body is not valid JSON"),
        (
            ("application/json",),
            reply(200, "[" * 100_000, content_type="application/json"),
            "the body is not valid JSON",
        ),
        (("application/json",), reply(200, b'"\xff"', content_type="application/json"), "the body is not valid JSON"),
        (("application/json",), reply(200, "9" * 5000, content_type="application/json"), "the body is not valid JSON"),
        (("application/json",), reply(200, b"\xef\xbb\xbf{}", content_type="application/json"), ""),
        (("*/*",), reply(200, []), "`$`"),
        (("application/*",), reply(200, []), "`$`"),
        (("application/a+json",), reply(200, [], content_type="application/a+json"), "`$`"),
    ],
)
@pytest.mark.parametrize("version", OPENAPI)
def test_json_that_the_document_promises_is_required(
    media: tuple[str, ...], answer: Response, violation: str, version: str
) -> None:
    found = schema_violation(promised(document({"type": "object"}, version, media=media)), "GET", answer)
    assert violation in found
    assert bool(found) is bool(violation)


NOTHING: list[Any] = [
    {},
    {"title": "Response Export"},
    {"description": "whatever comes", "example": 5},
    {"$ref": "#/x/Any"},
    {"allOf": [{}, {"$ref": "#/x/Any"}]},
    {"anyOf": [{"type": "string"}, {}]},
    {"nullable": True},
    {"$ref": "#/x/Self"},
]


@pytest.mark.parametrize("version", OPENAPI)
@pytest.mark.parametrize("schema", NOTHING)
@pytest.mark.parametrize(
    "answer",
    [page(200), reply(200, "up 1", content_type="text/plain; version=0.0.4"), reply(200, b"PNG"), reply(200, [1])],
)
def test_an_empty_schema_promises_nothing_and_no_content_type_either(
    version: str,
    schema: Any,  # noqa: ANN401
    answer: Response,
) -> None:
    spec = document(schema, version, x={"Any": {"title": "t"}, "Self": {"allOf": [{"$ref": "#/x/Self"}]}})
    assert compare(promised(spec), "GET", answer) == Comparison()


def test_an_empty_schema_beside_another_lets_every_content_type_pass() -> None:
    spec = document({}, media=("application/json", "application/problem+json"))
    spec["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/problem+json"]["schema"] = {"type": "object"}
    assert schema_violation(promised(spec), "GET", page(200)) == ""
    assert schema_violation(promised(spec), "GET", reply(200, [])) == ""
    assert schema_violation(promised(spec), "GET", reply(200, [], content_type="application/problem+json")) != ""


def test_a_schema_of_many_definitions_is_quickly_found_to_be_empty() -> None:
    schemas = {f"S{n}": {"allOf": [{"$ref": f"#/x/S{n + 1}"}] * 90} for n in range(90)} | {"S90": {}}
    assert schema_violation(promised(document({"$ref": "#/x/S0"}, x=schemas)), "GET", reply(200, [])) == ""


# what is compared only in part


@pytest.mark.parametrize("reference", ["other.json", "https://elsewhere.example.com/s.json#/A", "#/x/nowhere"])
def test_parts_of_a_schema_in_another_file_are_reported(reference: str) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": reference}, "b": {"type": "string"}}}
    made = promised(document(schema, x={}))
    assert compare(made, "GET", reply(200, {"a": 1, "b": 2})).schema_violation == "`$.b` is a number, not string"
    found = compare(made, "GET", reply(200, {"a": 1, "b": "x"}))
    assert found.schema_violation == ""
    assert found.partial == f"its schema refers to `{reference}`, which is not in the document"


def test_a_schema_in_another_place_still_promises_json() -> None:
    made = promised(document({"$ref": "other.json"}))
    assert "`text/html` came" in schema_violation(made, "GET", page(200))
    assert "other.json" in compare(made, "GET", reply(200, {})).partial


def test_a_schema_that_is_too_large_is_reported() -> None:
    made = promised(document({"allOf": [{"minLength": 0}] * (MOST_SCHEMAS + 10)}))
    assert compare(made, "GET", reply(200, {})) == Comparison(
        partial="its schema is too large, or refers to itself only"
    )
    assert "`text/html` came" in schema_violation(made, "GET", page(200))


def test_a_body_that_takes_too_many_steps_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_schema, "MOST_STEPS", 500)
    made = promised(document({"type": "array", "items": {"type": "integer"}}))
    assert compare(made, "GET", reply(200, [1] * 100)) == Comparison()
    assert compare(made, "GET", reply(200, [1] * 1000)).partial.startswith("it is too large")


KINDS = {
    kind: {
        "type": "object",
        "required": ["kind", f"{kind}1"],
        "properties": {"kind": {"const": kind}, f"{kind}1": {"type": "integer"}},
    }
    for kind in "abcdef"
}


@pytest.mark.parametrize(("word", "length"), [("anyOf", 5_000), ("oneOf", 500)])
@pytest.mark.no_cover  # takes long, and other tests reach the same lines
def test_a_long_list_of_alternatives_is_compared_whole(word: str, length: int) -> None:
    schema = {"type": "array", "items": {word: [{"$ref": f"#/components/schemas/{kind}"} for kind in KINDS]}}
    made = promised(document(schema, "3.1.0", components={"schemas": KINDS}))
    rows: list[dict[str, Any]] = [{"kind": "f", "f1": number} for number in range(length)]
    assert compare(made, "GET", reply(200, rows)) == Comparison()
    rows[-1]["f1"] = "x"
    found = compare(made, "GET", reply(200, rows))
    assert f"`$[{length - 1}]" in found.schema_violation
    assert found.partial == ""


def test_a_response_is_compared_with_the_schema_of_its_own_media_type() -> None:
    spec = document({"type": "object"})
    content = spec["paths"]["/a"]["get"]["responses"]["200"]["content"]
    content["application/hal+json"] = {"schema": {"type": "array"}}
    content["application/problem+json"] = {}
    made = promised(spec)
    assert schema_violation(made, "GET", reply(200, [], content_type="application/hal+json")) == ""
    assert schema_violation(made, "GET", reply(200, {}, content_type="application/hal+json")) != ""
    assert schema_violation(made, "GET", reply(200, {})) == ""
    assert schema_violation(made, "GET", reply(200, [])) != ""
    assert schema_violation(made, "GET", reply(200, 7, content_type="application/problem+json")) == ""


def test_in_version_2_0_a_response_is_json_unless_produces_says_otherwise() -> None:
    spec = document({"type": "object"}, "2.0")
    operation = spec["paths"]["/a"]["get"]
    del operation["produces"]
    assert schema_violation(promised(spec), "GET", reply(200, [])) != ""
    assert schema_violation(promised(spec | {"produces": ["text/csv"]}), "GET", reply(200, [])) == ""
    operation["produces"] = ["application/json"]
    assert schema_violation(promised(spec | {"produces": ["text/csv"]}), "GET", reply(200, [])) != ""


# references


@pytest.mark.parametrize("version", OPENAPI)
def test_references_within_the_document_are_followed(version: str) -> None:
    where = "#/definitions/" if version == "2.0" else "#/components/schemas/"
    schemas = {
        "A": {"$ref": where + "B~1C"},
        "B/C": {"type": "object", "properties": {"d": {"$ref": where + "D%20d"}}},
        "D d": {"type": "array", "items": {"type": "integer"}},
    }
    assert judged({"$ref": where + "A"}, {"d": [1]}, version, schemas=schemas) == ""
    assert "`$.d[0]`" in judged({"$ref": where + "A"}, {"d": ["x"]}, version, schemas=schemas)


def test_a_response_may_be_a_reference_too() -> None:
    spec = {
        "openapi": "3.0.0",
        "paths": {"/a": {"get": {"responses": {"200": {"$ref": "#/components/responses/R"}}}}},
        "components": {"responses": {"R": document({"type": "object"})["paths"]["/a"]["get"]["responses"]["200"]}},
    }
    assert schema_violation(promised(spec), "GET", reply(200, [])) != ""


@pytest.mark.parametrize("version", OPENAPI)
@pytest.mark.parametrize(
    "reference",
    [
        "other.json",
        "https://elsewhere.example.com/schema.json#/A",
        "file:///etc/passwd",
        "//elsewhere.example.com",
        "#/nowhere",
        "#/paths/~1a/get/responses/200/description/deeper",
        "#",
        "#anchor",
        "",
        "urn:x",
        "#/info/title",
        "http://[::1",
        "#/%",
        "#/\ud800",
    ],
)
def test_references_to_other_places_are_neither_followed_nor_violations(reference: str, version: str) -> None:
    assert judged({"$ref": reference}, {"anything": [1]}, version) == ""
    assert judged({"properties": {"a": {"$ref": reference}, "b": {"type": "string"}}}, {"a": 1, "b": 2}, version) != ""


@pytest.mark.parametrize("version", OPENAPI)
def test_circular_references_accept_everything(version: str) -> None:
    where = "#/definitions/" if version == "2.0" else "#/components/schemas/"
    loops: dict[str, Any] = {
        "itself": {"$ref": where + "itself"},
        "a": {"$ref": where + "b"},
        "b": {"allOf": [{"$ref": where + "a"}]},
        "c": {"anyOf": [{"$ref": where + "c"}, {"$ref": where + "c"}]},
    }
    for name in loops:
        assert judged({"$ref": where + name}, {"x": 1}, version, schemas=loops) == ""


@pytest.mark.parametrize("version", OPENAPI)
def test_a_schema_may_contain_itself(version: str) -> None:
    where = "#/definitions/" if version == "2.0" else "#/components/schemas/"
    tree = {"type": "object", "properties": {"next": {"$ref": where + "T"}}, "required": ["n"]}
    good: dict[str, Any] = {"n": 1}
    bad: dict[str, Any] = {}
    for _ in range(20):
        good, bad = {"n": 1, "next": good}, {"n": 1, "next": bad}
    assert judged({"$ref": where + "T"}, good, version, schemas={"T": tree}) == ""
    assert ".next" in judged({"$ref": where + "T"}, bad, version, schemas={"T": tree})


@pytest.mark.parametrize("number", [10, 1000, 5000])
def test_schemas_that_refer_to_each_other_in_a_long_chain_are_still_compared(number: int) -> None:
    where = "#/components/schemas/"
    schemas: dict[str, Any] = {
        f"S{each}": {"type": "object", "properties": {"next": {"$ref": f"{where}S{each + 1}"}}}
        for each in range(number)
    }
    assert "`$`" in judged({"$ref": where + "S0"}, [], schemas=schemas)
    assert judged({"$ref": where + "S0"}, {"next": {"next": 1}}, schemas=schemas) != ""


@pytest.mark.parametrize("version", ["2.0", "3.0.3", "3.1.0"])
def test_only_since_3_1_keywords_beside_a_reference_count(version: str) -> None:
    where = "#/definitions/" if version == "2.0" else "#/components/schemas/"
    found = judged({"$ref": where + "A", "required": ["x"]}, {}, version, schemas={"A": {"type": "object"}})
    assert (found != "") is (version == "3.1.0")


# dialects


@pytest.mark.parametrize(
    ("version", "schema", "body", "fits"),
    [
        ("3.0.3", {"type": "string", "nullable": True}, None, True),
        ("3.0.3", {"type": "string", "nullable": True}, "x", True),
        ("3.0.3", {"type": "string", "nullable": True}, 1, False),
        ("3.0.3", {"type": "string", "nullable": False}, None, False),
        ("3.0.3", {"type": "string", "nullable": "true"}, None, False),
        ("3.0.3", {"type": "string"}, None, False),
        ("3.0.3", {"type": "string", "enum": ["a"], "nullable": True}, None, True),
        ("3.0.3", {"type": "string", "enum": ["a", None], "nullable": True}, None, True),
        ("3.0.3", {"type": "string", "enum": ["a"], "nullable": True}, "b", False),
        ("3.0.3", {"$ref": "#/components/schemas/A", "nullable": True}, None, True),
        ("3.0.3", {"$ref": "#/components/schemas/A", "nullable": True}, 1, False),
        ("3.0.3", {"nullable": True, "allOf": [{"$ref": "#/components/schemas/A"}]}, None, True),
        ("3.0.3", {"nullable": True, "allOf": [{"$ref": "#/components/schemas/A"}]}, {}, True),
        ("3.0.3", {"nullable": True, "allOf": [{"$ref": "#/components/schemas/A"}]}, 1, False),
        ("3.0.3", {"allOf": [{"$ref": "#/components/schemas/A"}]}, None, False),
        ("2.0", {"type": "string", "x-nullable": True}, None, True),
        ("2.0", {"type": "string"}, None, False),
        ("3.1.0", {"type": ["string", "null"]}, None, True),
        ("3.1.0", {"type": ["string", "null"]}, "x", True),
        ("3.1.0", {"type": ["string", "null"]}, 1, False),
        ("3.1.0", {"anyOf": [{"type": "string"}, {"type": "null"}]}, None, True),
        ("3.1.0", {"const": {"a": [1]}}, {"a": [1.0]}, True),
        ("3.1.0", {"const": None}, 0, False),
        ("3.0.3", {"minimum": 5, "exclusiveMinimum": True}, 5, False),
        ("3.0.3", {"minimum": 5, "exclusiveMinimum": True}, 5.1, True),
        ("3.0.3", {"minimum": 5, "exclusiveMinimum": False}, 5, True),
        ("3.0.3", {"maximum": 5, "exclusiveMaximum": True}, 5, False),
        ("3.0.3", {"exclusiveMaximum": True}, 5, True),
        ("3.1.0", {"exclusiveMinimum": 5}, 5, False),
        ("3.1.0", {"minimum": 1, "exclusiveMinimum": 5}, 6, True),
        ("3.0.3", {"type": "file"}, 5, True),
        ("3.0.3", {"type": "integer"}, 1.0, True),
        ("3.0.3", {"type": "integer"}, 1.5, False),
        ("3.0.3", {"type": "integer"}, True, False),
        ("3.0.3", {"enum": [1]}, True, False),
        ("3.0.3", {"multipleOf": 3}, 7, False),
        ("3.0.3", {"multipleOf": 0}, 7, True),
        ("3.0.3", {"multipleOf": -1}, 7.5, True),
    ],
)
def test_each_version_has_its_dialect(version: str, schema: Any, body: Any, fits: bool) -> None:  # noqa: ANN401
    assert (judged(schema, body, version, schemas={"A": {"type": "object"}}) == "") is fits


@pytest.mark.parametrize(
    ("body", "fits"),
    [(1.13, True), (19.99, True), (0.07, True), (4.35, True), (100, True), (1.135, False), (1e-7, False)],
)
def test_multiple_of_is_decided_by_the_decimal_digits(body: float, fits: bool) -> None:
    assert (judged({"type": "number", "multipleOf": 0.01}, body) == "") is fits


CAT = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["cat"]}}}
PET = {"type": "object", "required": ["kind"]}


@pytest.mark.parametrize(
    ("schema", "body", "fits"),
    [
        pytest.param({"oneOf": [CAT, PET]}, {"kind": "cat"}, False, id="oneOf: two fit"),
        pytest.param({"oneOf": [CAT, PET]}, {"kind": "dog"}, True, id="oneOf: one fits"),
        pytest.param(
            {"oneOf": [CAT, PET], "discriminator": {"propertyName": "kind"}}, {"kind": "cat"}, True, id="discriminator"
        ),
        pytest.param(
            {"oneOf": [CAT, PET], "discriminator": {"propertyName": "kind"}}, {"x": 1}, False, id="none of them"
        ),
        pytest.param({"anyOf": [CAT, {"type": "string"}]}, 1, False, id="anyOf"),
        pytest.param({"allOf": [CAT, {"required": ["x"]}]}, {"kind": "cat"}, False, id="allOf"),
        pytest.param({"not": {"type": "object"}}, {}, False, id="not"),
        pytest.param({"if": {"type": "object"}, "then": {"required": ["x"]}}, {}, False, id="if, then"),
        pytest.param({"if": {"type": "object"}, "else": False}, [], False, id="if, else"),
    ],
)
def test_schemas_are_combined(schema: Any, body: Any, fits: bool) -> None:  # noqa: ANN401 - JSON values
    assert (judged(schema, body, "3.1.0") == "") is fits


@pytest.mark.parametrize(
    ("schema", "body", "fits"),
    [
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, True),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, False),
        ({"additionalProperties": {"type": "string"}}, {"b": 1}, False),
        ({"additionalProperties": True}, {"b": 1}, True),
        ({"properties": {}, "additionalProperties": False}, {}, True),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"x1": 1}, True),
        ({"patternProperties": {"(a+)+$": {}}, "additionalProperties": False}, {"a" * 40 + "!": 1}, True),
        ({"required": ["a"], "properties": {"a": {"writeOnly": True}}}, {}, True),
        ({"required": ["a"], "properties": {"a": {"$ref": "#/components/schemas/W"}}}, {}, True),
        ({"required": ["a"], "properties": {"a": {"readOnly": True}}}, {}, False),
        ({"required": ["a", 7, None]}, {"a": 1}, True),
        ({"required": True}, {}, True),
        ({"items": {"type": "string"}}, ["a", 1], False),
        ({"items": [{"type": "string"}, {"type": "integer"}]}, ["a", 1, None], True),
        ({"items": [{"type": "string"}, {"type": "integer"}]}, [1], False),
        ({"items": [{"type": "string"}], "additionalItems": False}, ["a", 1], False),
        ({"items": [{"type": "string"}], "additionalItems": {"type": "integer"}}, ["a", 1], True),
        ({"prefixItems": [{"type": "string"}], "items": False}, ["a", 1], False),
        ({"items": []}, [1], True),
        ({"contains": {"type": "integer"}}, ["a"], False),
        ({"minItems": 1}, [], False),
        ({"maxLength": 2}, "abc", False),
        ({"minProperties": 1}, {}, False),
    ],
)
def test_objects_and_arrays_are_compared(schema: Any, body: Any, fits: bool) -> None:  # noqa: ANN401 - JSON values
    assert (judged(schema, body, "3.1.0", schemas={"W": {"writeOnly": True}}) == "") is fits


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ({"type": "string", "format": "date-time"}, "yesterday"),
        ({"type": "string", "format": "uuid"}, "x"),
        ({"type": "string", "format": "email"}, "x"),
        ({"type": "integer", "format": "int32"}, 2**40),
        ({"type": "string", "pattern": "^a$"}, "b"),
        ({"type": "string", "pattern": "(a+)+$"}, "a" * 60 + "!"),
        ({"type": "string", "pattern": "(unclosed"}, "b"),
        ({"type": "array", "uniqueItems": True}, [1, 1]),
        ({"propertyNames": {"pattern": "^a"}}, {"b": 1}),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}),
        ({"unevaluatedProperties": False}, {"a": 1}),
        ({"$dynamicRef": "#x", "$id": "https://elsewhere.example.com/", "$schema": "nonsense"}, 1),
    ],
)
def test_keywords_that_are_slow_or_differ_between_libraries_are_not_asserted(schema: Any, body: Any) -> None:  # noqa: ANN401
    assert judged(schema, body, "3.1.0") == ""


def test_a_schema_violation_is_one_harmless_line() -> None:
    hostile = "\u202e::error::<img src=x>\n##[error]`" + "x" * 5000
    for found in (
        judged({"type": "integer"}, hostile),
        judged({"additionalProperties": {"type": "integer"}}, {hostile: "x"}),
        judged({"additionalProperties": False, "properties": {"a": {}}}, {hostile: "x"}),
        judged({"enum": [hostile]}, 1),
    ):
        assert found
        assert len(found) < 350
        assert "\n" not in found
        assert "\u202e" not in found
        assert "##[" not in found


@pytest.mark.parametrize("body", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_numbers_that_only_python_reads_are_not_json(body: str) -> None:
    reply = Response(200, {"content-type": "application/json"}, body.encode())
    response_schema = {"200": ResponseSchema(("application/json",), {"application/json": True})}
    assert schema_violation(response_schema, "GET", reply) == "the body is not valid JSON"


# hostile schemas


def bombs() -> dict[str, dict[str, Any]]:
    where = "#/components/schemas/"
    doubled = {f"S{each}": {"allOf": [{"$ref": f"{where}S{each + 1}"}] * 2} for each in range(60)}
    wide: dict[str, Any] = {"S0": {"anyOf": [{"$ref": where + "S0", "minLength": each} for each in range(50)]}}
    return {
        "allOf that doubles": doubled | {"S60": {"type": "string"}},
        "anyOf that doubles": {name: {"anyOf": [{"not": {}}, *each["allOf"]]} for name, each in doubled.items()}
        | {"S60": {"not": {}}},
        "oneOf of itself": wide,
        "not of itself": {"S0": {"not": {"$ref": where + "S0"}}},
        "properties of itself": {"S0": {"properties": {"a": {"$ref": where + "S0"}}, "not": {"$ref": where + "S0"}}},
        "more schemas than allowed": {"S0": {"allOf": [{"minLength": 0}] * (MOST_SCHEMAS + 10)}},
    }


@pytest.mark.parametrize("name", bombs())
def test_a_schema_that_would_take_too_long_is_given_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_schema, "MOST_STEPS", 3_000)
    where = "#/components/schemas/S0"
    for body in ({"a": {"a": {"a": 1}}}, "text", [1] * 50):
        assert isinstance(judged({"$ref": where}, body, "3.1.0", schemas=bombs()[name]), str)


def test_schemas_that_nest_deeply_are_given_up() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(400):
        schema = {"items": schema}
    assert judged(schema, []) == ""


def test_a_body_that_nests_deeply_is_given_up() -> None:
    schemas = {"T": {"items": {"$ref": "#/components/schemas/T"}}}
    promise = promised(document({"$ref": "#/components/schemas/T"}, components={"schemas": schemas}))
    answer = reply(200, "[" * 400 + "]" * 400, content_type="application/json")
    assert schema_violation(promise, "GET", answer) in ("", "the body is not valid JSON")


BEYOND = [b"1e400", b"-1e400", b"NaN", b"Infinity", pytest.param(b"1" + b"0" * 400, id="large"), b"1.5", b"1e-320"]
BOUNDS = [0.01, 3, pytest.param(10**400, id="large"), 1e-320, 1e308, float("inf"), float("nan")]


@pytest.mark.parametrize("body", BEYOND)
@pytest.mark.parametrize("keyword", ["minimum", "maximum", "exclusiveMinimum", "minLength", "enum", "const"])
@pytest.mark.parametrize("bound", BOUNDS)
def test_numbers_out_of_range_are_not_an_error(body: bytes, keyword: str, bound: float) -> None:
    value = [bound] if keyword == "enum" else bound
    assert isinstance(raw({keyword: value}, body), str)
    assert isinstance(raw({"type": ["integer", "number"], keyword: value}, body, "3.0.3"), str)


@pytest.mark.parametrize("body", BEYOND)
@pytest.mark.parametrize("bound", BOUNDS)
def test_multiples_of_numbers_out_of_range_are_not_an_error(body: bytes, bound: float) -> None:
    assert isinstance(raw({"multipleOf": bound}, body), str)


KEYWORDS = [
    "type",
    "enum",
    "const",
    "format",
    "nullable",
    "x-nullable",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "items",
    "prefixItems",
    "additionalItems",
    "contains",
    "minContains",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "discriminator",
    "$ref",
    "$id",
    "$anchor",
    "$defs",
    "$schema",
    "$dynamicRef",
    "definitions",
    "writeOnly",
    "readOnly",
    "title",
    "default",
    "example",
]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(
        ["#", "#/x", "#/components/schemas/A", "#/paths/0", "string", "object", "array", "integer", "null"]
    ),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.sampled_from([*KEYWORDS, "a", "b", ""]), each, max_size=4)
    ),
    max_leaves=12,
)
schemas = st.dictionaries(st.sampled_from(KEYWORDS), values, max_size=6)
bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "x"]), each, max_size=3),
    max_leaves=8,
)


@given(schema=schemas, named=schemas, body=bodies, version=st.sampled_from(OPENAPI))
def test_no_schema_raises_an_exception(
    schema: dict[str, Any],
    named: dict[str, Any],
    body: Any,  # noqa: ANN401 - a JSON value
    version: str,
) -> None:
    spec = document(schema, version, components={"schemas": {"A": named}})
    answer = Response(200, {"content-type": "application/json"}, json.dumps(body).encode())
    found = schema_violation(promised(spec), "GET", answer)
    assert isinstance(found, str)
    assert "\n" not in found


@given(responses=values, body=bodies, version=st.sampled_from(OPENAPI), status=st.sampled_from([200, 204, 404]))
def test_no_responses_object_raises_an_exception(
    responses: Any,  # noqa: ANN401 - a JSON value
    body: Any,  # noqa: ANN401 - a JSON value
    version: str,
    status: int,
) -> None:
    spec = document({}, version)
    for described_as in (responses, {"200": responses}, {"200": {"content": responses, "schema": responses}}):
        spec["paths"]["/a"]["get"] = {"responses": described_as, "produces": responses}
        answer = Response(status, {"content-type": "application/json"}, json.dumps(body).encode())
        assert isinstance(schema_violation(promised(spec), "GET", answer), str)
