"""The servers that a document names: where its paths begin, and which origins it is about."""

import contextlib
import urllib.parse
from collections.abc import Mapping
from typing import Any

from redeploy.http.urls import origin_of

MOST_PREFIXES = 8
"""Paths of servers that are distinguished."""

LONGEST_PATH = 1_000


def filled(server: Mapping[str, Any]) -> str:
    """Return a server's URL with the defaults of its variables."""
    address, variables = str(server["url"]), server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        default = variable.get("default", "") if isinstance(variable, dict) else ""
        if isinstance(default, str):  # one may contain the name of the next: they must not grow without limit
            address = address[:LONGEST_PATH].replace(f"{{{name}}}", default[:LONGEST_PATH])
    return address[:LONGEST_PATH]


def path_of(address: str, url: str) -> str:
    """Return the path that a server's address, relative to the document at `url`, begins with; empty if there is none."""
    try:
        return urllib.parse.urlsplit(urllib.parse.urljoin(url, address or "/")).path.rstrip("/")
    except ValueError:
        return ""


def origins(document: Mapping[str, Any], url: str) -> frozenset[str]:
    """Return the origins of the document and of its servers: the document is about these."""
    servers = document.get("servers")
    named = [each for each in (servers if isinstance(servers, list) else ()) if isinstance(each, dict)][:MOST_PREFIXES]
    found: set[str] = set()
    for address in ("", *(filled(each) for each in named if isinstance(each.get("url"), str))):
        with contextlib.suppress(ValueError):  # an invalid port, or a missing bracket
            found.add(origin_of(urllib.parse.urljoin(url, address)))
    return frozenset(found)
