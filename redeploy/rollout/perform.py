"""Sends the requests of a run or an examination, each within its time limit."""

import functools
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from redeploy.http.fetch import HttpRequest
from redeploy.http.response import HttpResult, Response
from redeploy.http.urls import origin_of
from redeploy.rollout.requests import (
    CheckContainers,
    FetchContainers,
    FetchDocument,
    FetchManifest,
    FetchRevision,
    FetchTag,
    OfRegistry,
    OfService,
    Probe,
    ProbeContainerSupport,
    PutManifest,
    Request,
    SendSmoke,
    SendTrigger,
)
from redeploy.settings.plan import Plan

if TYPE_CHECKING:  # loaded only if a run needs it; what reads responses loads while the first one is on its way
    from redeploy.http.client import Http
    from redeploy.registry.client import Registry
    from redeploy.registry.errors import Trouble
    from redeploy.registry.manifest import Manifest
    from redeploy.triggers.trigger import Trigger


RESPONSE_CAP = 1024 * 1024
"""Bytes of a response, except for documents."""

DOCUMENT_CAP = 16 * 1024 * 1024
"""Bytes of an OpenAPI document, decoded."""

_EVALUATING = threading.Lock()
"""Bodies are compared one at a time: several at once would keep the threads that wait for responses from running."""


def performer(plan: Plan, trigger: "Trigger | None" = None) -> Callable[[Request, float], HttpResult]:
    """Return a function that sends a request within some seconds; the trigger is the plan's Watchtower by default."""
    from redeploy.http.client import Http

    http = Http(headers=plan.headers, origins=plan.header_origins, ca_certificate=plan.ca_certificate)
    of_service = http.to_service(plan.service_headers, origin_of(plan.service.base_url))
    from_registry = _from_registry(plan, http)

    @functools.cache
    def starter() -> "Trigger":
        from redeploy.triggers.watchtower.trigger import WatchtowerTrigger  # no run begins with a request to it

        return trigger or WatchtowerTrigger(plan.watchtower)

    def perform(request: Request, bound: float) -> HttpResult:
        match request:
            case FetchTag() | FetchRevision() | FetchManifest() | PutManifest():
                return from_registry(request, bound)
            case Probe() | FetchDocument() | SendSmoke():
                return to_service(request).send(of_service.fetch, timeout=bound, connect=bound)
            case _:
                connect = min(bound, plan.request_timeout) if isinstance(request, SendTrigger) else bound
                return to_trigger(request, starter()).send(http.fetch, timeout=bound, connect=connect)

    return perform


def to_service(request: OfService) -> HttpRequest:
    """Return a request to the service as it is sent; past caches, it has a query that no cache has seen."""
    match request:
        case Probe():
            return HttpRequest(url=_fresh(request), cap=RESPONSE_CAP, follow=True)
        case FetchDocument():
            return HttpRequest(url=_fresh(request), cap=DOCUMENT_CAP, follow=True)
        case SendSmoke(smoke):
            return HttpRequest(
                method=smoke.method,
                url=_fresh(request),
                cap=RESPONSE_CAP,
                headers=smoke.sent.headers,
                body=smoke.sent.body,
                follow=smoke.reads and not smoke.takes_redirect,  # a POST would be repeated, or become a GET
            )


def to_trigger(
    request: SendTrigger | FetchContainers | CheckContainers | ProbeContainerSupport | HttpRequest, trigger: "Trigger"
) -> HttpRequest:
    """Return a request to the trigger as it is sent."""
    match request:
        case SendTrigger():
            return trigger.update()
        case FetchContainers():
            return trigger.list_running()
        case CheckContainers():
            return trigger.explain()
        case ProbeContainerSupport():
            return trigger.ask_support()
        case HttpRequest():
            return request


def _from_registry(plan: Plan, http: "Http") -> Callable[[OfRegistry, float], HttpResult]:
    """Return a function that sends a request to an image's registry; its modules load while the first looks are under way.

    A registry that no input names gets neither credentials nor headers.
    """

    @functools.cache
    def registry(*, named: bool) -> "Registry":
        from redeploy.registry.client import Registry

        return Registry(http.fetch, plan.access) if named else Registry(http.bare.fetch, plan.access.anonymous)

    def perform(request: OfRegistry, bound: float) -> HttpResult:
        from redeploy.registry.image import parse
        from redeploy.registry.lookup import FromRegistry

        other = request.image if isinstance(request, FetchTag) else None
        image = other or plan.image
        if image is None:
            msg = "no image is named that could be looked up"
            raise AssertionError(msg)
        named = other is None or other.registry in {parse(name).registry for name in plan.watchtower.images}
        client = registry(named=named)
        match request:
            case FetchTag(known, tag):
                found: Manifest | Trouble | str = client.resolve(image.under(tag or image.tag), bound, known)
            case FetchRevision(manifest):
                found = client.revision(image, manifest, bound)
            case FetchManifest(reference):
                found = client.resolve(image.under(reference), bound)
            case PutManifest(manifest, tag):
                found = client.put(image.under(tag or image.tag), manifest, bound)
        return FromRegistry(200, found=found)

    return perform


def evaluate(request: Request, http_result: HttpResult, redact: Callable[[str], str]) -> HttpResult:
    """Read a document, or compare a response with its promise: that may take long, and is not the service's time.

    In an image's label, redact secrets.
    """
    if not isinstance(http_result, Response):
        return http_result
    if isinstance(request, FetchRevision):
        from redeploy.registry.lookup import FromRegistry

        if isinstance(http_result, FromRegistry) and isinstance(http_result.found, str):
            return replace(http_result, found=redact(http_result.found))
    if isinstance(request, FetchDocument) and request.smoke is not None:
        from redeploy.contract.openapi import read_document
        from redeploy.contract.snapshot import Read

        with _EVALUATING:
            contract = read_document(http_result, request.url, request.smoke, redact)
        return Read(http_result.status, http_result.headers, http_result.body, http_result.hops, contract)
    if isinstance(request, SendSmoke) and request.promise is not None:
        from redeploy.contract.response_schema import compare
        from redeploy.contract.smoke import Judged

        with _EVALUATING:
            found = compare(request.promise, request.smoke.method, http_result, redact)
        return Judged(
            http_result.status,
            http_result.headers,
            http_result.body,
            http_result.hops,
            found.schema_violation,
            found.partial,
        )
    return http_result


def _fresh(request: OfService) -> str:
    """Return the URL with a query that no cache has seen, if a cache has responded before."""
    url = request.url
    return f"{url}{'&' if '?' in url else '?'}_redeploy={secrets.token_hex(8)}" if request.past_caches else url
