"""How three product lines of Watchtower speak HTTP, byte for byte: their servers' header order, spelling and bodies."""

import gzip
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import formatdate

from sandbox.network.sockets import Request

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
REASONS = {
    200: "OK",
    202: "Accepted",
    204: "No Content",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
Headers = Sequence[tuple[str, str]]
Family = tuple[str, str, str, str]
"""A metric: name, type, help, and the rest of its line."""

_LEAST_COMPRESSED = 200
"""The size in bytes below which a body is not compressed (fasthttp, `minCompressLen`)."""

_HELMET: Headers = (
    ("X-Xss-Protection", "0"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Origin-Agent-Cluster", "?1"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Dns-Prefetch-Control", "off"),
    ("X-Download-Options", "noopen"),
    ("X-Permitted-Cross-Domain-Policies", "none"),
)


def go_http(request: Request, status: int, body: bytes = b"", headers: Headers = (), *, chunked: bool = False) -> bytes:
    """A response of Go's net/http: the handler's headers in alphabetical order, then those that the server adds."""
    own = [*sorted(headers), ("Date", formatdate(usegmt=True))]
    # For HEAD, the server counts only what the handler wrote; for others, an empty body has a length of 0.
    if not chunked and (body or request.method != "HEAD"):
        own.append(("Content-Length", str(len(body))))
    if request.closes:
        own.append(("Connection", "close"))
    if chunked:
        own.append(("Transfer-Encoding", "chunked"))
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return _render(status, own, b"" if request.method == "HEAD" else body)


def go_not_found(request: Request) -> bytes:
    """The response of net/http for a path without a handler."""
    return go_http(
        request, 404, b"404 page not found\n", [("Content-Type", TEXT), ("X-Content-Type-Options", "nosniff")]
    )


def fiber(
    request: Request,
    status: int,
    body: str,
    *,
    content_type: str = TEXT,
    headers: Headers = (),
    rate: Headers = (),
    handled: bool = True,
) -> bytes:
    """A response of the fork's Fiber server. `handled`: a handler wrote it, so the compression middleware applies."""
    data = body.encode()
    small = len(data) < _LEAST_COMPRESSED
    packed = handled and not small and "gzip" in (request.header("Accept-Encoding") or "")
    data = gzip.compress(data, 1) if packed else data
    own = [
        ("Date", formatdate(usegmt=True)),
        ("Content-Type", content_type),
        ("Content-Length", str(len(data))),
        *_HELMET,
        ("X-Request-Id", secrets.token_urlsafe(32)),
        *headers,
        *rate,
    ]
    if packed:
        own.insert(2, ("Content-Encoding", "gzip"))
    if handled:
        own.append(("Vary", "Accept-Encoding"))
    if request.closes:
        own.append(("Connection", "close"))
    return _render(status, own, b"" if request.method == "HEAD" else data)


def fiber_timeout(request: Request) -> bytes:
    """The fork's 408: a new response that bypasses the middleware."""
    body = REASONS[408].encode()
    own = [("Date", formatdate(usegmt=True)), ("Content-Type", TEXT), ("Content-Length", str(len(body)))]
    if request.closes:
        own.append(("Connection", "close"))
    return _render(408, own, body)


def compact(document: object) -> str:
    """JSON as Go's encoder writes it: no spaces, `<`, `>` and `&` as escapes, keys in the order given."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def second() -> str:
    """The time in the format of the summaries."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant() -> str:
    """The time with nanoseconds, without trailing zeros."""
    nanoseconds = time.time_ns()
    stamp = datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{nanoseconds % 10**9:09d}".rstrip("0").rstrip(".") + "Z"


def go_duration(seconds: float) -> str:
    """A duration as Go prints it: `930.4µs`, `85.583345ms`, `8.56265906s`, `1m3.5s`."""
    nanoseconds = round(seconds * 1e9)
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if nanoseconds < size * 1000:
            return f"{_decimal(nanoseconds, size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{_decimal(rest, 10**9)}s"


_GAUGES = {
    "failed": "Number of containers where update failed during the last scan",
    "restarted": "Number of containers restarted due to linked dependencies during the last scan",
    "scanned": "Number of containers scanned for changes by watchtower during the last scan",
    "skipped": "Number of containers skipped during the last scan",
    "updated": "Number of containers updated by watchtower during the last scan",
}


def exposition(gauges: Mapping[str, int], counters: Sequence[Family]) -> str:
    """The metrics in Prometheus's text format: the last scan's gauges, the product line's own counters, and Go's."""
    started = f" {time.time() - time.monotonic():.11e}"
    families: list[Family] = [
        ("go_info", "gauge", "Information about the Go environment.", '{version="go1.26.8"} 1'),
        ("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", started),
        *((f"watchtower_containers_{name}", "gauge", _GAUGES[name], f" {value}") for name, value in gauges.items()),
        *counters,
    ]
    return "".join(
        f"# HELP {name} {text}\n# TYPE {name} {kind}\n{name}{value}\n" for name, kind, text, value in sorted(families)
    )


def _decimal(nanoseconds: int, size: int) -> str:
    whole, part = divmod(nanoseconds, size)
    digits = f"{part:0{len(str(size)) - 1}d}".rstrip("0") if size > 1 else ""
    return f"{whole}.{digits}" if digits else str(whole)


def _render(status: int, headers: Headers, body: bytes) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {REASONS[status]}\r\n{head}\r\n".encode() + body
