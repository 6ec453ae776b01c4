"""Who answered, recognised by stock pages of proxies, errors of frameworks and Watchtower's own words.

A `Server` header tells least of all, since a proxy puts its own on what it passes on: what the body says comes first. Every
mark is that of a stock answer, as the product's sources or its documentation have it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from redeploy.http.response import Response

NO_TOKEN_TEXT = "missing or invalid API Key"  # noqa: S105 - words of an answer
"""What nicholas-fedor 1.20 and newer, and no other, answers to a request without the right token (auth.go:58)."""

LOOKED_AT = 4096
"""Bytes of a body in which a mark is looked for."""


class Door(StrEnum):
    """Which door answered."""

    WATCHTOWER = "watchtower"
    CHALLENGE = "challenge"
    """Cloudflare asks for a browser."""
    ACCESS = "access"
    """Cloudflare Access asks for a login, or refuses the service token."""
    CLOUDFLARE = "cloudflare"
    """Cloudflare itself: it blocks the request, or did not get as far as the server."""
    LOGIN = "login"
    """Whatever asks for credentials of its own by `WWW-Authenticate`."""
    PROXY = "proxy"
    """A proxy or a load balancer in its own words, not one that passes an answer on."""
    APPLICATION = "application"
    """An application, by its framework's stock answer."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sender:
    """Who answered; `name` is from this module, never from the answer, and empty where nothing tells it."""

    door: Door = Door.UNKNOWN
    name: str = ""


NOBODY_KNOWN = Sender()
WATCHTOWER = Sender(Door.WATCHTOWER, "Watchtower")
GO = Sender(Door.UNKNOWN, "a Go program")
"""Go's own 404, whole with its headers: Traefik's for want of a router, containrrr's for another path, any Go program's."""
TRAEFIK_OR_GO = Sender(Door.UNKNOWN, "Traefik or another Go program")
"""The same where no proxy has passed it on, as far as its headers tell."""


def capital(name: str) -> str:
    """Return a name as it stands at the beginning of a sentence: nginx writes itself small there too."""
    return f"{name[:1].upper()}{name[1:]}" if name.startswith(("a ", "an ", "the ")) else name


def sender_of(reply: Response) -> Sender:
    """Return who answered: the first rung that fits, from what stands outermost to what stands behind it."""
    if reply.is_challenge:
        return Sender(Door.CHALLENGE, "Cloudflare")
    if reply.is_access_wall:
        return Sender(Door.ACCESS, "Cloudflare Access")
    if reply.status < 400:
        return NOBODY_KNOWN
    start = reply.body[:LOOKED_AT].decode("utf-8", "replace")
    if _is_watchtower(reply):
        return WATCHTOWER
    stock = _marked(reply, start, _PROXIES)
    if asks_for_login(reply):
        return Sender(Door.LOGIN, stock)
    if stock:
        return Sender(Door.PROXY, stock)
    if _is_cloudflare(reply, start):
        return Sender(Door.CLOUDFLARE, "Cloudflare")
    if reply.status == 404 and start.strip() == "404 page not found":
        return GO if passed_on_by(reply) or "via" in reply.headers else TRAEFIK_OR_GO
    name = _marked(reply, start, _APPLICATIONS)
    return Sender(Door.APPLICATION, name) if name else NOBODY_KNOWN


def asks_for_login(reply: Response) -> bool:
    """Tell whether a refusal asks for credentials by `WWW-Authenticate`, which Watchtower never does."""
    return reply.status in (401, 403) and bool(reply.headers.get("www-authenticate", "").strip())


def login_scheme(reply: Response) -> str:
    """Return the scheme that is asked for, such as `Basic`; empty where it is none in use."""
    word = reply.headers.get("www-authenticate", "").strip().partition(" ")[0].rstrip(",")
    return next(
        (each for each in ("Basic", "Bearer", "Digest", "Negotiate", "NTLM") if each.lower() == word.lower()), ""
    )


def refuses_token(reply: Response) -> bool:
    """Tell whether this is Watchtower's refusal of a token, and not of another that wants credentials.

    It never says which it wants (`WWW-Authenticate`), as HTTP has it and others do.
    """
    if reply.status != 401 or asks_for_login(reply) or reply.is_html:
        return False
    return NO_TOKEN_TEXT.lower() in reply.text.lower() if reply.body else not _shows_framework(reply)


def passed_on_by(reply: Response) -> str:
    """Return the proxy whose name stands on a reply, its own or not; empty where none does. Cloudflare hides all others."""
    server = reply.headers.get("server", "").lower()
    return next(
        (each for each in ("nginx", "Caddy", "Traefik", "Apache", "HAProxy", "Envoy") if each.lower() in server), ""
    )


def says_nginx(reply: Response) -> bool:
    """Tell whether a reply is one of nginx's stock pages, whoever passed it on."""
    return reply.is_html and b"<center>nginx" in reply.body[:1024]


def is_cloudflares_own(reply: Response) -> bool:
    """Tell whether Cloudflare itself says that the server behind it did not answer."""
    return reply.status in _CLOUDFLARE_REACHED_NOBODY and sender_of(reply).door is Door.CLOUDFLARE


def _is_watchtower(reply: Response) -> bool:
    """Tell whether Watchtower itself refuses or fails; what it says in success is read by `triggers.watchtower.answer`."""
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
"""Words that others have too: of the fork where the headers that it puts on everything are there."""

_FIBER = {
    ("cross-origin-embedder-policy", "require-corp"),
    ("x-dns-prefetch-control", "off"),
    ("x-permitted-cross-domain-policies", "none"),
}
"""Three of the eleven headers of Fiber's helmet, which the fork has since 1.20 (fiber.go:124)."""

_CLOUDFLARE_REACHED_NOBODY = frozenset({502, 504, *range(520, 528), 530})
"""developers.cloudflare.com, "Cloudflare 5xx errors"."""

_CLOUDFLARE_SAYS = re.compile(r"\Aerror code: \d{3,4}\b|\bcf-(?:error-details|wrapper|error-code)\b|Cloudflare Ray ID")


def _is_cloudflare(reply: Response, start: str) -> bool:
    ours = "cf-ray" in reply.headers or reply.headers.get("server", "").lower() == "cloudflare"
    return ours and (reply.status in _CLOUDFLARE_REACHED_NOBODY or bool(_CLOUDFLARE_SAYS.search(start)))


Mark = Callable[[Response, str], bool]


def _body(pattern: str, *statuses: int) -> Mark:
    """Return a mark that looks for a pattern in the beginning of the body."""
    compiled = re.compile(pattern)
    return lambda reply, start: (not statuses or reply.status in statuses) and bool(compiled.search(start))


def _header(name: str, value: str = "") -> Mark:
    return lambda reply, _: reply.headers.get(name, "").lower().startswith(value) if value else name in reply.headers


def _empty_from(server: str) -> Mark:
    """Return a mark of one that answers for itself with an empty body, and signs everything."""
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
"""Stock answers of what stands in front, each in its own words."""

_FRAMEWORKS: tuple[tuple[str, Mark], ...] = (
    ("Express", _header("x-powered-by", "express")),
    ("Next.js", _header("x-powered-by", "next.js")),
    ("PHP", _header("x-powered-by", "php")),
    ("ASP.NET", _header("x-powered-by", "asp.net")),
    ("ASP.NET", _header("server", "kestrel")),
)
"""Headers that a framework puts on everything, its empty answers included."""


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
"""Stock answers of applications."""


def _marked(reply: Response, start: str, marks: tuple[tuple[str, Mark], ...]) -> str:
    return next((name for name, fits in marks if fits(reply, start)), "")
