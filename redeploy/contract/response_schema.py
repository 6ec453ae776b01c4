"""What a document promises about a response body, and whether a body matches."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from redeploy.contract.dialects import MOST_LEVELS, TooMuchError, is_json, is_number
from redeploy.http.response import Response
from redeploy.text.untrusted import code, one_line

MOST_STEPS = 300_000
"""Keywords that may be checked for one response, some seconds of work: some schemas would take for ever."""

MOST_MISFITS = 20
"""Mismatches among which the most helpful one is searched for."""


_BODILESS = (204, 205, 304)


_steps: ContextVar[list[int]] = ContextVar("steps")
_levels: ContextVar[list[int]] = ContextVar("levels")


@dataclass(frozen=True)
class ResponseSchema:
    """One response: its media types, and the JSON Schemas (2020-12, self-contained) of those that promise something."""

    media: tuple[str, ...]
    schemas: Mapping[str, Any] = field(default_factory=dict)
    partial: Mapping[str, str] = field(default_factory=dict)
    """Why the schema of a media type is only partly known."""

    @property
    def promises_json(self) -> bool:
        """Whether a response must be JSON: every media type is, and has a schema that promises something."""
        known = self.schemas.keys() | self.partial.keys()
        return bool(self.media) and all(is_json(each) and each in known for each in self.media)

    def described_as(self, media: str) -> str:
        """Return the media type under which the document describes a JSON response; empty if it promises nothing."""
        for each in (media, "application/*", "*/*"):
            if each in self.media:
                return each
        return next(iter(self.schemas), "") if self.promises_json else ""


@dataclass(frozen=True)
class Comparison:
    """The result of comparing a response with its promise; each text is one line, or empty."""

    schema_violation: str = ""
    """The first mismatch."""
    partial: str = ""
    """Why only a part of it was compared."""


ResponseSchemas = Mapping[str, ResponseSchema]
"""Responses by status as written in the document: `200`, `2XX`, `default`."""


def described(promise: ResponseSchemas, status: int) -> ResponseSchema | None:
    """Return the response that is described for a status, the most exact first."""
    names = {name.lower(): each for name, each in promise.items()}
    return names.get(str(status)) or names.get(f"{status // 100}xx") or names.get("default")


def compare(promise: ResponseSchemas, method: str, reply: Response, redact: Callable[[str], str] = str) -> Comparison:
    """Return where a response does not match its promise; without a promise, it always matches."""
    wanted = described(promise, reply.status)
    if wanted is None or method == "HEAD" or reply.status in _BODILESS:
        return Comparison()
    if not is_json(reply.media_type):
        said = reply.headers.get("content-type", "").partition(";")[
            0
        ]  # unchanged: a secret is recognised by its exact letters
        kind = f"`{one_line(redact(said), 60)}`" if reply.media_type else "a response without a type"
        return Comparison(f"the document describes JSON, but {kind} came" if wanted.promises_json else "")
    media = wanted.described_as(reply.media_type)
    partial = wanted.partial.get(media, "")
    if media not in wanted.schemas:
        return Comparison(partial=partial)
    import json

    try:
        body = json.loads(reply.body.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return Comparison("the body is not valid JSON")
    try:
        return Comparison(_first_misfit(wanted.schemas[media], body, redact), partial)
    except (TooMuchError, RecursionError):
        return Comparison(partial="it is too large, or its schema too deep, to be compared whole")


def _no_constant(word: str) -> None:
    """Reject `NaN` and `Infinity`, which Python reads but JSON does not have (RFC 8259, 6)."""
    raise ValueError(word)


def in_words(error: Any, redact: Callable[[str], str]) -> str:  # noqa: ANN401 - jsonschema's, which must not be loaded for it
    """Return what jsonschema found, without quoting the value: it may be long, hostile or secret."""
    keyword, wanted, value = error.validator, error.validator_value, error.instance
    said = f"breaks `{keyword}`"
    if keyword == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        said = f"is {_kind(value)}, not {' or '.join(map(str, kinds))}"
    elif keyword == "required" and isinstance(value, dict):
        said = f"has no {code(redact(next(name for name in wanted if name not in value)), 60)}"
    elif keyword in ("anyOf", "oneOf"):
        said = "matches none of the alternatives, or too many"
    elif keyword in ("enum", "const"):
        said = "is not one of the values that are allowed"
    elif is_number(wanted):
        said = f"breaks `{keyword}: {wanted}`"
    return f"{code(_place(error.absolute_path, redact), 80)} {said}"


def _place(path: Iterable[str | int], redact: Callable[[str], str]) -> str:
    """Return the keys into a JSON value as a path (RFC 9535); names are redacted before quotes change them."""
    names = (each if isinstance(each, int) else redact(each) for each in path)
    return "$" + "".join(
        f".{each}" if isinstance(each, str) and each.isidentifier() else f"[{each!r}]" for each in names
    )


def _kind(value: Any) -> str:  # noqa: ANN401 - a JSON value
    kinds = {bool: "a boolean", str: "a string", dict: "an object", list: "an array", type(None): "null"}
    return kinds.get(type(value), "a number")


def _first_misfit(schema: Any, body: Any, redact: Callable[[str], str]) -> str:  # noqa: ANN401 - JSON values
    from jsonschema.exceptions import best_match  # loading it takes a tenth of a second, and few runs need it

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
                raise TooMuchError
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
    """Stop checking a value against alternatives once exactly one fits.

    jsonschema builds every error of each alternative that does not fit, which takes most of the time in a long list.
    """

    def keyword(validator: Any, parts: Any, value: Any, schema: Any) -> Iterator[Any]:  # noqa: ANN401 - as jsonschema
        fitting = sum(next(validator.descend(value, part), None) is None for part in parts)
        if fitting != 1:
            yield from weigh(validator, parts, value, schema) or ()

    return keyword


def _multiple_of(_: Any, unit: float, number: Any, __: Any) -> Iterator[Exception]:  # noqa: ANN401 - as jsonschema passes them
    """Check `multipleOf` with the written digits: as binary fractions, 1.13 is not a multiple of 0.01."""
    from fractions import Fraction

    from jsonschema.exceptions import ValidationError

    try:
        left = is_number(number) and Fraction(str(number)) % Fraction(str(unit))
    except ValueError:  # infinity, or none at all
        return
    if left:
        yield ValidationError(f"{number!r} is not a multiple of {unit!r}")
