"""What to paste into nginx and Compose: the one source of the blocks in messages and of `deploy/nginx/snippets/`.

A name behind `proxy_pass` is looked up once, when nginx starts, unless it stands in a variable beside a `resolver`
(nginx, ngx_http_proxy_module); an address needs neither. So each recipe has two variants.
"""

from collections.abc import Mapping
from enum import Enum

ENDPOINTS: Mapping[str, str] = {
    "update": "POST",
    "containers": "GET",
    "containers/details": "GET",
    "check": "POST",
    "metrics": "GET",
}
"""The endpoints of Watchtower's HTTP API that the action uses, with their methods."""

OPERATIONS = "/ops/watchtower"
"""Where the docs and `init` put these endpoints. A server may have them elsewhere."""

WATCHTOWER_PORT = 8083
"""Where Docker publishes Watchtower on 127.0.0.1 in this project's compose file."""

SERVICE_PORT = 8001
"""Where it publishes the service."""

WATCHTOWER_IMAGE = "nickfedor/watchtower:1.20.3"
"""The maintained fork, in the version that this project's compose file pins."""


class Nginx(Enum):
    """Where nginx runs, in words that lead to the block for it."""

    HOST = "nginx runs on the server itself"
    CONTAINER = "nginx runs in a container"


RESOLVER = "resolver 127.0.0.11 valid=2s ipv6=off;"
"""Docker's own name server: a container that comes back with another address is found within two seconds."""

_LEADS_TO_WATCHTOWER = {
    Nginx.HOST: (f"proxy_pass http://127.0.0.1:{WATCHTOWER_PORT}/v1/{{endpoint}}$is_args$args;",),
    Nginx.CONTAINER: (
        RESOLVER,
        "set $watchtower watchtower:8080;",
        "proxy_pass http://$watchtower/v1/{endpoint}$is_args$args;",
    ),
}
_WHERE_WATCHTOWER_IS = {
    Nginx.HOST: (
        f"`{WATCHTOWER_PORT}` is the port at which Docker publishes Watchtower: `docker ps` shows it before `->8080`"
    ),
    Nginx.CONTAINER: (
        "`watchtower` is the name of its service in the compose file, and the two containers share a network"
    ),
}
_LEADS_TO_THE_SERVICE = {
    Nginx.HOST: (f"proxy_pass http://127.0.0.1:{SERVICE_PORT};",),
    Nginx.CONTAINER: (RESOLVER, "set $backend backend:8000;", "proxy_pass http://$backend;"),
}
_WHERE_THE_SERVICE_IS = {
    Nginx.HOST: f"`{SERVICE_PORT}` is the port at which Docker publishes the service: `docker ps` shows it before `->`",
    Nginx.CONTAINER: "`backend:8000` is its name in the compose file and its port in the container",
}


_REPLACES = "The location replaces an existing one for the same path."
_HIDDEN = "If the path of your URL is another one, or GitHub hides it as `***`, write it after `location =`."


def endpoint(name: str, nginx: Nginx, *more: str) -> str:
    """Return the location of one of Watchtower's endpoints, complete in itself; `more` are directives before the rest."""
    waits = ("proxy_read_timeout 31m;",) if name == "update" else ()
    return _location(
        f"{OPERATIONS}/{name}",
        (
            *more,
            f"limit_except {ENDPOINTS[name]} {{ deny all; }}",
            *(line.format(endpoint=name) for line in _LEADS_TO_WATCHTOWER[nginx]),
            "proxy_set_header Authorization $http_authorization;",
            "proxy_set_header X-Real-IP $remote_addr;",
            *waits,
        ),
    )


def service(path: str, nginx: Nginx, *, exact: bool = True) -> str:
    """Return the location that leads a path to the service; not `exact`: what is below it too."""
    return _location(path, (*_LEADS_TO_THE_SERVICE[nginx], "proxy_set_header Host $host;"), "= " if exact else "")


def endpoint_in_both(name: str, *more: str) -> str:
    """Return Markdown with both variants of an endpoint's location, and how to choose."""
    return f"{_REPLACES} {f'{_HIDDEN} ' if name == 'update' else ''}" + "\n\n".join(
        f"Where {place.value} ({_WHERE_WATCHTOWER_IS[place]}):\n\n```nginx\n{endpoint(name, place, *more)}```"
        for place in Nginx
    )


def service_in_both(path: str, *, exact: bool = True) -> str:
    """Return Markdown with both variants of the location of a path of the service, and how to choose."""
    return f"{_REPLACES} " + "\n\n".join(
        f"Where {place.value} ({_WHERE_THE_SERVICE_IS[place]}):\n\n```nginx\n{service(path, place, exact=exact)}```"
        for place in Nginx
    )


def watchtower(*lines: str) -> str:
    """Return a compose file that adds these lines to Watchtower's service; they begin at its own keys."""
    return "```yaml\nservices:\n  watchtower:\n" + "".join(f"    {line}\n" for line in lines) + "```"


def _location(path: str, directives: tuple[str, ...], kind: str = "= ") -> str:
    return f"location {kind}{path} {{\n" + "".join(f"    {line}\n" for line in directives) + "}\n"


_SNIPPET = """\
# The part of Watchtower's HTTP API that the action needs; the rest is not reachable from outside. Include it in a `server`
# block, after a line that says where Watchtower is. If nginx runs on the server itself:
#
#   set $watchtower 127.0.0.1:{port};
#
# and if it runs in a container, in one network with Watchtower:
#
#   {resolver}
#   set $watchtower watchtower:8080;

location {operations}/ {{
    # Everything but the locations below. A single-page application would respond with a page and status 200.
    return 404;

    # The locations inside inherit everything that follows.

    # Watchtower responds when the update has ended: a minute more than WATCHTOWER_HTTP_API_UPDATE_TIMEOUT.
    proxy_connect_timeout 5s;
    proxy_read_timeout 31m;
    # A client that gives up, or Cloudflare after 100 to 120 s, does not drop an update that waits for its turn.
    proxy_ignore_client_abort on;
    # Never send an update twice.
    proxy_next_upstream off;
    proxy_cache off;
    proxy_buffering off;
    add_header Cache-Control no-store always;

    proxy_http_version 1.1;
    proxy_set_header Host $host;
    proxy_set_header Authorization $http_authorization;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    # The fork takes its token from a cookie too, and containrrr copies bodies into its log.
    proxy_set_header Cookie "";
    proxy_set_header Content-Length 0;
    proxy_pass_request_body off;
    client_max_body_size 1k;
{locations}}}
"""
_WHY = {
    "update": "# Watchtower checks the token itself: its own 401 shows which Watchtower it is.\n    ",
    "containers/details": "# The fork 1.20 and newer reports here what it only monitors, or never pulls.\n    ",
    "metrics": "# Every Watchtower has this read-only endpoint: doctor checks the token here without the others.\n    ",
}


def snippet() -> str:
    """Return `deploy/nginx/snippets/watchtower.conf`: all endpoints, and nothing that must be declared outside a server."""
    locations = "".join(
        f"\n    {_WHY.get(name, '')}location = {OPERATIONS}/{name} {{\n"
        f"        limit_except {method} {{ deny all; }}\n"
        f"        proxy_pass http://$watchtower/v1/{name}$is_args$args;\n    }}\n"
        for name, method in ENDPOINTS.items()
    )
    return _SNIPPET.format(port=WATCHTOWER_PORT, resolver=RESOLVER, operations=OPERATIONS, locations=locations)
