"""Who responded, recognised by stock pages of proxies, errors of frameworks and Watchtower's own words.

A `Server` header says least, because a proxy puts its own on responses that it passes on: the body comes first. Every
mark is that of a stock response, from the product's sources or its documentation.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from redeploy.http.response import Response

NO_TOKEN_TEXT = "missing or invalid API Key"  # noqa: S105 - words of a response
"""The response of nicholas-fedor 1.20 and newer, and no other, to a request without the right token (auth.go:58)."""

LOOKED_AT = 4096
"""Bytes of a body in which a mark is searched."""


class SenderKind(StrEnum):
    """What kind of sender responded."""

    WATCHTOWER = "watchtower"
    CHALLENGE = "challenge"
    """Cloudflare asks for a browser."""
    ACCESS = "access"
    """Cloudflare Access asks for a login, or rejects the service token."""
    CLOUDFLARE = "cloudflare"
    """Cloudflare itself: it blocks the request, or could not reach the server."""
    LOGIN = "login"
    """Anything that asks for its own credentials by `WWW-Authenticate`."""
    PROXY = "proxy"
    """A proxy or a load balancer that responds itself, not one that passes a response on."""
    APPLICATION = "application"
    """An application, recognised by its framework's stock response."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sender:
    """Who responded; `name` is from this module, never from the response, and empty if unknown."""

    kind: SenderKind = SenderKind.UNKNOWN
    name: str = ""


UNKNOWN_SENDER = Sender()
WATCHTOWER = Sender(SenderKind.WATCHTOWER, "Watchtower")
GO = Sender(SenderKind.UNKNOWN, "a Go program")
"""Go's own 404 with all its headers: from Traefik without a router, containrrr at another path, or any Go program."""
TRAEFIK_OR_GO = Sender(SenderKind.UNKNOWN, "Traefik or another Go program")
"""The same if, by its headers, no proxy has passed it on."""


def capital(name: str) -> str:
    """Return a name for the beginning of a sentence: nginx stays in lower case there, too."""
    return f"{name[:1].upper()}{name[1:]}" if name.startswith(("a ", "an ", "the ")) else name


def sender_of(reply: Response) -> Sender:
    """Return who responded: the first that matches, from the outermost to the innermost."""
    if reply.is_challenge:
        return Sender(SenderKind.CHALLENGE, "Cloudflare")
    if reply.is_access_wall:
        return Sender(SenderKind.ACCESS, "Cloudflare Access")
    if reply.status < 400:
        return UNKNOWN_SENDER
    start = reply.body[:LOOKED_AT].decode("utf-8", "replace")
    if _is_watchtower(reply):
        return WATCHTOWER
    stock = _marked(reply, start, _PROXIES)
    if asks_for_login(reply):
        return Sender(SenderKind.LOGIN, stock)
    if stock:
        return Sender(SenderKind.PROXY, stock)
    if _is_cloudflare(reply, start):
        return Sender(SenderKind.CLOUDFLARE, "Cloudflare")
    if reply.status == 404 and start.strip() == "404 page not found":
        return GO if passed_on_by(reply) or "via" in reply.headers else TRAEFIK_OR_GO
    name = _marked(reply, start, _APPLICATIONS)
    return Sender(SenderKind.APPLICATION, name) if name else UNKNOWN_SENDER


def asks_for_login(reply: Response) -> bool:
    """Return whether a refusal asks for credentials by `WWW-Authenticate`, which Watchtower never does."""
    return reply.status in (401, 403) and bool(reply.headers.get("www-authenticate", "").strip())


def login_scheme(reply: Response) -> str:
    """Return the requested scheme, such as `Basic`; empty if it is not one in use."""
    word = reply.headers.get("www-authenticate", "").strip().partition(" ")[0].rstrip(",")
    return next(
        (each for each in ("Basic", "Bearer", "Digest", "Negotiate", "NTLM") if each.lower() == word.lower()), ""
    )


def refuses_token(reply: Response) -> bool:
    """Return whether this is Watchtower's refusal of a token, and not that of another server that requires credentials.

    Watchtower never says which it requires (`WWW-Authenticate`), although HTTP requires that and others do.
    """
    if reply.status != 401 or asks_for_login(reply) or reply.is_html:
        return False
    return NO_TOKEN_TEXT.lower() in reply.text.lower() if reply.body else not _shows_framework(reply)


def passed_on_by(reply: Response) -> str:
    """Return the proxy that a response names, its own or not; empty if it names none. Cloudflare hides all others."""
    server = reply.headers.get("server", "").lower()
    return next(
        (each for each in ("nginx", "Caddy", "Traefik", "Apache", "HAProxy", "Envoy") if each.lower() in server), ""
    )


def says_nginx(reply: Response) -> bool:
    """Return whether a response is one of nginx's stock pages, even if another proxy passed it on."""
    return reply.is_html and b"<center>nginx" in reply.body[:1024]


def is_cloudflares_own(reply: Response) -> bool:
    """Return whether Cloudflare itself says that the server behind it did not respond."""
    return reply.status in _CLOUDFLARE_REACHED_NO_ORIGIN and sender_of(reply).kind is SenderKind.CLOUDFLARE


def _is_watchtower(reply: Response) -> bool:
    """Return whether Watchtower itself refuses or fails; its successes are read by `triggers.watchtower.answer`."""
    if reply.status < 400 or reply.is_html:
        return False
    if refuses_token(reply):
        return True
    text = reply.text.strip() if len(reply.body) < LOOKED_AT else ""
    if (reply.status, text) in _WATCHTOWER_SAYS:
        return True
    return (reply.status, text) in _FORK_SAYS and "x-request-id" in reply.headers and reply.headers.items() >= _FIBER


_WATCHTOWER_SAYS = {(408, "Request Timeout"), (503, "request cancelled"), (500, "failed to list containers")}
"""Whatever the headers: the fork sends 408 without any of its own (timeout.go:115)."""

_FORK_SAYS = {
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (413, "Request Entity Too Large"),
    (429, "Too Many Requests"),
    (500, "Internal Server Error"),
    (503, "Service Unavailable"),
}
"""Words that others use, too: they come from the fork if the headers are there that it always sends."""

_FIBER = {
    ("cross-origin-embedder-policy", "require-corp"),
    ("x-dns-prefetch-control", "off"),
    ("x-permitted-cross-domain-policies", "none"),
}
"""Three of the eleven headers of Fiber's helmet, which the fork has since 1.20 (fiber.go:124)."""

_CLOUDFLARE_REACHED_NO_ORIGIN = frozenset({502, 504, *range(520, 528), 530})
"""developers.cloudflare.com, "Cloudflare 5xx errors"."""

_CLOUDFLARE_SAYS = re.compile(r"\Aerror code: \d{3,4}\b|\bcf-(?:error-details|wrapper|error-code)\b|Cloudflare Ray ID")


def _is_cloudflare(reply: Response, start: str) -> bool:
    ours = "cf-ray" in reply.headers or reply.headers.get("server", "").lower() == "cloudflare"
    return ours and (reply.status in _CLOUDFLARE_REACHED_NO_ORIGIN or bool(_CLOUDFLARE_SAYS.search(start)))


Mark = Callable[[Response, str], bool]


def _body(pattern: str, *statuses: int) -> Mark:
    """Return a mark that searches for a pattern in the beginning of the body."""
    compiled = re.compile(pattern)
    return lambda reply, start: (not statuses or reply.status in statuses) and bool(compiled.search(start))


def _header(name: str, value: str = "") -> Mark:
    return lambda reply, _: reply.headers.get(name, "").lower().startswith(value) if value else name in reply.headers


def _empty_from(server: str) -> Mark:
    """Return a mark of a server that responds itself with an empty body, and puts its name on every response."""
    return lambda reply, _: reply.status >= 400 and not reply.body and reply.headers.get("server", "").lower() == server


def _json(**values: object) -> Mark:
    """Return a mark of a JSON object with these values; `...` stands for any."""

    def fits(reply: Response, _: str) -> bool:
        body = reply.json if len(reply.body) < LOOKED_AT else None
        if not isinstance(body, dict):
            return False
        return all(name in body and (value is ... or body[name] == value) for name, value in values.items())

    return fits


def _only_detail(*texts: str) -> Mark:
    return lambda reply, _: len(reply.body) < LOOKED_AT and any(reply.json == {"detail": text} for text in texts)


_PROXIES: tuple[tuple[str, Mark], ...] = (
    ("nginx", _body(r"<center>nginx")),
    ("OpenResty", _body(r"<center>openresty")),
    ("an AWS load balancer", _header("server", "awselb")),
    (
        "HAProxy",
        _body(
            r"No server is available to handle this request|Request forbidden by administrative rules|"
            r"The server returned an invalid or incomplete response|The server didn't respond in time|"
            r"You need a valid user and password to access this content"
        ),
    ),
    ("Apache", _body(r"(?s)//DTD HTML 2\.0//EN.{0,64}<title>\d{3} ")),
    ("Traefik", _body(r"\Ano available server\s*\Z|\ABad Gateway\s*\Z|\AGateway Timeout\s*\Z", 502, 503, 504)),
    ("Traefik", _header("x-retry-in")),
    ("Envoy", _body(r"\A(?:upstream connect error|no healthy upstream|upstream request timeout|RBAC: access denied)")),
    ("Envoy", _empty_from("envoy")),
    ("Caddy", _empty_from("caddy")),
    ("Varnish", _body(r"Guru Meditation", 503)),
    ("the Kubernetes ingress", _body(r"\Adefault backend - 404")),
    ("CrowdSec", _body(r"(?i)crowdsec", 403)),
    ("ngrok", _header("ngrok-error-code")),
    ("Kong", _json(message="no Route matched with those values")),
)
"""Stock responses of proxies in front, each in its own words."""

_FRAMEWORKS: tuple[tuple[str, Mark], ...] = (
    ("Express", _header("x-powered-by", "express")),
    ("Next.js", _header("x-powered-by", "next.js")),
    ("PHP", _header("x-powered-by", "php")),
    ("ASP.NET", _header("x-powered-by", "asp.net")),
    ("ASP.NET", _header("server", "kestrel")),
)
"""Headers that a framework always sends, even on empty responses."""


def _shows_framework(reply: Response) -> bool:
    return bool(_marked(reply, "", _FRAMEWORKS))


_APPLICATIONS: tuple[tuple[str, Mark], ...] = (
    (
        "FastAPI",
        _only_detail("Not Found", "Method Not Allowed", "Not authenticated", "Could not validate credentials"),
    ),
    ("Django", _only_detail("Not found.", "Authentication credentials were not provided.")),
    ("Django", _body(r"The requested resource was not found on this server|CSRF verification failed")),
    ("Flask", _body(r"was not found on the server\. If you entered|The method is not allowed for the requested URL")),
    ("NestJS", _json(statusCode=..., message=..., error=...)),
    ("Express", _body(r"\bCannot (?:GET|HEAD|POST|PUT|PATCH|DELETE) /")),
    ("Spring Boot", _json(timestamp=..., status=..., error=..., path=...)),
    ("Spring Boot", _body(r"Whitelabel Error Page")),
    ("Rails", _body(r"The page you were looking for doesn.t exist|You may have mistyped the address")),
    ("Rails", _json(status=404, error="Not Found")),
    ("Next.js", _body(r"/_next/static|__next_error__|id=\"__next\"")),
    ("ASP.NET", _json(title=..., status=..., traceId=...)),
    *_FRAMEWORKS,
)
"""Stock responses of applications."""


def _marked(reply: Response, start: str, marks: tuple[tuple[str, Mark], ...]) -> str:
    return next((name for name, fits in marks if fits(reply, start)), "")
