"""The redeployed service."""

import secrets
from collections.abc import Callable

from redeploy.core.asking import AskDocument, AskSmoke, Probe
from redeploy.core.fetch import Fetch
from redeploy.http.response import Exchange, Reply

ANSWER_CAP = 1024 * 1024
"""Bytes of an answer, documents excepted."""

DOCUMENT_CAP = 16 * 1024 * 1024
"""Bytes of an OpenAPI document, decoded."""


def look(fetch: Fetch, probe: Probe, *, timeout: float) -> Exchange:
    """Look at the service once; past caches with a query that no cache has seen."""
    url = _fresh(probe.url, past_caches=probe.past_caches)
    return fetch("GET", url, cap=ANSWER_CAP, timeout=timeout, connect=timeout, follow=True)


def document(fetch: Fetch, ask: AskDocument, *, timeout: float) -> Exchange:
    """Fetch the OpenAPI document."""
    url = _fresh(ask.url, past_caches=ask.past_caches)
    return fetch("GET", url, cap=DOCUMENT_CAP, timeout=timeout, connect=timeout, follow=True)


def smoke(fetch: Fetch, ask: AskSmoke, redact: Callable[[str], str], *, timeout: float) -> Exchange:
    """Send a smoke request, and compare the body with its promise right here: a hostile schema may take long."""
    from redeploy.core.promise import misfit
    from redeploy.core.smoke import Judged

    wanted = ask.smoke
    url = _fresh(wanted.url, past_caches=ask.past_caches)
    follow = wanted.safe and not wanted.status.startswith("3")  # a POST would be repeated, or become a GET
    found = fetch(wanted.method, url, cap=ANSWER_CAP, timeout=timeout, connect=timeout, follow=follow)
    if not isinstance(found, Reply) or ask.promise is None:
        return found
    told = misfit(ask.promise, wanted.method, found, redact)
    return Judged(found.status, found.headers, found.body, found.hops, told)


def _fresh(url: str, *, past_caches: bool) -> str:
    """Return the URL with a query that no cache has seen, where one has answered before."""
    return f"{url}{'&' if '?' in url else '?'}_redeploy={secrets.token_hex(8)}" if past_caches else url
