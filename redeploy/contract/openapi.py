"""OpenAPI documents: 2.0, 3.0, 3.1 and what is compatible with them, reduced to a contract as soon as they are read."""

import contextlib
import gc
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from redeploy.contract.document_text import UnfitError, value_of
from redeploy.contract.response_schema import Described, Promise, Schemas, is_json, is_modern, is_swagger, says_nothing
from redeploy.contract.routes import METHODS, Operation, fits, shape
from redeploy.contract.smoke import Smoke
from redeploy.contract.snapshot import Contract, Unfit
from redeploy.http.condition import Condition, condition_of
from redeploy.http.response import Exchange, Fault, NoReply
from redeploy.http.urls import origin_of
from redeploy.text.secret import shows_secret
from redeploy.text.untrusted import code, one_line

MOST_PREFIXES = 8
"""Different paths of servers that are told apart."""

LONGEST_PATH = 1_000

_GONE = frozenset({404, 405, 410, 501})

MOST_ODDITIES = 5
"""Kinds of oddities that are reported of one document."""


class OtherContentError(UnfitError):
    """A text can be read, and is something else."""


@dataclass
class _Oddities:
    """What a document has otherwise than the specification says, and nothing needs: it is passed over, and reported."""

    redact: Callable[[str], str]
    _found: dict[str, tuple[str, int]] = field(default_factory=dict)

    def note(self, what: str, where: str) -> None:
        """Enter one place; `what` is a kind in our own words."""
        first, number = self._found.get(what, (where, 0))
        self._found[what] = first, number + 1

    @property
    def told(self) -> tuple[str, ...]:
        """One clause for each kind, with its first place."""
        return tuple(
            f"{code(self.redact(first), 80)}{f' and {number - 1:,} more' if number > 1 else ''} {what}"
            for what, (first, number) in list(self._found.items())[:MOST_ODDITIES]
        )


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
        page = f"a web page came ({exchange.status}), which is what a single-page application answers to every path"
        return Unfit(page, gone=condition is Condition.HEALTHY or exchange.status in _GONE)
    if condition is not Condition.HEALTHY:
        return Unfit(f"the answer was {seen}", gone=exchange.status in _GONE)
    gc.disable()  # there is no garbage in a document, and many thousands of objects to look for it in
    try:
        return contract_of(value_of(_decoded(exchange.body)), url, smoke, redact)
    except UnfitError as error:
        return Unfit(str(error), gone=isinstance(error, OtherContentError))
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
        is_swagger(document) or re.match(r"3\.\d", str(document.get("openapi", "")))
    ):
        msg = "it is no OpenAPI document: neither `openapi: 3.x` nor `swagger: 2.0` stands at its top"
        raise OtherContentError(msg)
    odd = _Oddities(redact)
    items, unread = _items(document, odd)
    shared = _prefixes(document, url, odd)
    operations: list[Operation] = []
    unknown: dict[Operation, str] = {}
    for path, item in items.items():
        own = _prefixes(item, url, odd) or shared or ("",)
        if path in unread:
            unknown[Operation(path, "", own)] = unread[path]
        for method in METHODS:
            told = item.get(method.lower())
            if isinstance(told, dict):
                operations.append(Operation(path, method, _prefixes(told, url, odd) or own))
            elif told is not None:
                unknown[Operation(path, method, own)] = "is not an object"
    for operation, why in unknown.items():
        odd.note(why, str(operation))
    return Contract(
        version=_version(document.get("info"), odd),
        operations=tuple(sorted(operations)),
        located=bool(shared),
        promises=_promises(document, url, items, operations, smoke),
        unread=unknown,
        oddities=odd.told,
    )


def _version(info: Any, odd: _Oddities) -> str:  # noqa: ANN401 - a JSON value
    """Return the document's version as it is written; empty where it has none."""
    version = info.get("version") if isinstance(info, dict) else None
    if isinstance(info, dict) and "version" in info and type(version) is not str:
        odd.note("is not text", "info.version")
    if isinstance(version, bool) or not isinstance(version, str | int | float):
        return ""
    return one_line(odd.redact(str(version)))


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        msg = "it is neither JSON nor YAML: it is not written in UTF-8"
        raise UnfitError(msg) from None


def _without_secrets(items: Mapping[str, Any], redact: Callable[[str], str]) -> Mapping[str, Any]:
    """Return the paths' items; a path that shows a secret in any disguise has another name then."""
    if not shows_secret("\n".join(items), redact):
        return items
    return {("/***" if shows_secret(path, redact) else path): item for path, item in items.items()}


def _items(document: Mapping[str, Any], odd: _Oddities) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the path items, and why those whose operations are not all known are not.

    Raises:
        UnfitError: where there are no paths at all.
    """
    paths = document.get("paths")
    if paths is None and is_modern(document):
        return {}, {}
    if paths is None:
        msg = "it has no `paths`"
        raise UnfitError(msg)
    if not isinstance(paths, dict) and paths != []:  # PHP writes an empty object so
        msg = "its `paths` are not an object"
        raise UnfitError(msg)
    schemas = Schemas(document)
    items: dict[str, Any] = {}
    unread: dict[str, str] = {}
    for path, item in _without_secrets(paths or {}, odd.redact).items():
        if not path.startswith("/"):
            if not path.startswith("x-"):
                odd.note("does not begin with a slash", path)
            continue
        name = path[:LONGEST_PATH]
        if name != path:
            unread[name] = f"is longer than {LONGEST_PATH:,} characters"
        elif item is not None:
            items[name], why = _item(item, schemas, odd, path)
            if why:
                unread[name] = why
        else:
            odd.note("is null", path)
    return items | {name: items.get(name, {}) for name in unread}, unread


def _item(item: Any, schemas: Schemas, odd: _Oddities, path: str) -> tuple[dict[str, Any], str]:  # noqa: ANN401
    """Return a path's item, where it may stand elsewhere in the document, and why it is not known whole."""
    if isinstance(item, dict) and "$ref" in item:
        found = schemas.resolved({"$ref": item["$ref"]})
        own, why = _item({name: told for name, told in item.items() if name != "$ref"}, schemas, odd, path)
        if not isinstance(found, dict) or "$ref" in found:
            target = code(odd.redact(str(item["$ref"])), 80)
            return own, f"refers to {target}, which is not in the document: bundle it into one file"
        there, missing = _item(found, schemas, odd, path)
        return {**there, **own}, why or missing
    if not isinstance(item, dict) and item != []:
        return {}, "is not an object"
    why = "uses a YAML merge key (`<<`), which JSON does not know" if "<<" in item else ""
    found = {}
    for name, told in (item or {}).items():
        if told is None and name.upper() in METHODS:
            odd.note("is null", f"{name.upper()} {path}")
        elif told is not None:
            found[name] = {} if told == [] and name.upper() in METHODS else told
    return found, why


def _prefixes(holder: Mapping[str, Any], url: str, odd: _Oddities) -> tuple[str, ...]:
    """Return the paths of a document's, path's or operation's servers; empty where none is named."""
    base = holder.get("basePath")
    if isinstance(base, str):
        return (_path_of(base, url),)
    if "basePath" in holder:
        odd.note("is not text", "basePath")
    if "servers" not in holder:
        return ()
    servers = holder["servers"]
    if not isinstance(servers, list):
        odd.note("is not an array", "servers")
        return ()
    named = [each for each in servers if isinstance(each, dict) and isinstance(each.get("url"), str)]
    if len(named) < len(servers):
        odd.note("has an entry without a URL", "servers")
    prefixes = tuple(dict.fromkeys(_path_of(_filled(each), url) for each in named))
    if len(prefixes) > MOST_PREFIXES:
        odd.note(f"names more than {MOST_PREFIXES} paths, and the rest are not looked at", "servers")
    return prefixes[:MOST_PREFIXES]


def _filled(server: Mapping[str, Any]) -> str:
    """Return a server's URL with the defaults of its variables."""
    address, variables = str(server["url"]), server.get("variables")
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
    url: str,
    items: Mapping[str, Mapping[str, Any]],
    operations: Sequence[Operation],
    smoke: Sequence[Smoke],
) -> dict[Smoke, Promise]:
    """Return what the document says of the answers to smoke requests."""
    found: dict[Smoke, Promise] = {}
    origins = _origins(document, url) if smoke else frozenset()
    for each in smoke:
        meant = _meant(each, operations, origins)
        if meant is not None:
            found[each] = _promise(document, items[meant.path][meant.method.lower()], Schemas(document))
    return found


def _origins(document: Mapping[str, Any], url: str) -> frozenset[str]:
    """Return the origins of the document and of its servers: of these it speaks."""
    servers = document.get("servers")
    named = [each for each in (servers if isinstance(servers, list) else ()) if isinstance(each, dict)][:MOST_PREFIXES]
    found: set[str] = set()
    for address in ("", *(_filled(each) for each in named if isinstance(each.get("url"), str))):
        with contextlib.suppress(ValueError):  # a port that is none, or a bracket too few
            found.add(origin_of(urllib.parse.urljoin(url, address)))
    return frozenset(found)


def _meant(smoke: Smoke, operations: Sequence[Operation], origins: frozenset[str]) -> Operation | None:
    """Return the operation that a request goes to: where several templates take its path, the most literal one."""
    path = smoke.target.partition("?")[0]
    if not path.startswith("/") and origin_of(smoke.url) not in origins:
        return None  # of another origin this document does not speak
    asked = dict.fromkeys((path, urllib.parse.urlsplit(smoke.url).path or "/"))
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
            found[str(status)] = _described(_media(document, operation, told), schemas)
    return found


def _described(media: Mapping[str, Any], schemas: Schemas) -> Described:
    made: dict[str, Any] = {}
    partial: dict[str, str] = {}
    for name, told in media.items():
        if told is None:
            continue
        schema = schemas.standalone(told)
        if schema is None:
            partial[name] = "its schema is too large, or refers to itself only"
        elif schemas.missing:
            made[name] = schema
            partial[name] = f"its schema refers to {code(schemas.missing, 80)}, which is not in the document"
        elif not says_nothing(schema):
            made[name] = schema
    return Described(tuple(media), made, partial)


def _media(document: Mapping[str, Any], operation: Mapping[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the media types of a response, in lower case and without parameters, each with its schema if it is JSON."""
    content: Any = response.get("content")
    if is_swagger(document):
        produced = operation.get("produces", document.get("produces")) or ["application/json"]
        content = dict.fromkeys(map(str, produced), response) if isinstance(produced, list) else {}
    found: dict[str, Any] = {}
    for name, told in content.items() if isinstance(content, dict) else ():
        media = str(name).partition(";")[0].strip().lower()
        schema = told.get("schema") if isinstance(told, dict) else None
        maybe_json = is_json(media) or media in ("*/*", "application/*")
        found[media] = schema if maybe_json and isinstance(schema, dict | bool) else None
    return found
