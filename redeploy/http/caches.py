"""Whether a cache says that it responded instead of the service, as the vendors of caches write it."""

import re
from collections.abc import Mapping

_STATUS_HEADERS = frozenset(
    [
        "x-cache",
        "x-cache-status",
        "x-proxy-cache",
        "x-proxy-cache-status",
        "x-nginx-cache",
        "x-nginx-cache-status",
        "x-fastcgi-cache",
        "x-fastcgi-cache-status",
        "x-uwsgi-cache",
        "x-scgi-cache",
        "x-srcache-fetch-status",
        "x-varnish-cache",
        "x-edge-cache",
        "x-edge-cache-status",
        "x-cdn-cache",
        "x-cdn-cache-status",
        "x-litespeed-cache",
        "x-qc-cache",
        "x-nitro-cache",
        "x-drupal-cache",
        "x-vercel-cache",
        "x-sucuri-cache",
        "x-kinsta-cache",
        "x-hcdn-cache-status",
        "x-bdcdn-cache-status",
        "x-77-cache",
        "cdn-cache",
        "cf-cache-status",
        "akamai-cache-status",
    ]
)
"""Headers whose first word is a cache's status; a host or a cache may be named after it (`MISS from white-proxy`)."""

_SERVED = frozenset(
    [
        *("hit", "stale", "updating"),
        *("tcp_hit", "tcp_mem_hit", "tcp_ims_hit", "tcp_inm_hit", "tcp_stale_hit", "tcp_negative_hit"),
        *("tcp_offline_hit", "tcp_remote_hit", "tcp_refresh_fail", "tcp_refresh_fail_hit", "tcp_refresh_fail_old"),
    ]
)
"""Words of a cache that responded by itself: nginx's `$upstream_cache_status`, and Squid's and Akamai's result codes.

MISS, EXPIRED, REVALIDATED, BYPASS and `RefreshHit` are words of a cache that requested the page from the service.
"""

_OWN = "x-nextjs-cache"
"""Next.js's word on pages that were rendered at build time: with `HIT`, the page belongs to the running build."""

_TIMED = r'\bcdn-cache\s{0,8};\s{0,8}desc="?(?:hit|stale)\b'
"""Akamai's word in `Server-Timing`."""

_WORD = re.compile(r"[a-z_-]+")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def from_cache(headers: Mapping[str, str]) -> bool:
    """Return whether a response says that a cache sent it. Sources: RFC 9111 (`Age`), RFC 9211 (`Cache-Status`), vendors."""
    age = headers.get("age", "").partition(",")[0].strip()
    if age.isascii() and age.isdigit() and age.strip("0"):
        return True
    statuses = (part for name in headers.keys() & _STATUS_HEADERS for part in headers[name].split(","))
    if any(_word(status) in _SERVED for status in statuses) or _word(headers.get(_OWN, "")) == "stale":
        return True
    if re.search(_TIMED, headers.get("server-timing", "").lower()):
        return True
    return _from_varnish(headers.get("x-varnish", "")) or _cache_status(headers.get("cache-status", ""))


def _word(status: str) -> str:
    found = _WORD.match(status.strip().lower())
    return found[0] if found else ""


def _from_varnish(ids: str) -> bool:
    """Return whether `X-Varnish` names two requests: this one, and the one that filled the cache."""
    return any(len(numbers) > 1 and all(map(str.isdecimal, numbers)) for numbers in map(str.split, ids.split(",")))


def _cache_status(value: str) -> bool:
    """Return whether a member of `Cache-Status` has the parameter `hit` (RFC 9211), or is only a status."""
    for member in _QUOTED.sub("name", value).lower().split(","):
        name, *parameters = (part.strip() for part in member.split(";"))
        if {"hit", "hit=?1"} & set(parameters) or (not parameters and _word(name) in _SERVED):
            return True
    return False
