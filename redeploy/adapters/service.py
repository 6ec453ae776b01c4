"""The redeployed service."""

import secrets
import threading
from collections.abc import Callable

from redeploy.core.asking import Ask, AskDocument, AskSmoke, Probe
from redeploy.core.fetch import Fetch
from redeploy.http.response import Exchange, Reply

ANSWER_CAP = 1024 * 1024
"""Bytes of an answer, documents excepted."""

DOCUMENT_CAP = 16 * 1024 * 1024
"""Bytes of an OpenAPI document, decoded."""

_WEIGHING = threading.Lock()
"""Bodies are compared one at a time: several at once would keep the threads that wait for answers from running."""


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
    follow = wanted.reads and not wanted.status.startswith("3")  # a POST would be repeated, or become a GET
    return fetch(wanted.method, url, cap=ANSWER_CAP, timeout=timeout, connect=timeout, follow=follow)


def weigh(ask: Ask, exchange: Exchange, redact: Callable[[str], str]) -> Exchange:
    """Read a document, or compare an answer with its promise: that may take long, and is not the service's time."""
    if not isinstance(exchange, Reply):
        return exchange
    if isinstance(ask, AskDocument) and ask.smoke is not None:
        from redeploy.core.contract import Read
        from redeploy.core.openapi import read_document

        with _WEIGHING:
            contract = read_document(exchange, ask.url, ask.smoke, redact)
        return Read(exchange.status, exchange.headers, exchange.body, exchange.hops, contract)
    if isinstance(ask, AskSmoke) and ask.promise is not None:
        from redeploy.core.promise import compare
        from redeploy.core.smoke import Judged

        with _WEIGHING:
            found = compare(ask.promise, ask.smoke.method, exchange, redact)
        return Judged(exchange.status, exchange.headers, exchange.body, exchange.hops, found.misfit, found.partial)
    return exchange


def _fresh(url: str, *, past_caches: bool) -> str:
    """Return the URL with a query that no cache has seen, where one has answered before."""
    return f"{url}{'&' if '?' in url else '?'}_redeploy={secrets.token_hex(8)}" if past_caches else url
