"""The redeployed service."""

import secrets

from redeploy.core.asking import Probe
from redeploy.core.exchange import Exchange, Fetch

ANSWER_CAP = 1024 * 1024
"""Bytes of a health or version answer."""


def look(fetch: Fetch, probe: Probe, *, timeout: float) -> Exchange:
    """Look at the service once; past caches with a query that no cache has seen."""
    url = probe.url
    if probe.past_caches:
        url += f"{'&' if '?' in url else '?'}_redeploy={secrets.token_hex(8)}"
    return fetch("GET", url, cap=ANSWER_CAP, timeout=timeout, connect=timeout, follow=True)
