"""What was said to GitHub and what the sandbox's GitHub said, against GitHub's own description."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from sandbox.network.github import GitHub, Kind, Talk

_FIXTURE = Path(__file__).parent / "fixtures" / "github" / "deployments.openapi.json"
_LIST = "/repos/{owner}/{repo}/deployments"
_STATUSES = f"{_LIST}/{{deployment_id}}/statuses"
_OPERATIONS: dict[Kind, tuple[str, str]] = {
    "create": (_LIST, "post"),
    "list": (_LIST, "get"),
    "status": (_STATUSES, "post"),
    "statuses": (_STATUSES, "get"),
}


def check(github: GitHub) -> None:
    """Every request has the form that is described, and nothing besides; so has every answer."""
    for talk in github.talks:
        operation = DOCUMENT["paths"][_OPERATIONS[talk.kind][0]][_OPERATIONS[talk.kind][1]]
        _check_request(talk, operation)
        response = operation["responses"][str(talk.status)]
        if "$ref" in response:
            response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
        _validate(talk.told, response["content"]["application/json"]["schema"])
    for request in github.seen:
        if request.method == "GET":
            kind: Kind = "statuses" if request.path.endswith("/statuses") else "list"
            path, method = _OPERATIONS[kind]
            known = {each["name"] for each in DOCUMENT["paths"][path][method]["parameters"] if each["in"] == "query"}
            assert set(request.query) <= known


def _check_request(talk: Talk, operation: dict[str, Any]) -> None:
    if "requestBody" not in operation:
        assert talk.asked is None
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    _validate(talk.asked, schema | {"additionalProperties": False})


def _validate(document: object, schema: dict[str, Any]) -> None:
    whole = schema | {"components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(document)


def _without_nullable(schema: Any) -> Any:  # noqa: ANN401 - a JSON document
    """The same in JSON Schema, which has no `nullable` (OpenAPI 3.0.3, Schema Object)."""
    if isinstance(schema, list):
        return [_without_nullable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _without_nullable(each) for name, each in schema.items() if name != "nullable"}
    return {"anyOf": [{"type": "null"}, plain]} if schema.get("nullable") is True else plain


DOCUMENT: dict[str, Any] = _without_nullable(json.loads(_FIXTURE.read_text(encoding="utf-8")))
