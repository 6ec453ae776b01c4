"""One look at the service, and what it tells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from redeploy.core.fields import MISSING, pick, spelled
from redeploy.core.names import LONGEST_NAME, build_names, moment_of, process_times
from redeploy.core.plan import Service
from redeploy.http.response import Exchange, Fault, NoReply, Reply

CLOCK_TOLERANCE = 2.0
"""Seconds within which two clocks are the same; a `Date` header is cut to whole seconds."""


WHOLE_SECONDS = 1.25
"""Seconds by which a start time wavers that is reckoned from an uptime in whole seconds."""


class Endpoint(StrEnum):
    """Which of the service's addresses was asked; one with both meanings counts as `HEALTH` and `VERSION`."""

    HEALTH = "health"
    VERSION = "version"


class Condition(StrEnum):
    """How the service was found."""

    HEALTHY = "healthy"
    NOT_READY = "not ready"
    DOWN = "down"
    HTML = "a web page"
    REDIRECT = "a redirect elsewhere"
    ACCESS_WALL = "a Cloudflare Access login"
    CHALLENGE = "a Cloudflare challenge"
    TLS = "a TLS fault"
    CACHED = "a cached answer"
    THROTTLED = "too many requests"

    @property
    def tells_nothing(self) -> bool:
        """Whether an answer like this is no sample: it says nothing of the service."""
        return self in (Condition.CACHED, Condition.THROTTLED)

    @property
    def is_wall(self) -> bool:
        """Whether this stands in front of the service, and waiting does not move it."""
        return self in (Condition.ACCESS_WALL, Condition.CHALLENGE, Condition.TLS, Condition.REDIRECT)


@dataclass(frozen=True, kw_only=True)
class Start:
    """When a process started: as told (to compare with itself), and by our own clock (to compare with the trigger)."""

    told: float
    ours: float
    slack: float = 0.5
    """Seconds by which it may waver: an uptime in whole seconds does by one."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One look. `sent` and `at` are monotonic seconds: when it was asked, and when its answer was complete."""

    sent: float
    at: float
    endpoints: frozenset[Endpoint]
    condition: Condition
    seen: str
    """What came back, in our own words."""
    fault: Fault | None = None
    """Why there was no reply, if there was none."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What names the build, by path; redacted."""
    starts: Mapping[str, Start] = field(default_factory=dict)
    ticking: frozenset[str] = frozenset()
    """Paths whose value is the present moment: a clock, unless another sample tells otherwise."""
    names_itself: bool = False
    """Whether this answer is where the version was to be found."""
    retry_after: float | None = None
    hops: int = 0
    astray: bool = False
    """Whether the version address, asked alone, answered with a page or a 4xx: that names no build and tells no health."""

    @property
    def transport_error(self) -> bool:
        """Whether the connection failed, in whatever way."""
        return self.fault not in (None, Fault.TLS, Fault.TOO_LARGE)

    @property
    def healthy(self) -> bool:
        """Whether the service answered as it should."""
        return self.condition is Condition.HEALTHY


def read_sample(
    exchange: Exchange,
    service: Service,
    endpoints: frozenset[Endpoint],
    *,
    sent: float,
    at: float,
    wall: float,
    redact: Callable[[str], str] = str,
    never_named: bool = False,
) -> Sample:
    """Return what one exchange tells of the service; `wall` is our clock, in seconds since 1970, when it was complete.

    Where the version address has `never_named` anything, a 4xx or a page there is a wrong address, not an ill service.
    """
    condition, seen = _condition(exchange, service, endpoints)
    astray = never_named and isinstance(exchange, Reply) and _astray(exchange, condition, endpoints)
    if astray:
        condition, seen = Condition.HEALTHY, f"{seen}, which names no version"
    if isinstance(exchange, NoReply):
        return Sample(sent=sent, at=at, endpoints=endpoints, condition=condition, seen=seen, fault=exchange.fault)
    clock = exchange.date if exchange.date is not None else wall
    names: dict[str, str] = {}
    starts: dict[str, Start] = {}
    if condition in (Condition.HEALTHY, Condition.NOT_READY):
        document = exchange.json
        names = _names(exchange, document, service, endpoints)
        told, uptimes = process_times(document)
        starts = {path: Start(told=moment, ours=moment - clock + wall) for path, moment in told.items()}
        for path, uptime in uptimes.items():
            slack = WHOLE_SECONDS if uptime.is_integer() else Start.slack
            starts[path] = Start(told=wall - uptime, ours=wall - uptime, slack=slack)
    moments = {path: start.told for path, start in starts.items()}
    moments |= {path: moment for path, name in names.items() if (moment := moment_of(name)) is not None}
    return Sample(
        sent=sent,
        at=at,
        endpoints=endpoints,
        condition=condition,
        seen=seen,
        names={path: redact(name) for path, name in names.items()},
        starts=starts,
        ticking=frozenset(
            path for path, moment in moments.items() if min(abs(moment - wall), abs(moment - clock)) <= CLOCK_TOLERANCE
        ),
        names_itself=Endpoint.VERSION in endpoints,
        retry_after=exchange.retry_after if condition is Condition.THROTTLED else None,
        hops=exchange.hops,
        astray=astray,
    )


def _names(reply: Reply, document: Any, service: Service, endpoints: frozenset[Endpoint]) -> dict[str, str]:  # noqa: ANN401
    """Return what names the build: the declared field alone, or everything on the list, or a one-line body."""
    wanted = service.version_field
    if wanted:
        if Endpoint.VERSION not in endpoints:
            return {}
        value = (
            reply.headers.get(wanted.removeprefix("header:").lower())
            if wanted.startswith("header:")
            else spelled(pick(document, wanted))
        )
        return {wanted: value.strip()[:LONGEST_NAME]} if value and value.strip() else {}
    if isinstance(document, dict):
        return build_names(document, reply.headers)
    names = build_names(None, reply.headers)
    text = (document if isinstance(document, str) else reply.text).strip()
    fits = 0 < len(text) <= LONGEST_NAME and text.isprintable() and not isinstance(document, list)
    good = 200 <= reply.status < 300 and not reply.is_html
    if service.names_itself and Endpoint.VERSION in endpoints and fits and good:
        names["body"] = text
    return names


def _astray(reply: Reply, condition: Condition, endpoints: frozenset[Endpoint]) -> bool:
    lost = condition is Condition.HTML or (condition is Condition.NOT_READY and 400 <= reply.status < 500)
    return lost and Endpoint.HEALTH not in endpoints


def condition_of(exchange: Exchange) -> tuple[Condition, str]:
    """Judge one exchange with whatever address of the service, most telling sign first; healthy is 2xx."""
    if isinstance(exchange, NoReply):
        detail = f" ({exchange.detail})" if exchange.detail else ""
        if exchange.fault is Fault.TLS:
            return Condition.TLS, f"the TLS handshake failed{detail}"
        if exchange.fault is Fault.TOO_LARGE:
            return Condition.NOT_READY, "an answer beyond the cap of its size"
        return Condition.DOWN, _NO_REPLY[exchange.fault] + detail
    status = exchange.status
    if _from_cache(exchange.headers):
        return Condition.CACHED, f"{status} out of a cache"
    if exchange.is_challenge:
        return Condition.CHALLENGE, f"{status}, a Cloudflare challenge"
    if exchange.is_access_wall:
        return Condition.ACCESS_WALL, f"{status} from Cloudflare Access"
    if status == 429 or exchange.is_nginx_busy_page:
        return Condition.THROTTLED, f"{status}, too many requests"
    if 300 <= status < 400:
        return Condition.REDIRECT, f"{status}, a redirect that is not followed"
    if status in (525, 526):
        return Condition.TLS, f"{status}, Cloudflare does not trust the server's certificate"
    if status in _GATEWAY or (status == 503 and (exchange.is_html or b"no available server" in exchange.body[:64])):
        return Condition.DOWN, f"{status} from a proxy"
    return (Condition.HEALTHY if 200 <= status < 300 else Condition.NOT_READY), str(status)


def _condition(exchange: Exchange, service: Service, endpoints: frozenset[Endpoint]) -> tuple[Condition, str]:
    """Judge one look: beside what is true of every answer, whether it is the one that health asks for."""
    condition, seen = condition_of(exchange)
    if condition is not Condition.HEALTHY or isinstance(exchange, NoReply):
        return condition, seen
    expected = service.health_expect if Endpoint.HEALTH in endpoints else "any"
    if exchange.is_html and not (expected == "any" and Endpoint.HEALTH in endpoints):
        return Condition.HTML, f"{seen} with an HTML page"
    if expected not in ("", "any"):
        name, _, value = expected.partition("=")
        found = pick(exchange.json, name.strip())
        if found is MISSING or spelled(found) != value.strip():
            return Condition.NOT_READY, f"{seen}, but `{name}` is not what `health-expect` asks"
    return Condition.HEALTHY, seen


_GATEWAY = frozenset({502, 504, *range(520, 525), 527, 530})
"""A proxy speaks here, not the service (nginx; developers.cloudflare.com, "Cloudflare 5xx errors")."""

_NO_REPLY = {
    Fault.UNRESOLVED: "the host name has no address",
    Fault.REFUSED: "the connection was refused",
    Fault.NOT_CONNECTED: "no connection in time",
    Fault.CUT: "the connection was closed without an answer",
    Fault.TIMED_OUT: "no answer in time",
}


def _from_cache(headers: Mapping[str, str]) -> bool:
    """Tell whether a cache says that it answered in the service's place (RFC 9111 `Age`, RFC 9211, and usual headers)."""
    age = headers.get("age", "").strip()
    if age.isascii() and age.isdigit() and age.strip("0"):
        return True
    said = " ".join(headers.get(name, "") for name in ("x-cache", "x-cache-status", "x-proxy-cache", "cache-status"))
    return "hit" in said.lower() or headers.get("cf-cache-status", "").upper() in ("HIT", "STALE", "UPDATING")
