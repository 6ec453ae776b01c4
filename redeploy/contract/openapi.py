"""OpenAPI documents (2.0, 3.0, 3.1), reduced to a contract when they are read."""

import gc
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from redeploy.contract.dialects import Schemas, is_modern, is_swagger
from redeploy.contract.document_text import UnfitError, value_of
from redeploy.contract.promises import promises
from redeploy.contract.routes import METHODS, Operation
from redeploy.contract.servers import LONGEST_PATH, MOST_PREFIXES, filled, path_of
from redeploy.contract.smoke import Smoke
from redeploy.contract.snapshot import Contract, NoContract
from redeploy.http.condition import Condition, condition_of
from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.text.untrusted import code, one_line

_GONE = frozenset({404, 405, 410, 501})

MOST_ODDITIES = 5
"""Kinds of oddities that are reported for one document."""


class OtherContentError(UnfitError):
    """A text can be read, but is not an OpenAPI document."""


@dataclass
class _Oddities:
    """Violations of the specification that do not affect a check: they are ignored, and reported."""

    redact: Callable[[str], str]
    _found: dict[str, tuple[str, int]] = field(default_factory=dict)

    def note(self, what: str, where: str) -> None:
        """Add one place; `what` is the kind in our own words."""
        first, number = self._found.get(what, (where, 0))
        self._found[what] = first, number + 1

    @property
    def clauses(self) -> tuple[str, ...]:
        """One clause for each kind, with its first place."""
        return tuple(
            f"{code(self.redact(first), 80)}{f' and {number - 1:,} more' if number > 1 else ''} {what}"
            for what, (first, number) in list(self._found.items())[:MOST_ODDITIES]
        )


def read_document(
    http_result: HttpResult, url: str, smoke: Sequence[Smoke] = (), redact: Callable[[str], str] = str
) -> Contract | NoContract:
    """Return the contract of the service's document at `url`, with its promises for smoke requests.

    Paths and version are redacted before they are cut: half a secret would not be found any more.
    """
    condition, seen = condition_of(http_result)
    if isinstance(http_result, TransportError):
        large = http_result.error_kind is ErrorKind.TOO_LARGE
        return NoContract("it is larger than 16 MiB" if large else seen)
    if http_result.is_html and condition in (Condition.HEALTHY, Condition.NOT_READY):
        page = f"a web page came ({http_result.status})"
        if condition is Condition.HEALTHY:
            page += ", as a single-page application sends it for every path"
        return NoContract(page, gone=condition is Condition.HEALTHY or http_result.status in _GONE)
    if condition is not Condition.HEALTHY:
        return NoContract(f"the response was {seen}", gone=http_result.status in _GONE)
    gc.disable()  # a document has many thousands of objects, and none of them is garbage
    try:
        return contract_of(value_of(_decoded(http_result.body)), url, smoke, redact)
    except UnfitError as error:
        return NoContract(str(error), gone=isinstance(error, OtherContentError))
    finally:
        gc.enable()


def contract_of(
    document: Any,  # noqa: ANN401 - a JSON value
    url: str = "/",
    smoke: Sequence[Smoke] = (),
    redact: Callable[[str], str] = str,
) -> Contract:
    """Return the contract of a parsed document; `url` is its address.

    Raises:
        UnfitError: if it is not an OpenAPI document.
    """
    try:
        return _contract_of(document, url, smoke, redact)
    except RecursionError:
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
        msg = "it is not an OpenAPI document: it has neither `openapi: 3.x` nor `swagger: 2.0` at its top"
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
            operation = item.get(method.lower())
            if isinstance(operation, dict):
                operations.append(Operation(path, method, _prefixes(operation, url, odd) or own))
            elif operation is not None:
                unknown[Operation(path, method, own)] = "is not an object"
    for unread_operation, why in unknown.items():
        odd.note(why, str(unread_operation))
    return Contract(
        version=_version(document.get("info"), odd),
        operations=tuple(sorted(operations)),
        located=bool(shared),
        promises=promises(document, url, items, operations, smoke, redact=redact),
        unread=unknown,
        oddities=odd.clauses,
    )


def _version(info: Any, odd: _Oddities) -> str:  # noqa: ANN401 - a JSON value
    """Return the document's version as written; empty if it has none."""
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
    """Return the path items; a path that contains a secret in any encoding gets another name."""
    together = " ".join(items)
    if redact(together) == together:
        return items
    return {(path if redact(path) == path else "/***"): item for path, item in items.items()}


def _items(document: Mapping[str, Any], odd: _Oddities) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the path items, and for paths with unknown operations why they are unknown.

    Raises:
        UnfitError: if there are no paths at all.
    """
    paths = document.get("paths")
    if paths is None and is_modern(document):
        return {}, {}
    if paths is None:
        msg = "it has no `paths`"
        raise UnfitError(msg)
    if not isinstance(paths, dict) and paths != []:  # PHP writes an empty object like this
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
    """Return a path's item, which may be elsewhere in the document, and why a part of it is unknown."""
    if isinstance(item, dict) and "$ref" in item:
        found = schemas.resolved({"$ref": item["$ref"]})
        own, why = _item({name: value for name, value in item.items() if name != "$ref"}, schemas, odd, path)
        if not isinstance(found, dict) or "$ref" in found:
            target = code(odd.redact(str(item["$ref"])), 80)
            return own, f"refers to {target}, which is not in the document: bundle it into one file"
        there, missing = _item(found, schemas, odd, path)
        return {**there, **own}, why or missing
    if not isinstance(item, dict) and item != []:
        return {}, "is not an object"
    why = "uses a YAML merge key (`<<`), which JSON does not know" if "<<" in item else ""
    found = {}
    for name, value in (item or {}).items():
        if value is None and name.upper() in METHODS:
            odd.note("is null", f"{name.upper()} {path}")
        elif value is not None:
            found[name] = {} if value == [] and name.upper() in METHODS else value
    return found, why


def _prefixes(holder: Mapping[str, Any], url: str, odd: _Oddities) -> tuple[str, ...]:
    """Return the paths of the servers of a document, a path or an operation; empty if it names none."""
    base = holder.get("basePath")
    if isinstance(base, str):
        return (path_of(base, url),)
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
    prefixes = tuple(dict.fromkeys(path_of(filled(each), url) for each in named))
    if len(prefixes) > MOST_PREFIXES:
        odd.note(f"names more than {MOST_PREFIXES} paths; the rest are ignored", "servers")
    return prefixes[:MOST_PREFIXES]
