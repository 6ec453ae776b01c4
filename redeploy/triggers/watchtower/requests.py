"""Watchtower's HTTP API."""

from redeploy.http.fetch import Fetch
from redeploy.http.response import HttpResult
from redeploy.triggers.watchtower.endpoints import Watchtower

TRIGGER_CAP = 64 * 1024
"""Bytes of the trigger's answer; the longest that any line sends has some hundreds."""

CONTAINERS_CAP = 1024 * 1024


def trigger(fetch: Fetch, watchtower: Watchtower, *, connect: float, timeout: float) -> HttpResult:
    """Ask for the update: a POST without a body, never redirected.

    GET would do on containrrr, which updates on any method (api.go:43), but proxies may repeat a GET.
    """
    return fetch(
        "POST",
        watchtower.trigger_url,
        cap=TRIGGER_CAP,
        timeout=timeout,
        connect=connect,
        token=watchtower.token,
        follow=False,
    )


def ask_whether_forked(fetch: Fetch, watchtower: Watchtower, *, timeout: float) -> HttpResult:
    """Ask for an update of an image that cannot exist, without the token: every version refuses that (auth.go:58).

    Where a proxy adds the token, nothing is updated all the same.
    """
    return fetch("POST", watchtower.idle_url, cap=TRIGGER_CAP, timeout=timeout, connect=timeout, follow=False)


def reasons(fetch: Fetch, watchtower: Watchtower, *, timeout: float) -> HttpResult:
    """Ask the fork to compare digests without pulling: its `error` says what an update only counts as skipped."""
    url = watchtower.check_url or ""
    return fetch(
        "POST", url, cap=CONTAINERS_CAP, timeout=timeout, connect=timeout, token=watchtower.token, follow=False
    )


def containers(fetch: Fetch, watchtower: Watchtower, *, timeout: float) -> HttpResult:
    """Ask which containers run, and from which digests."""
    url = watchtower.containers_url or ""
    return fetch("GET", url, cap=CONTAINERS_CAP, timeout=timeout, connect=timeout, token=watchtower.token, follow=False)


def details(fetch: Fetch, watchtower: Watchtower, *, timeout: float) -> HttpResult:
    """Ask which containers are only monitored, or never pulled for."""
    url = watchtower.details_url
    return fetch("GET", url, cap=CONTAINERS_CAP, timeout=timeout, connect=timeout, token=watchtower.token, follow=False)


def ask_nowhere(fetch: Fetch, watchtower: Watchtower, *, timeout: float) -> HttpResult:
    """Ask for the same at a path that cannot exist: whatever answers there as at the update URL is not Watchtower."""
    return fetch("POST", watchtower.nowhere_url, cap=TRIGGER_CAP, timeout=timeout, connect=timeout, follow=False)


def metrics(fetch: Fetch, watchtower: Watchtower, *, timeout: float) -> HttpResult:
    """Ask for the metrics, which every line has where they are enabled, for the sake of the token."""
    url = watchtower.metrics_url or ""
    return fetch("GET", url, cap=CONTAINERS_CAP, timeout=timeout, connect=timeout, token=watchtower.token, follow=False)


def update_nothing(fetch: Fetch, watchtower: Watchtower, *, timeout: float) -> HttpResult:
    """Ask for an update of an image that cannot exist; only for lines that are certain to narrow."""
    url = watchtower.idle_url
    return fetch("POST", url, cap=TRIGGER_CAP, timeout=timeout, connect=timeout, token=watchtower.token, follow=False)
