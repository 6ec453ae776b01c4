"""Carries out the requests of a run, each within its bound."""

import functools
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from redeploy.http.fetch import Fetch
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
    Probe,
    ProbeContainerSupport,
    PutManifest,
    Request,
    SendSmoke,
    SendTrigger,
)
from redeploy.settings.plan import Plan
from redeploy.triggers.trigger import Trigger

if TYPE_CHECKING:  # what only reports is loaded after the first request
    from redeploy.registry.client import Registry
    from redeploy.registry.errors import Trouble
    from redeploy.registry.manifest import Manifest


ANSWER_CAP = 1024 * 1024
"""Bytes of an answer, documents excepted."""

DOCUMENT_CAP = 16 * 1024 * 1024
"""Bytes of an OpenAPI document, decoded."""

_WEIGHING = threading.Lock()
"""Bodies are compared one at a time: several at once would keep the threads that wait for answers from running."""


def performer(plan: Plan, trigger: Trigger) -> Callable[[Request, float], HttpResult]:
    """Return what carries out an ask within a number of seconds."""
    from redeploy.http.client import Http

    http = Http(headers=plan.headers, origins=plan.header_origins, ca_certificate=plan.ca_certificate)
    fetch = http.fetch
    of_service = http.to_service(plan.service_headers, origin_of(plan.service.base_url)).fetch
    from_registry = _from_registry(plan, fetch)

    def perform(request: Request, bound: float) -> HttpResult:
        match request:
            case Probe():
                return look(of_service, request, timeout=bound)
            case FetchDocument():
                return document(of_service, request, timeout=bound)
            case SendSmoke():
                return smoke(of_service, request, timeout=bound)
            case FetchContainers():
                return trigger.list_running(fetch, timeout=bound)
            case CheckContainers():
                return trigger.explain(fetch, timeout=bound)
            case ProbeContainerSupport():
                return trigger.ask_support(fetch, timeout=bound)
            case FetchTag() | FetchRevision() | FetchManifest() | PutManifest():
                return from_registry(request, bound)
            case SendTrigger():
                return trigger.send(fetch, connect=min(bound, plan.request_timeout), timeout=bound)

    return perform


def _from_registry(plan: Plan, fetch: Fetch) -> Callable[[OfRegistry, float], HttpResult]:
    """Return what carries out an errand to the image's registry; all of it is loaded beside the first looks."""

    @functools.cache
    def registry() -> "Registry":
        from redeploy.registry.client import Registry

        return Registry(fetch, plan.access)

    def perform(request: OfRegistry, bound: float) -> HttpResult:
        from redeploy.registry.lookup import FromRegistry

        image = plan.image
        if image is None:
            msg = "no image is named that could be looked up"
            raise AssertionError(msg)
        match request:
            case FetchTag(known, tag):
                found: Manifest | Trouble | str = registry().resolve(image.under(tag or image.tag), bound, known)
            case FetchRevision(manifest):
                found = registry().revision(image, manifest, bound)
            case FetchManifest(reference):
                found = registry().resolve(image.under(reference), bound)
            case PutManifest(manifest, tag):
                found = registry().put(image.under(tag or image.tag), manifest, bound)
        return FromRegistry(200, found=found)

    return perform


def look(fetch: Fetch, probe: Probe, *, timeout: float) -> HttpResult:
    """Look at the service once; past caches with a query that no cache has seen."""
    url = _fresh(probe.url, past_caches=probe.past_caches)
    return fetch("GET", url, cap=ANSWER_CAP, timeout=timeout, connect=timeout, follow=True)


def document(fetch: Fetch, request: FetchDocument, *, timeout: float) -> HttpResult:
    """Fetch the OpenAPI document."""
    url = _fresh(request.url, past_caches=request.past_caches)
    return fetch("GET", url, cap=DOCUMENT_CAP, timeout=timeout, connect=timeout, follow=True)


def smoke(fetch: Fetch, request: SendSmoke, *, timeout: float) -> HttpResult:
    """Send a smoke request."""
    wanted = request.smoke
    url = _fresh(wanted.url, past_caches=request.past_caches)
    follow = wanted.reads and not wanted.takes_redirect  # a POST would be repeated, or become a GET
    return fetch(
        wanted.method,
        url,
        cap=ANSWER_CAP,
        timeout=timeout,
        connect=timeout,
        headers={name: value.reveal() for name, value in wanted.sent.headers},
        body=wanted.sent.body,
        follow=follow,
    )


def weigh(request: Request, http_result: HttpResult, redact: Callable[[str], str]) -> HttpResult:
    """Read a document, or compare an answer with its promise: that may take long, and is not the service's time.

    Of an image's label, take out what is secret.
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

        with _WEIGHING:
            contract = read_document(http_result, request.url, request.smoke, redact)
        return Read(http_result.status, http_result.headers, http_result.body, http_result.hops, contract)
    if isinstance(request, SendSmoke) and request.promise is not None:
        from redeploy.contract.response_schema import compare
        from redeploy.contract.smoke import Judged

        with _WEIGHING:
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


def _fresh(url: str, *, past_caches: bool) -> str:
    """Return the URL with a query that no cache has seen, where one has answered before."""
    return f"{url}{'&' if '?' in url else '?'}_redeploy={secrets.token_hex(8)}" if past_caches else url
