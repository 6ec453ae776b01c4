"""The requests of Watchtower's HTTP API. None of them follows a redirect."""

from redeploy.http.fetch import HttpRequest
from redeploy.triggers.watchtower.endpoints import Watchtower

TRIGGER_CAP = 64 * 1024
"""Limit of the response to the trigger, in bytes; the longest of any variant has some hundreds."""

CONTAINERS_CAP = 1024 * 1024


def trigger(watchtower: Watchtower) -> HttpRequest:
    """Return the request for an update: a POST without a body.

    GET would do on containrrr, which updates on any method (api.go:43), but proxies may repeat a GET.
    """
    return HttpRequest(method="POST", url=watchtower.trigger_url, cap=TRIGGER_CAP, token=watchtower.token)


def ask_whether_forked(watchtower: Watchtower) -> HttpRequest:
    """Return the request to update an image that cannot exist, without the token: every version refuses it (auth.go:58).

    Even if a proxy adds the token, nothing is updated.
    """
    return HttpRequest(method="POST", url=watchtower.idle_url, cap=TRIGGER_CAP)


def reasons(watchtower: Watchtower) -> HttpRequest:
    """Ask the fork to compare digests without pulling: its `error` says what an update only counts as skipped."""
    return HttpRequest(method="POST", url=watchtower.check_url or "", cap=CONTAINERS_CAP, token=watchtower.token)


def containers(watchtower: Watchtower) -> HttpRequest:
    """Ask for the running containers and their digests."""
    return HttpRequest(url=watchtower.containers_url or "", cap=CONTAINERS_CAP, token=watchtower.token)


def details(watchtower: Watchtower) -> HttpRequest:
    """Ask which containers are only monitored, or get no pulls."""
    return HttpRequest(url=watchtower.details_url, cap=CONTAINERS_CAP, token=watchtower.token)


def ask_nowhere(watchtower: Watchtower) -> HttpRequest:
    """Ask for the same at a path that cannot exist: what responds there as at the update URL is not Watchtower."""
    return HttpRequest(method="POST", url=watchtower.nowhere_url, cap=TRIGGER_CAP)


def metrics(watchtower: Watchtower) -> HttpRequest:
    """Ask for the metrics, which every variant has if enabled: the response shows whether the token is right."""
    return HttpRequest(url=watchtower.metrics_url or "", cap=CONTAINERS_CAP, token=watchtower.token)


def update_nothing(watchtower: Watchtower) -> HttpRequest:
    """Ask for an update of an image that cannot exist; only for variants that certainly narrow."""
    return HttpRequest(method="POST", url=watchtower.idle_url, cap=TRIGGER_CAP, token=watchtower.token)
