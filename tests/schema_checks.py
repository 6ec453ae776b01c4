"""The requests to the sandbox's GitHub and its responses, checked against GitHub's own API description."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from sandbox.network.github import GitHub, Kind, Talk, kind_of

_FIXTURES = Path(__file__).parent / "fixtures" / "github"
_LIST = "/repos/{owner}/{repo}/deployments"
_ISSUES = "/repos/{owner}/{repo}/issues"
_STATUSES = f"{_LIST}/{{deployment_id}}/statuses"
_OPERATIONS: dict[Kind, tuple[str, str]] = {
    "create": (_LIST, "post"),
    "list": (_LIST, "get"),
    "status": (_STATUSES, "post"),
    "statuses": (_STATUSES, "get"),
    "repository": ("/repos/{owner}/{repo}", "get"),
    "branch": ("/repos/{owner}/{repo}/branches/{branch}", "get"),
    "compare": ("/repos/{owner}/{repo}/compare/{basehead}", "get"),
    "issues": (_ISSUES, "get"),
    "open": (_ISSUES, "post"),
    "change": (f"{_ISSUES}/{{issue_number}}", "patch"),
    "comment": (f"{_ISSUES}/{{issue_number}}/comments", "post"),
}


def check(github: GitHub) -> None:
    """Check that all requests and responses have the described form and no other fields."""
    for talk in github.talks:
        document = _document(talk.kind)
        operation = document["paths"][_OPERATIONS[talk.kind][0]][_OPERATIONS[talk.kind][1]]
        _check_request(talk, operation, document)
        response = operation["responses"][str(talk.status)]
        if "$ref" in response:
            response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
        _validate(talk.document, response["content"]["application/json"]["schema"], document)
    for request in github.seen:
        if request.method == "GET":
            kind = kind_of(request)
            assert kind is not None
            path, method = _OPERATIONS[kind]
            document = _document(kind)
            listed = [_resolved(each, document) for each in document["paths"][path][method]["parameters"]]
            assert set(request.query) <= {each["name"] for each in listed if each["in"] == "query"}


def _document(kind: Kind) -> dict[str, Any]:
    return next(each for each in DOCUMENTS if _OPERATIONS[kind][1] in each["paths"].get(_OPERATIONS[kind][0], {}))


def _resolved(part: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["parameters"][name] if name else part
    return found


def _check_request(talk: Talk, operation: dict[str, Any], document: dict[str, Any]) -> None:
    if "requestBody" not in operation:
        assert talk.asked is None
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    _validate(talk.asked, schema | {"additionalProperties": False}, document)


def _validate(value: object, schema: dict[str, Any], document: dict[str, Any]) -> None:
    whole = schema | {"components": document["components"]}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(value)


def _without_nullable(schema: Any) -> Any:  # noqa: ANN401 - a JSON document
    """The schema in JSON Schema, which has no `nullable` (OpenAPI 3.0.3, Schema Object)."""
    if isinstance(schema, list):
        return [_without_nullable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _without_nullable(each) for name, each in schema.items() if name != "nullable"}
    return {"anyOf": [{"type": "null"}, plain]} if schema.get("nullable") is True else plain


DOCUMENTS: list[dict[str, Any]] = [
    _without_nullable(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(_FIXTURES.glob("*.json"))
]
