"""The schemas of a document: OpenAPI 2.0, 3.0 and 3.1 each have a dialect, and all become JSON Schema 2020-12."""

import re
from collections.abc import Mapping
from typing import Any

MOST_SCHEMAS = 20_000
"""Schemas that one promise may consist of."""

MOST_CHOICES = 1_000
"""Values of an `enum` that is checked: each one is compared."""

_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})

MOST_LEVELS = 100
"""Nested keywords: beyond Python's own limit, jsonschema fails in a way that cannot be caught."""


class TooMuchError(Exception):
    """The schema, or its document, is too large to be checked."""


def is_json(media: str) -> bool:
    """Return whether a media type, without parameters and in lower case, is JSON."""
    return media == "application/json" or media.endswith("+json")


def is_modern(document: Mapping[str, Any]) -> bool:
    """Return whether a document is of OpenAPI 3.1 or later, whose schemas are plain JSON Schema."""
    return bool(re.match(r"3\.[1-9]", str(document.get("openapi", ""))))


def is_swagger(document: Mapping[str, Any]) -> bool:
    """Return whether a document is of OpenAPI 2.0."""
    return str(document.get("swagger")) == "2.0"


def says_nothing(schema: Any) -> bool:  # noqa: ANN401 - a JSON value
    """Return whether every value matches a self-contained schema, as far as its first levels show."""
    defined = schema.get("$defs", {}) if isinstance(schema, dict) else {}
    known: dict[str, bool] = {}  # each definition is examined once, no matter how many refer to it

    def nothing(part: Any, level: int = 0) -> bool:  # noqa: ANN401 - a JSON value
        if not isinstance(part, dict):
            return part is True
        return level < MOST_LEVELS and all(keyword(name, value, level + 1) for name, value in part.items())

    def keyword(name: str, value: Any, level: int) -> bool:  # noqa: ANN401 - a JSON value
        if name == "$ref":
            if value not in known:
                known[value] = True  # a schema that contains itself adds nothing to itself
                known[value] = nothing(defined.get(value.rpartition("/")[2]), level)
            return known[value]
        if name in ("allOf", "anyOf"):
            return (all if name == "allOf" else any)(nothing(each, level) for each in value)
        return name == "$defs"

    return nothing(schema)


class Schemas:
    """Turns the schemas of one document into self-contained ones of JSON Schema 2020-12.

    OpenAPI 2.0 and 3.0 have dialects of their own (spec.openapis.org/oas/v3.0.4, "Schema Object"). What only costs time
    or differs between implementations is left out: `format`, `pattern`, `uniqueItems`, references to other files.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Use the dialect of the document's version."""
        self._document = document
        self._siblings = is_modern(document)  # before 3.1, keywords beside a `$ref` do not count
        self._names: dict[str, str] = {}
        self._defined: dict[str, Any] = {}
        self._waiting: list[tuple[str, str]] = []
        self._count = 0
        self._missing: list[str] = []

    @property
    def missing(self) -> str:
        """The first reference that leads nowhere, or out of the document; empty if there is none."""
        return self._missing[0] if self._missing else ""

    def standalone(self, schema: Any) -> Any:  # noqa: ANN401 - a JSON value
        """Return a schema with everything that it refers to, or None if it is too large, or refers only to itself."""
        try:
            root = self._converted(schema)
            while self._waiting:  # in a loop: schemas that refer to each other make long chains
                name, reference = self._waiting.pop()
                target = self._at(reference)
                if target is None:
                    self._missing.append(reference)
                self._defined[name] = self._converted(target)
        except (TooMuchError, RecursionError):
            return None
        return {"allOf": [root], "$defs": self._defined}

    def resolved(self, value: Any) -> Any:  # noqa: ANN401 - a JSON value
        """Return what a local `$ref` leads to, in at most ten steps; None if it leads nowhere."""
        for _ in range(10):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            value = self._at(value["$ref"])
        return None

    def _at(self, reference: str) -> Any:  # noqa: ANN401 - a JSON value
        if not reference.startswith("#/"):
            return None
        import urllib.parse

        value: Any = self._document
        for key in urllib.parse.unquote(reference[2:]).split("/"):
            name = key.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and name in value:
                value = value[name]
            elif (
                isinstance(value, list)
                and name.isascii()
                and name.isdigit()
                and len(name) < 9
                and int(name) < len(value)
            ):
                value = value[int(name)]
            else:
                return None
        return value

    def _converted(self, schema: Any) -> Any:  # noqa: ANN401 - a JSON value
        self._count += 1
        if self._count > MOST_SCHEMAS:
            raise TooMuchError
        if not isinstance(schema, dict):
            return schema if isinstance(schema, bool) else True
        reference = schema.get("$ref")
        own = self._keywords(schema) if self._siblings or not isinstance(reference, str) else {}
        if isinstance(reference, str):
            own["$ref"] = self._named(reference)
        nullable = schema.get("nullable") is True or schema.get("x-nullable") is True
        return {"anyOf": [{"type": "null"}, own]} if nullable else own

    def _named(self, reference: str) -> str:
        """Return our own name for a reference's target, which is converted once."""
        if reference not in self._names:
            name = str(len(self._names))
            self._names[reference] = name
            self._defined[name] = True
            self._waiting.append((name, reference))
        return f"#/$defs/{self._names[reference]}"

    def _keywords(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        kinds = schema.get("type")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if isinstance(kinds, list) and kinds and all(isinstance(each, str) and each in _TYPES for each in kinds):
            found["type"] = kinds
        if isinstance(schema.get("enum"), list) and len(schema["enum"]) <= MOST_CHOICES:
            found["enum"] = schema["enum"]
        if "const" in schema:
            found["const"] = schema["const"]
        found |= self._bounds(schema)
        for name in ("allOf", "anyOf", "oneOf"):
            parts = schema.get(name)
            if isinstance(parts, list) and parts:
                # With a discriminator the alternatives may overlap; it says which one is meant.
                kept = "anyOf" if name == "oneOf" and "discriminator" in schema else name
                found[kept] = [self._converted(part) for part in parts]
        for name in ("not", "additionalProperties", "contains", "if", "then", "else"):
            if isinstance(schema.get(name), dict | bool):
                found[name] = self._converted(schema[name])
        if isinstance(schema.get("patternProperties"), dict):
            found.pop("additionalProperties", None)  # it is about the names that match no pattern
        return found | self._properties(schema) | self._items(schema)

    def _bounds(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: schema[name] for name in _NUMBERS if is_number(schema.get(name))}
        found |= {name: schema[name] for name in _COUNTS if is_number(schema.get(name))}
        if is_number(schema.get("multipleOf")) and schema["multipleOf"] > 0:
            found["multipleOf"] = schema["multipleOf"]
        for strict, loose in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if (
                schema.get(strict) is True and loose in found
            ):  # in 2.0 and 3.0 it only says whether the bound itself is excluded
                found[strict] = found.pop(loose)
        return found

    def _properties(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        found: dict[str, Any] = {}
        if properties:
            found["properties"] = {name: self._converted(each) for name, each in properties.items()}
        required = schema.get("required")
        if isinstance(required, list):
            # Write-only properties are required only in requests.
            found["required"] = [
                name for name in required if isinstance(name, str) and not self._write_only(properties.get(name))
            ]
        return found

    def _write_only(self, schema: Any) -> bool:  # noqa: ANN401 - a JSON value
        found = self.resolved(schema)
        return isinstance(found, dict) and found.get("writeOnly") is True

    def _items(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        items, first = schema.get("items"), schema.get("prefixItems")
        if isinstance(items, list):
            first, items = items, schema.get("additionalItems")
        found: dict[str, Any] = {}
        if isinstance(first, list) and first:
            found["prefixItems"] = [self._converted(each) for each in first]
        if isinstance(items, dict | bool):
            found["items"] = self._converted(items)
        return found


def is_number(value: Any) -> bool:  # noqa: ANN401 - a JSON value
    """Return whether a JSON value is a number; to Python, `true` is one, too."""
    return isinstance(value, int | float) and not isinstance(value, bool)
