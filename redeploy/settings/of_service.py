"""The inputs about the service: its address, what healthy means, and its checks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from redeploy.conditions.expectation import NOTHING_EXPECTED
from redeploy.contract.settings import Breaking, Checks
from redeploy.http import urls
from redeploy.http.urls import origin_of
from redeploy.service.endpoint import Service
from redeploy.settings import parsers
from redeploy.settings.reading import Reader, Workspace, each_line
from redeploy.text import choice

if TYPE_CHECKING:  # few runs name routes, compare with a file, or send smoke requests
    from redeploy.contract.reference import Reference
    from redeploy.contract.routes import Pattern
    from redeploy.contract.smoke import Sent, Smoke


def service(reader: Reader, update_url: str, *, allow_http: bool) -> Service:
    """Return the service's addresses; on the origin of `update_url` if no `base-url` is given."""
    given = reader.clean("base-url", partial(_base_url, allow_http=allow_http), "")
    base = given or (origin_of(update_url) if update_url else "")
    if (
        not base
        and not reader.texts["base-url"]
        and not reader.texts["watchtower-url"]
        and not reader.has_problem("watchtower-url")
    ):
        reader.wrong("base-url", "is empty, and there is no `watchtower-url` whose origin could be used")
    address = partial(parsers.path_or_url, base=base, allow_http=allow_http)
    health = reader.clean("health-path", address, base)
    version = reader.clean("version-path", address, "")
    return Service(
        base_url=base,
        health_url=health,
        version_url=version or health,
        names_itself=bool(version),
        health_expect=reader.clean("health-expect", parsers.health_expectation, NOTHING_EXPECTED),
        version_field=reader.clean("version-field", parsers.field, ""),
    )


def checks(reader: Reader, base: str, workspace: Workspace, *, allow_http: bool) -> Checks:
    """Return the checks of the live build, with paths under `base`."""
    off = reader.texts["openapi-path"] == "off"
    address = partial(parsers.path_or_url, base=base, allow_http=allow_http)
    document = None if off else reader.clean("openapi-path", address, None)
    checks = Checks(
        document_url=document,
        required=reader.clean("required-routes", _patterns, ()),
        forbidden=reader.clean("forbidden-routes", _patterns, ()),
        reference=reader.clean("openapi-reference", lambda path: _reference(path, workspace), None),
        breaking=reader.clean("breaking-changes", _breaking, Breaking.WARN),
        smoke=reader.clean("smoke", lambda text: _smoke(text, address, reader.sent), ()),
    )
    for name in ("required-routes", "forbidden-routes", "openapi-reference"):
        if off and reader.texts[name]:
            reader.wrong(name, "needs the service's OpenAPI document, but `openapi-path` is `off`")
    return checks


def _smoke(text: str, address: Callable[[str], str], sent: "Mapping[int, Sent]") -> "tuple[Smoke, ...]":
    from redeploy.conditions.grammar import LinesError, numbered
    from redeploy.contract.smoke import NOTHING_ELSE, parse_smoke

    found: dict[Smoke, None] = {}
    wrong: list[tuple[int, ValueError]] = []
    for number, line in numbered(text):
        try:
            found[replace(parse_smoke(line, address), sent=sent.get(number, NOTHING_ELSE))] = None
        except ValueError as error:
            wrong.append((number, error))
    if wrong:
        raise LinesError(wrong)
    return tuple(found)


def _reference(path: str, workspace: Workspace) -> "Reference":
    from redeploy.contract import reference

    return reference.read(path, workspace.read(path, reference.CAP))


def _base_url(text: str, *, allow_http: bool) -> str:
    url = urls.url(text, allow_http=allow_http)
    if "?" in url:
        msg = "has a query; paths are appended to it, so give `https://host` or `https://host/prefix`"
        raise ValueError(msg)
    return url.rstrip("/")


def _patterns(text: str) -> "tuple[Pattern, ...]":
    from redeploy.contract.routes import parse_pattern

    return each_line(text, parse_pattern)


def _breaking(text: str) -> Breaking:
    return Breaking(choice.choice(text, Breaking))
