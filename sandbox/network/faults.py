"""Faults between client and service: proxies that time out, access walls, caches, rate limits."""

import threading
from collections import Counter
from dataclasses import dataclass, replace

from sandbox.network.front import Answer, Exchange, Fault, nginx_page, passing

SPA = Answer(200, b"<!doctype html><html><head><title>Leo</title></head><body><div id=root></div></body></html>")
NOT_ALLOWED = nginx_page(405, "Not Allowed")
NGINX_NOT_FOUND = nginx_page(404, "Not Found")
FORBIDDEN = nginx_page(403, "Forbidden")
GATEWAY_TIMEOUT = nginx_page(504, "Gateway Time-out")
LIMITED = nginx_page(503, "Service Temporarily Unavailable")
TOO_MANY = Answer(429, b"slow down\n", "text/plain", (("Retry-After", "2"),))
CHALLENGE = Answer(
    403,
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Enable JavaScript</body></html>",
    "text/html; charset=UTF-8",
    (("cf-mitigated", "challenge"), ("CF-RAY", "9a1b2c3d4e5f6071-FRA")),
    server="cloudflare",
)
ACCESS_WALL = Answer(
    302,
    b"",
    headers=(
        (
            "Location",
            "https://team.cloudflareaccess.com/cdn-cgi/access/login/api.example.com?kid=4f2a&redirect_url=%2Fapi%2Fready",
        ),
        ("WWW-Authenticate", "Cloudflare-Access"),
        ("CF-RAY", "9a1b2c3d4e5f6072-FRA"),
    ),
    server="cloudflare",
)
_CLOUDFLARE_REASONS = {
    520: "Web Server Returned an Unknown Error",
    521: "Web Server Is Down",
    522: "Connection Timed Out",
    523: "Origin Is Unreachable",
    524: "A Timeout Occurred",
    525: "SSL Handshake Failed",
    526: "Invalid SSL Certificate",
    530: "Origin DNS Error",
}


def cloudflare(status: int) -> Answer:
    """Cloudflare's own error, as sent to clients that are not browsers."""
    return Answer(
        status,
        f"error code: {1033 if status == 530 else status}".encode(),
        "text/plain; charset=UTF-8",
        (("CF-RAY", "9a1b2c3d4e5f6070-FRA"), ("Cache-Control", "private, max-age=0, no-store, no-cache")),
        server="cloudflare",
        reason=_CLOUDFLARE_REASONS[status],
    )


@dataclass(frozen=True)
class Instead:
    """A response instead of the upstream's, `after` seconds; `forwarding`: the upstream still gets the request."""

    answer: Answer
    after: float = 0.0
    forwarding: bool = False

    def __call__(self, exchange: Exchange) -> bool:
        """Send the response."""
        if self.forwarding:
            exchange.forward_alone()
        return not exchange.connection.pause(self.after) and exchange.send(self.answer)


@dataclass(frozen=True)
class Cut:
    """The connection is reset while the upstream still processes the request."""

    after: float = 0.3

    def __call__(self, exchange: Exchange) -> bool:
        """Reset the connection."""
        exchange.forward_alone()
        exchange.connection.pause(self.after)
        exchange.connection.reset()
        return False


@dataclass(frozen=True)
class Redirect:
    """A redirect to another URL that keeps the request's method."""

    location: str

    def __call__(self, exchange: Exchange) -> bool:
        """Respond with 307."""
        return exchange.send(Answer(307, b"", headers=(("Location", self.location),)))


@dataclass(frozen=True)
class On:
    """A fault for some paths only."""

    paths: frozenset[str]
    fault: Fault

    def __call__(self, exchange: Exchange) -> bool:
        """Apply the fault to these paths, and pass on the rest."""
        return (self.fault if exchange.request.path in self.paths else passing)(exchange)


@dataclass(frozen=True)
class AllBut:
    """A fault for all paths but some."""

    paths: frozenset[str]
    fault: Fault

    def __call__(self, exchange: Exchange) -> bool:
        """Pass on these paths, and apply the fault to the rest."""
        return (passing if exchange.request.path in self.paths else self.fault)(exchange)


@dataclass(frozen=True)
class TokenAdded:
    """nginx adds Watchtower's token to every request, whatever the client sends."""

    token: str

    def __call__(self, exchange: Exchange) -> bool:
        """Pass the request on, with the token."""
        kept = [each for each in exchange.request.headers if each[0].lower() != "authorization"]
        shown = replace(exchange.request, headers=(*kept, ("Authorization", f"Bearer {self.token}")))
        return passing(replace(exchange, request=shown))


@dataclass(frozen=True)
class OnlyPost:
    """nginx's `limit_except POST { deny all; }`."""

    def __call__(self, exchange: Exchange) -> bool:
        """Forbid all other methods."""
        return passing(exchange) if exchange.request.method == "POST" else exchange.send(FORBIDDEN)


class Cache:
    """A cache that keeps the first successful response for ever; with `honours_query`, one per query."""

    def __init__(self, *, honours_query: bool, silent: bool = False) -> None:
        self._honours_query = honours_query
        self._silent = silent
        self._kept: dict[str, tuple[float, bytes]] = {}
        self._lock = threading.Lock()

    def __call__(self, exchange: Exchange) -> bool:
        """Respond from the cache, or fill it."""
        request = exchange.request
        key = request.target if self._honours_query else request.path
        with self._lock:
            if key not in self._kept:
                raw = exchange.forward()
                if raw.startswith(b"HTTP/1.1 200"):
                    self._kept[key] = (request.at, raw)
                return exchange.connection.send(raw)
            since, raw = self._kept[key]
        if self._silent:
            return exchange.connection.send(raw)
        status, _, rest = raw.partition(b"\r\n")
        age = int(request.at - since) + 1
        return exchange.connection.send(b"%b\r\nAge: %d\r\nX-Cache: HIT\r\n%b" % (status, age, rest))


@dataclass(frozen=True)
class NothingBehind:
    """A proxy, such as nginx-proxy, that responds for a service that is down."""

    answer: Answer

    def __call__(self, exchange: Exchange) -> bool:
        """Pass the request on, or respond."""
        raw = exchange.forward()
        gone = raw.startswith(b"HTTP/1.1 502")
        return exchange.send(self.answer) if gone else exchange.connection.send(raw)


class ComesAndGoes:
    """A fault that comes and goes, starting without it at the first request. Durations are seconds."""

    def __init__(self, fault: Fault, *, well: float, ill: float) -> None:
        self._fault = fault
        self._well = well
        self._turn = well + ill
        self._since: float | None = None

    def __call__(self, exchange: Exchange) -> bool:
        """Apply the fault in its periods, and pass on otherwise."""
        at = exchange.request.at
        self._since = at if self._since is None else self._since
        return (passing if (at - self._since) % self._turn < self._well else self._fault)(exchange)


@dataclass(frozen=True)
class Adding:
    """A header that is added to every response."""

    header: bytes

    def __call__(self, exchange: Exchange) -> bool:
        """Pass the request on, and add the header to the response."""
        status, _, rest = exchange.forward().partition(b"\r\n")
        return exchange.connection.send(b"%b\r\n%b\r\n%b" % (status, self.header, rest))


class AtFirst:
    """A fault for the first requests only; `then` is the fault after them, by default none."""

    def __init__(self, count: int, fault: Fault, *, then: Fault = passing) -> None:
        self._left = count
        self._fault = fault
        self._then = then

    def __call__(self, exchange: Exchange) -> bool:
        """Apply the fault to the first requests, and `then` to the rest."""
        self._left -= 1
        return (self._fault if self._left >= 0 else self._then)(exchange)


class Limit:
    """nginx's `limit_req` with `nodelay`: a rate, a burst, and the stock 503 page beyond."""

    def __init__(self, per_minute: float = 30, burst: int = 15) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._excess = 0.0
        self._last: float | None = None
        self._lock = threading.Lock()
        self.refused = 0

    def __call__(self, exchange: Exchange) -> bool:
        """Pass the request on, or refuse it."""
        with self._lock:
            at = exchange.request.at
            if self._last is not None:
                excess = max(self._excess - (at - self._last) * self._rate, 0) + 1
                if excess > self._burst:
                    self.refused += 1
                    return exchange.send(LIMITED)
                self._excess = excess
            self._last = at
        return passing(exchange)


class InTurn:
    """Two builds respond in turn at each address, as behind a load balancer that still has the old one."""

    def __init__(self, other: int) -> None:
        self._other = other
        self._asked = Counter[str]()

    def __call__(self, exchange: Exchange) -> bool:
        """Forward to the service and the other port in turn."""
        request = exchange.request
        path = request.target.partition("?")[0]
        self._asked[path] += 1
        if self._asked[path] % 2:
            return passing(exchange)
        return passing(Exchange(exchange.front, exchange.connection, request, (self._other, request.target)))
