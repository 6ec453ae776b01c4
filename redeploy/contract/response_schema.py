"""What a document says of an answer's body, and whether an answer keeps to it."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from redeploy.http.response import Reply
from redeploy.text.untrusted import code, one_line

MOST_SCHEMAS = 20_000
"""Schemas that one promise may be made of."""

MOST_STEPS = 300_000
"""Keywords that may be weighed for one answer, some seconds of work: schemas can be written that take for ever."""

MOST_MISFITS = 20
"""Misfits among which the most telling one is looked for."""

MOST_CHOICES = 1_000
"""Values of an `enum` that is asserted: each one is compared."""

_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
_BODILESS = (204, 205, 304)

MOST_LEVELS = 100
"""Keywords within keywords: beyond Python's own limit jsonschema ends in a way that nothing can catch."""

_steps: ContextVar[list[int]] = ContextVar("steps")
_levels: ContextVar[list[int]] = ContextVar("levels")


@dataclass(frozen=True)
class Described:
    """One response: its media types, and the JSON Schemas (2020-12, self-contained) of those that promise something."""

    media: tuple[str, ...]
    schemas: Mapping[str, Any] = field(default_factory=dict)
    partial: Mapping[str, str] = field(default_factory=dict)
    """Why the schema of a media type is known only in part."""

    @property
    def promises_json(self) -> bool:
        """Whether an answer must be JSON: every media type is, and has a schema that promises something."""
        known = self.schemas.keys() | self.partial.keys()
        return bool(self.media) and all(is_json(each) and each in known for each in self.media)

    def described_as(self, media: str) -> str:
        """Return the media type that the document describes a JSON answer under; empty where it promises nothing."""
        for each in (media, "application/*", "*/*"):
            if each in self.media:
                return each
        return next(iter(self.schemas), "") if self.promises_json else ""


@dataclass(frozen=True)
class Comparison:
    """What came of holding an answer against its promise; each text is one line, and empty where there is nothing to say."""

    misfit: str = ""
    """Where the answer departs from it."""
    partial: str = ""
    """Why only a part of it was compared."""


Promise = Mapping[str, Described]
"""Responses by status as the document writes it: `200`, `2XX`, `default`."""


class _TooMuchError(Exception):
    """The schema, or its document, is beyond what is worth weighing."""


def is_json(media: str) -> bool:
    """Tell whether a media type, without parameters and in lower case, is JSON."""
    return media == "application/json" or media.endswith("+json")


def is_modern(document: Mapping[str, Any]) -> bool:
    """Tell whether a document is one of OpenAPI 3.1 or later, whose schemas are JSON Schema as it is."""
    return bool(re.match(r"3\.[1-9]", str(document.get("openapi", ""))))


def is_swagger(document: Mapping[str, Any]) -> bool:
    """Tell whether a document is one of OpenAPI 2.0."""
    return str(document.get("swagger")) == "2.0"


def described(promise: Promise, status: int) -> Described | None:
    """Return the response that is described for a status, the most exact first."""
    names = {name.lower(): each for name, each in promise.items()}
    return names.get(str(status)) or names.get(f"{status // 100}xx") or names.get("default")


def compare(promise: Promise, method: str, reply: Reply, redact: Callable[[str], str] = str) -> Comparison:
    """Return where a reply departs from its promise; where nothing is promised, it keeps to it."""
    wanted = described(promise, reply.status)
    if wanted is None or method == "HEAD" or reply.status in _BODILESS:
        return Comparison()
    if not is_json(reply.media_type):
        said = reply.headers.get("content-type", "").partition(";")[0]  # as it came: a secret is known by its letters
        kind = f"`{one_line(redact(said), 60)}`" if reply.media_type else "an answer without a type"
        return Comparison(f"the document describes JSON, and {kind} came" if wanted.promises_json else "")
    media = wanted.described_as(reply.media_type)
    partial = wanted.partial.get(media, "")
    if media not in wanted.schemas:
        return Comparison(partial=partial)
    import json

    try:
        body = json.loads(reply.body.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return Comparison("the body is no valid JSON")
    try:
        return Comparison(_first_misfit(wanted.schemas[media], body, redact), partial)
    except (_TooMuchError, RecursionError):
        return Comparison(partial="it is too large, or its schema too deep, to be compared whole")


def _no_constant(word: str) -> None:
    """Refuse `NaN` and `Infinity`, which Python reads and JSON does not know (RFC 8259, 6)."""
    raise ValueError(word)


def in_words(error: Any, redact: Callable[[str], str]) -> str:  # noqa: ANN401 - jsonschema's, which must not be loaded for it
    """Say what jsonschema found, and quote nothing of the value: it may be long, hostile or secret."""
    keyword, wanted, value = error.validator, error.validator_value, error.instance
    told = f"breaks `{keyword}`"
    if keyword == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        told = f"is {_kind(value)}, not {' or '.join(map(str, kinds))}"
    elif keyword == "required" and isinstance(value, dict):
        told = f"has no {code(redact(next(name for name in wanted if name not in value)), 60)}"
    elif keyword in ("anyOf", "oneOf"):
        told = "fits none of the alternatives, or too many"
    elif keyword in ("enum", "const"):
        told = "is not one of the values that are allowed"
    elif _is_number(wanted):
        told = f"breaks `{keyword}: {wanted}`"
    return f"{code(_place(error.absolute_path, redact), 80)} {told}"


def _place(path: Iterable[str | int], redact: Callable[[str], str]) -> str:
    """Return a way into a JSON value as a path (RFC 9535); names are redacted before quotes change them."""
    names = (each if isinstance(each, int) else redact(each) for each in path)
    return "$" + "".join(
        f".{each}" if isinstance(each, str) and each.isidentifier() else f"[{each!r}]" for each in names
    )


def _kind(value: Any) -> str:  # noqa: ANN401 - a JSON value
    kinds = {bool: "a boolean", str: "a string", dict: "an object", list: "an array", type(None): "null"}
    return kinds.get(type(value), "a number")


def _first_misfit(schema: Any, body: Any, redact: Callable[[str], str]) -> str:  # noqa: ANN401 - JSON values
    from jsonschema.exceptions import best_match  # takes a tenth of a second, and few runs need it

    _steps.set([0])
    _levels.set([0])
    found = best_match(itertools.islice(_validator()(schema).iter_errors(body), MOST_MISFITS))
    return "" if found is None else in_words(found, redact)


@cache
def _validator() -> Any:  # noqa: ANN401 - a class that jsonschema makes
    """Return a validator that counts its steps."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    def counted(weigh: Callable[..., Any]) -> Callable[..., Any]:
        def keyword(*arguments: Any) -> Iterator[Any]:  # noqa: ANN401 - as jsonschema passes them
            steps, levels = _steps.get(), _levels.get()
            steps[0] += 1
            levels[0] += 1
            if steps[0] > MOST_STEPS or levels[0] > MOST_LEVELS:
                raise _TooMuchError
            try:
                yield from weigh(*arguments) or ()
            finally:
                levels[0] -= 1

        return keyword

    known = {**Draft202012Validator.VALIDATORS, "multipleOf": _multiple_of}
    known |= {name: _without_errors_of_others(known[name]) for name in ("anyOf", "oneOf")}
    keywords = {name: counted(weigh) for name, weigh in known.items()}
    return extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]


def _without_errors_of_others(weigh: Callable[..., Any]) -> Callable[..., Any]:
    """Let a choice of alternatives end a value's weighing where exactly one fits.

    jsonschema makes every error of each alternative that does not, which in a long list takes most of the time.
    """

    def keyword(validator: Any, parts: Any, value: Any, schema: Any) -> Iterator[Any]:  # noqa: ANN401 - as jsonschema
        fitting = sum(next(validator.descend(value, part), None) is None for part in parts)
        if fitting != 1:
            yield from weigh(validator, parts, value, schema) or ()

    return keyword


def _multiple_of(_: Any, unit: float, number: Any, __: Any) -> Iterator[Exception]:  # noqa: ANN401 - as jsonschema passes them
    """Weigh `multipleOf` by the digits as they are written: as binary fractions 1.13 is no multiple of 0.01."""
    from fractions import Fraction

    from jsonschema.exceptions import ValidationError

    try:
        left = _is_number(number) and Fraction(str(number)) % Fraction(str(unit))
    except ValueError:  # infinity, or none at all
        return
    if left:
        yield ValidationError(f"{number!r} is not a multiple of {unit!r}")


def says_nothing(schema: Any) -> bool:  # noqa: ANN401 - a JSON value
    """Tell whether everything fits a self-contained schema, as far as the first levels show."""
    defined = schema.get("$defs", {}) if isinstance(schema, dict) else {}
    known: dict[str, bool] = {}  # each definition is looked at once, however many refer to it

    def nothing(part: Any, level: int = 0) -> bool:  # noqa: ANN401 - a JSON value
        if not isinstance(part, dict):
            return part is True
        return level < MOST_LEVELS and all(keyword(name, told, level + 1) for name, told in part.items())

    def keyword(name: str, told: Any, level: int) -> bool:  # noqa: ANN401 - a JSON value
        if name == "$ref":
            if told not in known:
                known[told] = True  # one that holds itself adds nothing to itself
                known[told] = nothing(defined.get(told.rpartition("/")[2]), level)
            return known[told]
        if name in ("allOf", "anyOf"):
            return (all if name == "allOf" else any)(nothing(each, level) for each in told)
        return name == "$defs"

    return nothing(schema)


class Schemas:
    """Turns the schemas of one document into ones of JSON Schema 2020-12 that need nothing else.

    OpenAPI 2.0 and 3.0 have dialects of their own (spec.openapis.org/oas/v3.0.4, "Schema Object"). What only costs time
    or differs between implementations is left out: `format`, `pattern`, `uniqueItems`, references to other files.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take the schemas' meaning from the document's own version."""
        self._document = document
        self._siblings = is_modern(document)  # before 3.1, keywords beside a `$ref` do not count
        self._names: dict[str, str] = {}
        self._defined: dict[str, Any] = {}
        self._waiting: list[tuple[str, str]] = []
        self._count = 0
        self._missing: list[str] = []

    @property
    def missing(self) -> str:
        """The first reference that leads nowhere, or out of the document; empty where there is none."""
        return self._missing[0] if self._missing else ""

    def standalone(self, schema: Any) -> Any:  # noqa: ANN401 - a JSON value
        """Return a schema with all that it refers to, or None where it is too large, or refers to itself only."""
        try:
            root = self._converted(schema)
            while self._waiting:  # one after the other: schemas that refer to each other make long chains
                name, reference = self._waiting.pop()
                target = self._at(reference)
                if target is None:
                    self._missing.append(reference)
                self._defined[name] = self._converted(target)
        except (_TooMuchError, RecursionError):
            return None
        return {"allOf": [root], "$defs": self._defined}

    def resolved(self, value: Any) -> Any:  # noqa: ANN401 - a JSON value
        """Return what a local `$ref` leads to, in at most ten steps; None where it leads nowhere."""
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
            raise _TooMuchError
        if not isinstance(schema, dict):
            return schema if isinstance(schema, bool) else True
        reference = schema.get("$ref")
        own = self._keywords(schema) if self._siblings or not isinstance(reference, str) else {}
        if isinstance(reference, str):
            own["$ref"] = self._named(reference)
        nullable = schema.get("nullable") is True or schema.get("x-nullable") is True
        return {"anyOf": [{"type": "null"}, own]} if nullable else own

    def _named(self, reference: str) -> str:
        """Return our own name of a reference's target, which will be converted once."""
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
                told = "anyOf" if name == "oneOf" and "discriminator" in schema else name
                found[told] = [self._converted(part) for part in parts]
        for name in ("not", "additionalProperties", "contains", "if", "then", "else"):
            if isinstance(schema.get(name), dict | bool):
                found[name] = self._converted(schema[name])
        if isinstance(schema.get("patternProperties"), dict):
            found.pop("additionalProperties", None)  # it speaks of the names that no pattern takes
        return found | self._properties(schema) | self._items(schema)

    def _bounds(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: schema[name] for name in _NUMBERS if _is_number(schema.get(name))}
        found |= {name: schema[name] for name in _COUNTS if _is_number(schema.get(name))}
        if _is_number(schema.get("multipleOf")) and schema["multipleOf"] > 0:
            found["multipleOf"] = schema["multipleOf"]
        for strict, loose in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if schema.get(strict) is True and loose in found:  # 2.0 and 3.0 say only whether the bound itself is out
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
            # What is only written is required of requests alone.
            found["required"] = [
                name for name in required if isinstance(name, str) and not self._write_only(properties.get(name))
            ]
        return found

    def _write_only(self, schema: Any) -> bool:  # noqa: ANN401 - a JSON value
        told = self.resolved(schema)
        return isinstance(told, dict) and told.get("writeOnly") is True

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


def _is_number(value: Any) -> bool:  # noqa: ANN401 - a JSON value
    return isinstance(value, int | float) and not isinstance(value, bool)
