"""A generated large OpenAPI document, with as many paths, objects, bytes and nesting levels as GitHub's description."""

import json
import random
from typing import Any

PATHS = 811
METHODS = (["get"], ["get"], ["get", "post"], ["get", "patch", "delete"], ["post"], ["put", "delete"], ["get"], ["get"])
"""The operations of consecutive paths: 1,216 in total."""

SCHEMAS, EXAMPLES, PARAMETERS, RESPONSES = 969, 535, 209, 49
DEEPEST = 6
"""The nesting levels of objects in a schema."""

URL = "https://api.example.com/"
_TEXT = (
    "account action alert archive artifact asset assignee author branch build cache check code comment commit content "
    "default deployment device digest environment event feature file gist group hook identifier installation invitation "
    "issue key label language license limit list login member merge message milestone name node number order owner "
    "package page path permission policy project public pull queue rate reaction reference release repository request "
    "review role rule runner secret session size snapshot stage state status subject suite tag target team template "
    "thread time title token topic total tree type update user value variable version visibility watcher workflow"
)
_WORDS = _TEXT.split()
_KINDS = ("string", "string", "string", "string", "integer", "boolean", "string")


def large_document() -> dict[str, Any]:
    """Return the document, which is always the same."""
    return _Maker(random.Random(13)).document()


def shortened(document: dict[str, Any], paths: int) -> dict[str, Any]:
    """Return a document with only the first paths, and the same share of its components."""
    share = paths / PATHS
    parts = {
        kind: dict(list(each.items())[: max(1, round(share * len(each)))])
        for kind, each in document["components"].items()
    }
    return {**document, "paths": dict(list(document["paths"].items())[:paths]), "components": parts}


def written(document: dict[str, Any]) -> bytes:
    """Return a document as the bytes of a response, with one line per key.

    They are ASCII. A single other character makes decoding the text the larger part of `json.loads`, in time and in
    memory, and the work afterwards the smaller one.
    """
    return json.dumps(document, indent=2).encode()


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def document(self) -> dict[str, Any]:
        return {
            "openapi": "3.0.3",
            "info": {"title": "A large service", "version": "1.0.0", "description": self._sentence(20)},
            "tags": [{"name": word, "description": self._sentence(8)} for word in _WORDS[:46]],
            "servers": [{"url": URL.rstrip("/")}],
            "paths": dict(self._path(number) for number in range(PATHS)),
            "components": {
                "schemas": {f"schema-{number}": self._object(0, 16) for number in range(SCHEMAS)},
                "examples": {f"example-{number}": {"value": self._value(0)} for number in range(EXAMPLES)},
                "parameters": {f"parameter-{number}": self._parameter(number) for number in range(PARAMETERS)},
                "responses": {f"response-{number}": self._response() for number in range(RESPONSES)},
            },
        }

    def _path(self, number: int) -> tuple[str, dict[str, Any]]:
        """Return a path with its operations; no two are equal."""
        segments = [self._word(), "{owner}", self._word(), f"{self._word()}-{number}", "{id}", self._word()]
        path = "/" + "/".join(segments[: self._chance.randint(4, 6)])
        return path, {method: self._operation(method, path) for method in METHODS[number % len(METHODS)]}

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        operation = {
            "summary": self._sentence(5),
            "description": self._sentence(40),
            "tags": [self._word()],
            "operationId": f"{method}{path}",
            "externalDocs": {"description": "Reference", "url": f"{URL}docs{path}"},
            "parameters": [self._reference("parameters", PARAMETERS) for _ in range(self._chance.randint(1, 4))]
            + [self._parameter(number) for number in range(self._chance.randint(0, 2))],
            "responses": {"200": self._response()}
            | {status: self._reference("responses", RESPONSES) for status in ("403", "404", "422")},
            "x-service": {"enabledForApps": True, "category": self._word(), "subcategory": self._word()},
        }
        if method in ("post", "put", "patch"):
            operation["requestBody"] = {"content": {"application/json": {"schema": self._object(4, 14)}}}
        return operation

    def _response(self) -> dict[str, Any]:
        schema = self._reference("schemas", SCHEMAS)
        return {
            "description": "Response",
            "content": {
                "application/json": {
                    "schema": schema if self._chance.random() < 0.6 else {"type": "array", "items": schema},
                    "examples": {"default": self._reference("examples", EXAMPLES)},
                }
            },
            "headers": {"Check": {"schema": {"type": "string"}}},
        }

    def _parameter(self, number: int) -> dict[str, Any]:
        return {
            "name": f"{self._word()}_{number}",
            "description": self._sentence(14),
            "in": "query",
            "required": False,
            "schema": {"type": "string", "enum": [self._word(), self._word()], "default": "name"},
        }

    def _object(self, depth: int, most: int) -> dict[str, Any]:
        names = [f"{self._word()}_{self._word()}" for _ in range(self._chance.randint(most // 4, most))]
        return {
            "title": self._sentence(2),
            "type": "object",
            "properties": {name: self._property(depth) for name in names},
            "required": names[: len(names) // 2],
        }

    def _property(self, depth: int) -> dict[str, Any]:
        which = self._chance.random()
        if which < 0.1:
            return self._reference("schemas", SCHEMAS)
        if which < 0.19 and depth < DEEPEST:
            return self._object(depth + 1, 9)
        if which < 0.22 and depth < DEEPEST:
            return {"type": "array", "items": self._object(depth + 1, 9)}
        kind = self._chance.choice(_KINDS)
        schema: dict[str, Any] = {"type": kind}
        if kind == "string":
            schema["example"] = f"{URL}{self._word()}/{self._chance.randint(1, 300)}"
        if which > 0.6:
            schema["description"] = self._sentence(7)
        if which > 0.85:
            schema["nullable"] = True
        return schema

    def _value(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(self._chance.randint(9, 21)):
            which, name = self._chance.random(), f"{self._word()}_{self._word()}"
            if which < 0.06 and depth < 3:
                found[name] = self._value(depth + 1)
            elif which < 0.25:
                found[name] = self._chance.randint(1, 100_000) if which < 0.18 else which < 0.22
            else:
                found[name] = f"{URL}{self._word()}/{self._word()}/{{{self._word()}}}"
        return found

    def _reference(self, kind: str, count: int) -> dict[str, Any]:
        return {"$ref": f"#/components/{kind}/{kind[:-1]}-{self._chance.randrange(count)}"}

    def _sentence(self, words: int) -> str:
        return " ".join(self._chance.choices(_WORDS, k=words)).capitalize() + "."

    def _word(self) -> str:
        return self._chance.choice(_WORDS)
