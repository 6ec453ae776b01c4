"""What a document promises about the responses to smoke requests."""

import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redeploy.contract.dialects import Schemas, is_json, is_swagger, says_nothing
from redeploy.contract.response_schema import ResponseSchema, ResponseSchemas
from redeploy.contract.routes import Operation, fits, shape
from redeploy.contract.servers import origins
from redeploy.contract.smoke import Smoke
from redeploy.http.urls import origin_of
from redeploy.text.untrusted import code


def promises(
    document: Mapping[str, Any],
    url: str,
    items: Mapping[str, Mapping[str, Any]],
    operations: Sequence[Operation],
    smoke: Sequence[Smoke],
    *,
    redact: Callable[[str], str],
) -> dict[Smoke, ResponseSchemas]:
    """Return what the document says about the responses to smoke requests."""
    found: dict[Smoke, ResponseSchemas] = {}
    spoken_of = origins(document, url) if smoke else frozenset()
    for each in smoke:
        meant = _meant(each, operations, spoken_of)
        if meant is not None:
            found[each] = _promise(document, items[meant.path][meant.method.lower()], Schemas(document), redact)
    return found


def _meant(smoke: Smoke, operations: Sequence[Operation], spoken_of: frozenset[str]) -> Operation | None:
    """Return the operation that a request goes to: if several templates match its path, the most literal one."""
    path = smoke.target.partition("?")[0]
    if not path.startswith("/") and origin_of(smoke.url) not in spoken_of:
        return None  # this document is not about another origin
    asked = dict.fromkeys((path, urllib.parse.urlsplit(smoke.url).path or "/"))
    fitting = [
        each
        for each in operations
        if each.method == smoke.method
        and any(fits(one, prefix + each.path) for one in asked for prefix in dict.fromkeys(("", *each.prefixes)))
    ]
    return min(fitting, key=lambda each: shape(each.path).count("{}"), default=None)


def _promise(
    document: Mapping[str, Any], operation: Mapping[str, Any], schemas: Schemas, redact: Callable[[str], str]
) -> ResponseSchemas:
    responses = operation.get("responses")
    found: dict[str, ResponseSchema] = {}
    for status, response in responses.items() if isinstance(responses, dict) else ():
        described = schemas.resolved(response)
        if isinstance(described, dict):
            found[str(status)] = _described(_media(document, operation, described), schemas, redact)
    return found


def _described(media: Mapping[str, Any], schemas: Schemas, redact: Callable[[str], str]) -> ResponseSchema:
    made: dict[str, Any] = {}
    partial: dict[str, str] = {}
    for name, described in media.items():
        if described is None:
            continue
        schema = schemas.standalone(described)
        if schema is None:
            partial[name] = "its schema is too large, or refers to itself only"
        elif schemas.missing:
            made[name] = schema
            partial[name] = f"its schema refers to {code(redact(schemas.missing), 80)}, which is not in the document"
        elif not says_nothing(schema):
            made[name] = schema
    return ResponseSchema(tuple(media), made, partial)


def _media(document: Mapping[str, Any], operation: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the media types of a response, in lower case and without parameters, each with its schema if it is JSON."""
    content: Any = response.get("content")
    if is_swagger(document):
        produced = operation.get("produces", document.get("produces")) or ["application/json"]
        content = dict.fromkeys(map(str, produced), response) if isinstance(produced, list) else {}
    found: dict[str, Any] = {}
    for name, described in content.items() if isinstance(content, dict) else ():
        media = str(name).partition(";")[0].strip().lower()
        schema = described.get("schema") if isinstance(described, dict) else None
        maybe_json = is_json(media) or media in ("*/*", "application/*")
        found[media] = schema if maybe_json and isinstance(schema, dict | bool) else None
    return found
