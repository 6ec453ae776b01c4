"""The requests of Watchtower's HTTP API. None of them follows a redirect."""

from redeploy.http.fetch import HttpRequest
from redeploy.triggers.watchtower.endpoints import Watchtower

TRIGGER_CAP = 64 * 1024
"""Bytes of the response to the trigger; the longest that any line sends has some hundreds."""

CONTAINERS_CAP = 1024 * 1024


def trigger(watchtower: Watchtower) -> HttpRequest:
    """Return the request for an update: a POST without a body.

    GET would do on containrrr, which updates on any method (api.go:43), but proxies may repeat a GET.
    """
    return HttpRequest(method="POST", url=watchtower.trigger_url, cap=TRIGGER_CAP, token=watchtower.token)


def ask_whether_forked(watchtower: Watchtower) -> HttpRequest:
    """Return the request to update an image that cannot exist, without the token: every version refuses it (auth.go:58).

    Where a proxy adds the token, nothing is updated all the same.
    """
    return HttpRequest(method="POST", url=watchtower.idle_url, cap=TRIGGER_CAP)


def reasons(watchtower: Watchtower) -> HttpRequest:
    """Ask the fork to compare digests without pulling: its `error` says what an update only counts as skipped."""
    return HttpRequest(method="POST", url=watchtower.check_url or "", cap=CONTAINERS_CAP, token=watchtower.token)


def containers(watchtower: Watchtower) -> HttpRequest:
    """Ask which containers run, and from which digests."""
    return HttpRequest(url=watchtower.containers_url or "", cap=CONTAINERS_CAP, token=watchtower.token)


def details(watchtower: Watchtower) -> HttpRequest:
    """Ask which containers are only monitored, or never pulled for."""
    return HttpRequest(url=watchtower.details_url, cap=CONTAINERS_CAP, token=watchtower.token)


def ask_nowhere(watchtower: Watchtower) -> HttpRequest:
    """Ask for the same at a path that cannot exist: what responds there as at the update URL is not Watchtower."""
    return HttpRequest(method="POST", url=watchtower.nowhere_url, cap=TRIGGER_CAP)


def metrics(watchtower: Watchtower) -> HttpRequest:
    """Ask for the metrics, which every line has where they are enabled: the response shows whether the token is right."""
    return HttpRequest(url=watchtower.metrics_url or "", cap=CONTAINERS_CAP, token=watchtower.token)


def update_nothing(watchtower: Watchtower) -> HttpRequest:
    """Ask for an update of an image that cannot exist; only for lines that are certain to narrow."""
    return HttpRequest(method="POST", url=watchtower.idle_url, cap=TRIGGER_CAP, token=watchtower.token)
