"""One response of the service, and what it says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from redeploy.http.condition import Condition, condition_of
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.sender import UNKNOWN_SENDER, Sender, sender_of
from redeploy.service.build_fields import LONGEST_NAME, BuildName
from redeploy.service.declared import Rank
from redeploy.service.endpoint import Endpoint, Service
from redeploy.service.naming import names_in, version_in
from redeploy.service.process import Start, moment_of, process_times

CLOCK_TOLERANCE = 2.0
"""Seconds within which two clocks agree; a `Date` header is cut to whole seconds."""


WHOLE_SECONDS = 1.25
"""Seconds by which a start time varies that is calculated from an uptime in whole seconds."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One look. `sent` and `at` are monotonic seconds: when the request was sent, and when its response was complete."""

    sent: float
    at: float
    endpoints: frozenset[Endpoint]
    condition: Condition
    seen: str
    """What came back, in our own words."""
    error_kind: ErrorKind | None = None
    """Why there was no response, if there was none."""
    status: int = 0
    """The status of the response; 0 if there was none."""
    sender: Sender = UNKNOWN_SENDER
    """Who responded, if that was not the service as expected."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The build names, by path; redacted. If the version has its own address, health's paths begin with `health:`."""
    ranks: Mapping[str, Rank] = field(default_factory=dict)
    """The kind of each name, and where it was found."""
    starts: Mapping[str, Start] = field(default_factory=dict)
    uptimes: Mapping[str, float] = field(default_factory=dict)
    """How long the process says that it has been running, in an unknown unit."""
    wall: float = 0.0
    """Our clock at `at`, in seconds since 1970."""
    ticking: frozenset[str] = frozenset()
    """Paths whose value is the present moment: a clock, unless another sample shows otherwise."""
    names_itself: bool = False
    """Whether the version was expected in this response."""
    retry_after: float | None = None
    hops: int = 0
    wrong_version_url: bool = False
    """Whether the version address, asked alone, responded with a page or a 4xx: that shows neither build nor health."""
    reported_unhealthy: str = ""
    """The line of `health-expect` that would make this response unhealthy, although its status is: it says so itself."""
    beyond_caches: bool = False
    """Whether a cache that respects the query cannot have sent this response, or the address rejects a random query."""

    @property
    def transport_error(self) -> bool:
        """Whether the connection failed in any way."""
        return self.error_kind not in (None, ErrorKind.TLS, ErrorKind.TOO_LARGE)

    @property
    def gone(self) -> bool:
        """Whether nothing was there to respond: no connection, or a proxy that reached nothing."""
        return self.transport_error or self.condition is Condition.DOWN

    @property
    def healthy(self) -> bool:
        """Whether the service responded as expected."""
        return self.condition is Condition.HEALTHY

    @property
    def is_stock_page(self) -> bool:
        """Whether this is nginx's stock 503 page, which a rate limit sends, and a proxy with nothing behind it, too."""
        return self.condition is Condition.THROTTLED and self.status == 503

    @property
    def is_rate_limit(self) -> bool:
        """Whether this certainly came from a rate limit."""
        return self.condition is Condition.THROTTLED and self.status != 503

    def timed(self, units: Mapping[str, float]) -> "Sample":
        """Return the sample with uptimes turned into start times, for those whose unit is in `units`."""
        if not self.uptimes or not units:
            return self
        starts = dict(self.starts)
        for path, uptime in self.uptimes.items():
            if path in units:
                began = self.wall - uptime * units[path]
                wavers = WHOLE_SECONDS if units[path] == 1 and uptime.is_integer() else Start.slack
                starts[path] = Start(reported=began, ours=began, slack=wavers + self.at - self.sent)
        return replace(self, starts=starts)

    def beside(self, other: "Sample | None") -> "Sample":
        """Return the sample with what the service's other address said last: both describe one service."""
        if other is None or self.error_kind is not None or self.condition not in _SERVICE_SPEAKS:
            return self
        return replace(
            self,
            names={**other.names, **self.names},
            ranks={**other.ranks, **self.ranks},
            starts={**other.starts, **self.starts},
        )


_SERVICE_SPEAKS = (Condition.HEALTHY, Condition.NOT_READY)


def read_sample(
    http_result: HttpResult,
    service: Service,
    endpoints: frozenset[Endpoint],
    *,
    sent: float,
    at: float,
    wall: float,
    redact: Callable[[str], str] = str,
    beyond_caches: bool = False,
) -> Sample:
    """Return what one look shows of the service; `wall` is our clock, in seconds since 1970, when the response was complete.

    A 4xx or a page at a separate version address names no build; it does not mean that the service is unhealthy.
    `beyond_caches` says that a cache in front, if there is one, cannot have sent this response.
    """
    condition, seen = _condition(http_result, service, endpoints, redact)
    wrong_version_url = isinstance(http_result, Response) and _wrong_version_url(http_result, condition, endpoints)
    if wrong_version_url:
        condition, seen = Condition.HEALTHY, f"{seen}, which does not name a version"
    if isinstance(http_result, TransportError):
        return Sample(
            sent=sent,
            at=at,
            endpoints=endpoints,
            condition=condition,
            seen=seen,
            error_kind=http_result.error_kind,
            wall=wall,
            beyond_caches=beyond_caches,
        )
    clock = http_result.date if http_result.date is not None else wall
    names: dict[str, BuildName] = {}
    starts: dict[str, Start] = {}
    uptimes: dict[str, float] = {}
    at_health = Endpoint.VERSION not in endpoints
    asks_health = Endpoint.HEALTH in endpoints
    if condition in _SERVICE_SPEAKS:
        mark = "health:" if at_health else ""
        good = condition is Condition.HEALTHY and not wrong_version_url
        found = names_in(http_result, service, for_version=not at_health, healthy=good, redact=redact)
        names = {f"{mark}{path}": name for path, name in found.items()}
        begun, uptimes = process_times(http_result.json)
        uptimes = {f"{mark}{path}": uptime for path, uptime in uptimes.items()}
        for path, (began, zoned) in begun.items():
            starts[f"{mark}{path}"] = Start(reported=began, ours=began - clock + wall, zoned=zoned)
    texts = {path: redact(name.text)[:LONGEST_NAME] for path, name in names.items()}
    moments = {path: start.reported for path, start in starts.items()}
    moments |= {path: moment for path, name in texts.items() if (moment := moment_of(name)) is not None}
    return Sample(
        sent=sent,
        at=at,
        endpoints=endpoints,
        condition=condition,
        seen=seen,
        names=texts,
        ranks={path: Rank(name.kind, at_health, name.depth) for path, name in names.items()},
        starts=starts,
        uptimes=uptimes,
        wall=wall,
        ticking=frozenset(
            path for path, moment in moments.items() if min(abs(moment - wall), abs(moment - clock)) <= CLOCK_TOLERANCE
        ),
        names_itself=not at_health,
        retry_after=http_result.retry_after if condition is Condition.THROTTLED else None,
        hops=http_result.hops,
        status=http_result.status,
        sender=UNKNOWN_SENDER if condition is Condition.HEALTHY else sender_of(http_result),
        wrong_version_url=wrong_version_url,
        reported_unhealthy=service.health_expect.reported_unhealthy(http_result, redact)
        if condition is Condition.HEALTHY and asks_health
        else "",
        beyond_caches=beyond_caches,
    )


def _wrong_version_url(reply: Response, condition: Condition, endpoints: frozenset[Endpoint]) -> bool:
    lost = condition is Condition.HTML or (condition is Condition.NOT_READY and 400 <= reply.status < 500)
    return lost and Endpoint.HEALTH not in endpoints


def _condition(
    http_result: HttpResult, service: Service, endpoints: frozenset[Endpoint], redact: Callable[[str], str]
) -> tuple[Condition, str]:
    """Judge one look: what is true of every response, and whether it meets the health condition."""
    condition, seen = condition_of(http_result)
    if condition is not Condition.HEALTHY or isinstance(http_result, TransportError):
        return condition, seen
    expected, asks_health = service.health_expect, Endpoint.HEALTH in endpoints
    takes_page = expected.takes_page if asks_health else _names_build(http_result, service)
    if http_result.is_html and not takes_page:
        return Condition.HTML, f"{seen} with an HTML page"
    if asks_health and (failure := expected.failure(http_result, redact)) is not None:
        return Condition.NOT_READY, f"{seen}, but {failure}"
    return Condition.HEALTHY, seen


def _names_build(page: Response, service: Service) -> bool:
    """Return whether a page at the version address has the version that `version-field` names."""
    return bool(service.version_field and version_in(page, service.version_field))
