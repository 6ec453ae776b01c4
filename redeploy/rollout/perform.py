"""Carries out the requests of a run, each within its bound."""

import functools
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from redeploy.http.fetch import Fetch
from redeploy.http.response import Exchange, Reply
from redeploy.http.urls import origin_of
from redeploy.rollout.requests import (
    Ask,
    AskContainers,
    AskDocument,
    AskForReasons,
    AskManifest,
    AskRevision,
    AskSmoke,
    AskTag,
    AskWhetherForked,
    OfRegistry,
    Probe,
    PutManifest,
    SendTrigger,
)
from redeploy.settings.plan import Plan

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


def performer(plan: Plan) -> Callable[[Ask, float], Exchange]:
    """Return what carries out an ask within a number of seconds."""
    from redeploy.http.client import Http
    from redeploy.triggers.watchtower import requests

    http = Http(headers=plan.headers, origins=plan.header_origins, ca_certificate=plan.ca_certificate)
    fetch = http.fetch
    of_service = http.to_service(plan.service_headers, origin_of(plan.service.base_url)).fetch
    from_registry = _from_registry(plan, fetch)

    def perform(ask: Ask, bound: float) -> Exchange:
        match ask:
            case Probe():
                return look(of_service, ask, timeout=bound)
            case AskDocument():
                return document(of_service, ask, timeout=bound)
            case AskSmoke():
                return smoke(of_service, ask, timeout=bound)
            case AskContainers():
                return requests.containers(fetch, plan.watchtower, timeout=bound)
            case AskForReasons():
                return requests.reasons(fetch, plan.watchtower, timeout=bound)
            case AskWhetherForked():
                return requests.ask_whether_forked(fetch, plan.watchtower, timeout=bound)
            case AskTag() | AskRevision() | AskManifest() | PutManifest():
                return from_registry(ask, bound)
            case SendTrigger():
                return requests.trigger(fetch, plan.watchtower, connect=min(bound, plan.request_timeout), timeout=bound)

    return perform


def _from_registry(plan: Plan, fetch: Fetch) -> Callable[[OfRegistry, float], Exchange]:
    """Return what carries out an errand to the image's registry; all of it is loaded beside the first looks."""

    @functools.cache
    def registry() -> "Registry":
        from redeploy.registry.client import Registry

        return Registry(fetch, plan.access)

    def perform(ask: OfRegistry, bound: float) -> Exchange:
        from redeploy.registry.lookup import FromRegistry

        image = plan.image
        if image is None:
            msg = "no image is named that could be looked up"
            raise AssertionError(msg)
        match ask:
            case AskTag(known, tag):
                found: Manifest | Trouble | str = registry().resolve(image.under(tag or image.tag), bound, known)
            case AskRevision(manifest):
                found = registry().revision(image, manifest, bound)
            case AskManifest(reference):
                found = registry().resolve(image.under(reference), bound)
            case PutManifest(manifest, tag):
                found = registry().put(image.under(tag or image.tag), manifest, bound)
        return FromRegistry(200, found=found)

    return perform


def look(fetch: Fetch, probe: Probe, *, timeout: float) -> Exchange:
    """Look at the service once; past caches with a query that no cache has seen."""
    url = _fresh(probe.url, past_caches=probe.past_caches)
    return fetch("GET", url, cap=ANSWER_CAP, timeout=timeout, connect=timeout, follow=True)


def document(fetch: Fetch, ask: AskDocument, *, timeout: float) -> Exchange:
    """Fetch the OpenAPI document."""
    url = _fresh(ask.url, past_caches=ask.past_caches)
    return fetch("GET", url, cap=DOCUMENT_CAP, timeout=timeout, connect=timeout, follow=True)


def smoke(fetch: Fetch, ask: AskSmoke, *, timeout: float) -> Exchange:
    """Send a smoke request."""
    wanted = ask.smoke
    url = _fresh(wanted.url, past_caches=ask.past_caches)
    follow = wanted.reads and not wanted.takes_redirect  # a POST would be repeated, or become a GET
    return fetch(wanted.method, url, cap=ANSWER_CAP, timeout=timeout, connect=timeout, follow=follow)


def weigh(ask: Ask, exchange: Exchange, redact: Callable[[str], str]) -> Exchange:
    """Read a document, or compare an answer with its promise: that may take long, and is not the service's time.

    Of an image's label, take out what is secret.
    """
    if not isinstance(exchange, Reply):
        return exchange
    if isinstance(ask, AskRevision):
        from redeploy.registry.lookup import FromRegistry

        if isinstance(exchange, FromRegistry) and isinstance(exchange.found, str):
            return replace(exchange, found=redact(exchange.found))
    if isinstance(ask, AskDocument) and ask.smoke is not None:
        from redeploy.contract.openapi import read_document
        from redeploy.contract.snapshot import Read

        with _WEIGHING:
            contract = read_document(exchange, ask.url, ask.smoke, redact)
        return Read(exchange.status, exchange.headers, exchange.body, exchange.hops, contract)
    if isinstance(ask, AskSmoke) and ask.promise is not None:
        from redeploy.contract.response_schema import compare
        from redeploy.contract.smoke import Judged

        with _WEIGHING:
            found = compare(ask.promise, ask.smoke.method, exchange, redact)
        return Judged(exchange.status, exchange.headers, exchange.body, exchange.hops, found.misfit, found.partial)
    return exchange


def _fresh(url: str, *, past_caches: bool) -> str:
    """Return the URL with a query that no cache has seen, where one has answered before."""
    return f"{url}{'&' if '?' in url else '?'}_redeploy={secrets.token_hex(8)}" if past_caches else url
