"""OpenAPI documents: 2.0, 3.0, 3.1 and what is compatible with them, reduced to a contract as soon as they are read."""

import gc
import json
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from redeploy.core.contract import Contract, Unfit
from redeploy.core.hostile import one_line
from redeploy.core.plan import Smoke
from redeploy.core.promise import Described, Promise, Schemas, in_words, is_json, is_modern
from redeploy.core.routes import METHODS, Operation, fits, shape
from redeploy.core.sample import Condition, condition_of
from redeploy.core.secret import shows_secret
from redeploy.http.response import Exchange, Fault, NoReply

MOST_NODES = 1_000_000
"""Objects and arrays in it: they take some fifty times their length in memory."""

MOST_PREFIXES = 8
"""Different paths of servers that are told apart."""

LONGEST_PATH = 1_000

_HALF = re.compile(r"-?|\.|[eE][-+]?|t(?:ru?)?|f(?:a|al|als)?|n(?:ul?)?|u[0-9a-fA-F]{0,3}")
"""What is left where a JSON text breaks off within a word, a number or an escape."""

_PATH_ITEM: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "servers": {"$ref": "#/$defs/servers"},
        "$ref": {"type": "string"},
        **{
            method.lower(): {"type": "object", "properties": {"servers": {"$ref": "#/$defs/servers"}}}
            for method in METHODS
        },
    },
}
RELIED_ON: Mapping[str, Any] = {
    "properties": {
        "info": {"type": "object", "properties": {"version": {"type": "string"}}},
        "basePath": {"type": "string"},
        "servers": {"$ref": "#/$defs/servers"},
        "paths": {
            "type": "object",
            "propertyNames": {"pattern": "^(/|x-)"},
            "patternProperties": {"^/": _PATH_ITEM},
        },
    },
    "$defs": {
        "servers": {
            "type": "array",
            "items": {"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}},
        }
    },
}
"""JSON Schema of the parts of a document that a contract is made of. The whole meta-schema takes minutes on a large one."""


class UnfitError(Exception):
    """A text is no OpenAPI document; the message says why, in one line."""


def read_document(
    exchange: Exchange, url: str, smoke: Sequence[Smoke] = (), redact: Callable[[str], str] = str
) -> Contract | Unfit:
    """Return the contract that the service's document at `url` makes, with its promises for smoke requests.

    Paths and version are redacted before anything cuts them: half a secret is found no more.
    """
    condition, seen = condition_of(exchange)
    if isinstance(exchange, NoReply):
        large = exchange.fault is Fault.TOO_LARGE
        return Unfit("it is larger than 16 MiB" if large else seen)
    if exchange.is_html and condition in (Condition.HEALTHY, Condition.NOT_READY):
        return Unfit(f"a web page came ({seen}), which is what a single-page application answers to every path")
    if condition is not Condition.HEALTHY:
        return Unfit(f"the answer was {seen}")
    gc.disable()  # there is no garbage in a document, and many thousands of objects to look for it in
    try:
        return contract_of(parsed(_decoded(exchange.body)), url, smoke, redact)
    except UnfitError as error:
        return Unfit(str(error))
    finally:
        gc.enable()


def contract_of(
    document: Any,  # noqa: ANN401 - a JSON value
    url: str = "/",
    smoke: Sequence[Smoke] = (),
    redact: Callable[[str], str] = str,
) -> Contract:
    """Return the contract that a parsed document makes; `url` is where it was found.

    Raises:
        UnfitError: where it is no OpenAPI document.
    """
    try:
        return _contract_of(document, url, smoke, redact)
    except RecursionError:  # even an error's message shows what it is about, level by level
        msg = "it is nested too deeply"
        raise UnfitError(msg) from None


def _contract_of(
    document: Any,  # noqa: ANN401 - a JSON value
    url: str,
    smoke: Sequence[Smoke],
    redact: Callable[[str], str],
) -> Contract:
    if not isinstance(document, dict) or not (
        document.get("swagger") == "2.0" or re.match(r"3\.\d", str(document.get("openapi", "")))
    ):
        msg = "it is no OpenAPI document: neither `openapi: 3.x` nor `swagger: 2.0` stands at its top"
        raise UnfitError(msg)
    _validate(document, redact)
    if "paths" not in document and not is_modern(document):
        msg = "it has no `paths`"
        raise UnfitError(msg)
    schemas = Schemas(document)
    paths = _without_secrets(document.get("paths", {}), redact)
    items = {path: _item(path, item, schemas, redact) for path, item in paths.items() if path.startswith("/")}
    shared = _prefixes(document, url)
    operations = [
        Operation(path, method, _prefixes(item.get(method.lower(), {}), url) or _prefixes(item, url) or shared or ("",))
        for path, item in items.items()
        for method in METHODS
        if method.lower() in item
    ]
    return Contract(
        version=one_line(redact(document.get("info", {}).get("version", ""))),
        operations=tuple(sorted(operations)),
        located=bool(shared),
        promises=_promises(document, items, operations, smoke),
    )


def parsed(text: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return a JSON text's value.

    Raises:
        UnfitError: where it is none, or too large or too deep to be a document.
    """
    if text.count("{") + text.count("[") > MOST_NODES:
        msg = f"it has more than {MOST_NODES:,} objects and arrays"
        raise UnfitError(msg)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        rest = error.doc[error.pos :].rstrip()
        cut = error.msg.startswith("Unterminated") or _HALF.fullmatch(rest)
        what = "it breaks off" if cut else f"line {error.lineno}, column {error.colno} cannot be read"
        msg = f"it is no valid JSON: {what}"
        raise UnfitError(msg) from None
    except ValueError:
        msg = "a number in it has thousands of digits"
        raise UnfitError(msg) from None
    except RecursionError:
        msg = "it is nested too deeply"
        raise UnfitError(msg) from None


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        msg = "it is no valid JSON: it is not written in UTF-8"
        raise UnfitError(msg) from None


def _without_secrets(items: Mapping[str, Any], redact: Callable[[str], str]) -> Mapping[str, Any]:
    """Return the paths' items; a path that shows a secret in any disguise has another name then."""
    if not shows_secret("\n".join(items), redact):
        return items
    return {("/***" if shows_secret(path, redact) else path): item for path, item in items.items()}


def _validate(part: Mapping[str, Any], redact: Callable[[str], str], name: str = "document") -> None:
    error = next(_validator(name).iter_errors(part), None)
    if error is not None:
        msg = f"it is no valid OpenAPI document: {in_words(error, redact)}"
        raise UnfitError(msg)


@cache
def _validator(name: str) -> Any:  # noqa: ANN401 - jsonschema's class is not known before it is loaded
    from jsonschema import Draft202012Validator  # takes a tenth of a second, and must not come before the trigger

    return Draft202012Validator(RELIED_ON if name == "document" else {**_PATH_ITEM, "$defs": RELIED_ON["$defs"]})


def _item(path: str, item: Mapping[str, Any], schemas: Schemas, redact: Callable[[str], str]) -> Mapping[str, Any]:
    """Return a path's item, where it may stand elsewhere in the document."""
    if len(path) > LONGEST_PATH:
        msg = f"a path in it is longer than {LONGEST_PATH:,} characters"
        raise UnfitError(msg)
    if "<<" in item:
        msg = f"`{one_line(path, 80)}` uses a YAML merge key (`<<`), which OpenAPI does not know"
        raise UnfitError(msg)
    if "$ref" not in item:
        return item
    found = schemas.resolved({"$ref": item["$ref"]})
    if isinstance(found, dict):
        _validate(found, redact, "path")
    else:
        where = f"`{one_line(path, 80)}` refers to `{one_line(redact(item['$ref']), 80)}`"
        msg = f"{where}, which is not in it; bundle the document into one file"
        raise UnfitError(msg)
    return {**found, **item}


def _prefixes(holder: Mapping[str, Any], url: str) -> tuple[str, ...]:
    """Return the paths of a document's, path's or operation's servers; empty where none is named."""
    if isinstance(holder.get("basePath"), str):
        return (_path_of(holder["basePath"], url),)
    servers = holder.get("servers")
    paths = (_path_of(_filled(each), url) for each in servers or () if isinstance(each, dict))
    return tuple(dict.fromkeys(paths))[:MOST_PREFIXES]


def _filled(server: Mapping[str, Any]) -> str:
    """Return a server's URL with the defaults of its variables."""
    address, variables = str(server.get("url", "")), server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        default = variable.get("default", "") if isinstance(variable, dict) else ""
        if isinstance(default, str):  # one may hold the name of the next: they must not grow out of hand
            address = address[:LONGEST_PATH].replace(f"{{{name}}}", default[:LONGEST_PATH])
    return address[:LONGEST_PATH]


def _path_of(address: str, url: str) -> str:
    try:
        return urllib.parse.urlsplit(urllib.parse.urljoin(url, address or "/")).path.rstrip("/")
    except ValueError:
        return ""


def _promises(
    document: Mapping[str, Any],
    items: Mapping[str, Mapping[str, Any]],
    operations: Sequence[Operation],
    smoke: Sequence[Smoke],
) -> dict[Smoke, Promise]:
    """Return what the document says of the answers to smoke requests."""
    found: dict[Smoke, Promise] = {}
    for each in smoke:
        meant = _meant(each, operations)
        if meant is not None:
            found[each] = _promise(document, items[meant.path][meant.method.lower()], Schemas(document))
    return found


def _meant(smoke: Smoke, operations: Sequence[Operation]) -> Operation | None:
    """Return the operation that a request goes to: where several templates take its path, the most literal one."""
    path = smoke.target.partition("?")[0]
    if not path.startswith("/"):
        return None  # another origin, of which this document does not speak
    asked = dict.fromkeys((path, urllib.parse.urlsplit(smoke.url).path))
    fitting = [
        each
        for each in operations
        if each.method == smoke.method
        and any(fits(one, prefix + each.path) for one in asked for prefix in dict.fromkeys(("", *each.prefixes)))
    ]
    return min(fitting, key=lambda each: shape(each.path).count("{}"), default=None)


def _promise(document: Mapping[str, Any], operation: Mapping[str, Any], schemas: Schemas) -> Promise:
    responses = operation.get("responses")
    found: dict[str, Described] = {}
    for status, response in responses.items() if isinstance(responses, dict) else ():
        told = schemas.resolved(response)
        if isinstance(told, dict):
            media = _media(document, operation, told)
            made = {name: schemas.standalone(each) for name, each in media.items() if each is not None}
            found[str(status)] = Described(
                tuple(media), {name: each for name, each in made.items() if each is not None}
            )
    return found


def _media(document: Mapping[str, Any], operation: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the media types of a response, in lower case and without parameters, each with its schema if it is JSON."""
    content: Any = response.get("content")
    if document.get("swagger") == "2.0":
        produced = operation.get("produces", document.get("produces")) or ["application/json"]
        content = dict.fromkeys(map(str, produced), response) if isinstance(produced, list) else {}
    found: dict[str, Any] = {}
    for name, told in content.items() if isinstance(content, dict) else ():
        media = str(name).partition(";")[0].strip().lower()
        schema = told.get("schema") if isinstance(told, dict) else None
        maybe_json = is_json(media) or media in ("*/*", "application/*")
        found[media] = schema if maybe_json and isinstance(schema, dict | bool) else None
    return found
