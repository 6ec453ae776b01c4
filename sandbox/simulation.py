"""A world without sockets, for tests and measurements: time passes only during waits, responses come from a script."""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from redeploy.decision.verdict import Conclusion
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.report.collect import result_of
from redeploy.report.results import RunResult
from redeploy.rollout.requests import (
    CheckContainers,
    Event,
    FetchContainers,
    FetchDocument,
    FetchManifest,
    FetchRevision,
    FetchTag,
    Probe,
    ProbeContainerSupport,
    PutManifest,
    Request,
    SendSmoke,
    SendTrigger,
)
from redeploy.rollout.run import redeploy
from redeploy.rollout.service_state import ServiceState
from redeploy.settings.inputs import parse
from redeploy.settings.plan import Plan
from redeploy.settings.reading import Workspace
from redeploy.text.secret import redactor

UPDATE_URL = "https://api.example.com/ops/watchtower/update"
BASE = "https://api.example.com"
TOKEN = "tok-8d1f0c6b2a"
ENOUGH = {"watchtower_url": UPDATE_URL, "watchtower_token": TOKEN}
"""The inputs that a deploy requires."""

WALL = 1_800_000_000.0
"""The wall clock at monotonic zero."""

Taking = tuple[HttpResult, float]
"""A response, and the seconds that it takes."""

REFUSED = TransportError(ErrorKind.REFUSED)
LATENCY = 0.04
MOST_REQUESTS = 1_000


def no_file(_path: str, _cap: int) -> str:
    """Raise the error of a missing file, as in an empty workspace."""
    msg = "names a file that cannot be read"
    raise ValueError(msg)


def any_certificate(pem: str) -> None:
    """Accept any certificate."""


def environment(**inputs: str) -> dict[str, str]:
    """Return an environment with these inputs and no others."""
    return {f"INPUT_{name.replace('_', '-').upper()}": value for name, value in inputs.items()}


def bare_plan(**inputs: str) -> Plan:
    """Return the plan of these inputs and no others."""
    return parse(environment(**inputs), Workspace(no_file, any_certificate))


def plan(**inputs: str) -> Plan:
    """Return the plan of these inputs, and of those that a deploy requires."""
    return bare_plan(**(ENOUGH | inputs))


@dataclass
class World:
    """An `Outside`. Scripts get the time in seconds since the first trigger, negative before it."""

    service: Callable[[float, Probe], HttpResult | Taking]
    trigger: Sequence[HttpResult | Taking] = (Response(200),)
    """The responses to the triggers; the last one repeats."""
    containers: Callable[[float], HttpResult | Taking] = lambda _: Response(404)
    document: Callable[[float], HttpResult | Taking] = lambda _: Response(404)
    smoke: Callable[[float, SendSmoke], HttpResult | Taking] = lambda _, __: Response(200)
    forked: HttpResult | Taking = field(default_factory=lambda: Response(401))
    registry: Callable[[float, FetchTag | FetchRevision], HttpResult | Taking] = lambda _, __: REFUSED
    manifests: Callable[[float, FetchManifest | PutManifest], HttpResult | Taking] = lambda _, __: REFUSED
    reasons: HttpResult | Taking = field(default_factory=lambda: Response(404))
    latency: float = LATENCY
    seed: int = 1
    """The seed of the random intervals between requests."""
    clock: float = 0.0
    most: int = MOST_REQUESTS
    """The maximum of requests of one run; that of waits is five times as large."""
    triggered: float | None = None
    asked: list[tuple[float, Request]] = field(default_factory=list)
    """The requests that were sent, with their times."""
    _waits: int = 0
    _due: list[tuple[float, int, Event]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    def now(self) -> float:
        """Return monotonic seconds."""
        return self.clock

    def wall(self) -> float:
        """Return seconds since 1970."""
        return WALL + self.clock

    def start(self, request: Request, sent: float, bound: float, service: str = "") -> None:
        """Respond to a request from the script, in time or as timed out."""
        if sent != self.clock or bound < 0 or len(self.asked) >= self.most:
            msg = "a request at another time than now, with a negative bound, or too many requests"
            raise AssertionError(msg)
        moment = sent - self.triggered if self.triggered is not None else sent - 1000.0
        found: HttpResult | Taking
        match request:
            case SendTrigger():
                self.triggered = sent if self.triggered is None else self.triggered
                found = self.trigger[min(len(self.sent(SendTrigger)), len(self.trigger) - 1)]
            case Probe():
                found = self.service(moment + self.latency / 2, request)  # the response is created half-way
            case FetchContainers():
                found = self.containers(moment)
            case FetchDocument():
                found = self.document(moment + self.latency / 2)
            case SendSmoke():
                found = self.smoke(moment + self.latency / 2, request)
            case FetchManifest() | PutManifest():
                found = self.manifests(moment, request)
            case FetchTag() | FetchRevision():
                found = self.registry(moment, request)
            case ProbeContainerSupport():
                found = self.forked
            case CheckContainers():
                found = self.reasons
        self.asked.append((sent, request))
        http_result, took = found if isinstance(found, tuple) else (found, self.latency)
        if took > bound:
            http_result, took = TransportError(ErrorKind.TIMED_OUT), bound
        at = sent + took
        heapq.heappush(
            self._due,
            (
                at,
                next(self._order),
                Event(service=service, request=request, http_result=http_result, sent=sent, at=at, wall=WALL + at),
            ),
        )

    def wait(self, until: float) -> Event | None:
        """Let time pass until a response, or `until`."""
        self._waits += 1
        if self._waits >= 5 * self.most:
            msg = "too many waits"
            raise AssertionError(msg)
        if self._due and self._due[0][0] <= until:
            at, _, event = heapq.heappop(self._due)
            self.clock = max(self.clock, at)
            return event
        if until == float("inf"):
            msg = "an unlimited wait without a pending response"
            raise AssertionError(msg)
        self.clock = max(self.clock, until)
        return None

    @property
    def under_way(self) -> int:
        """The number of requests without a response yet."""
        return len(self._due)

    @property
    def next_due(self) -> float:
        """The time of the next response; infinity if none is pending."""
        return self._due[0][0] if self._due else float("inf")

    def sent(self, kind: type[Request]) -> list[float]:
        """Return when requests of a kind were sent."""
        return [moment for moment, request in self.asked if isinstance(request, kind)]

    def since_trigger(self, kind: type[Request]) -> list[float]:
        """Return when requests of a kind were sent since the first trigger, in seconds after it."""
        start = self.triggered or 0.0
        return [moment - start for moment in self.sent(kind) if moment >= start]


@dataclass
class Log:
    """A log that is kept in memory."""

    lines: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(text)

    def debug(self, text: str) -> None:
        """Keep a line that only debug logging shows."""
        self.details.append(text)

    def open_group(self, title: str) -> None:
        """Keep a title."""
        self.groups.append(title)


@dataclass
class Story:
    """A finished run in a simulated world."""

    world: World
    state: ServiceState
    conclusion: Conclusion
    log: Log

    @property
    def verdict(self) -> tuple[str, str]:
        """Verdict and reason, as their names."""
        return self.conclusion.verdict.value, self.conclusion.reason.value

    @property
    def seconds(self) -> float:
        """Seconds from the first trigger to the end."""
        return self.world.clock - (self.world.triggered or 0.0)

    @property
    def outcome(self) -> RunResult:
        """The facts that reports are made of."""
        return result_of(self.state, self.conclusion, self.world.clock)


def simulate(world: World, **inputs: str) -> Story:
    """Run the action in a world, and return the finished run."""
    chosen, log = plan(**inputs), Log()
    state = ServiceState(chosen, began=world.now(), redact=redactor(chosen.secrets))
    conclusion = redeploy(state, world, random.Random(world.seed).random, log)
    return Story(world, state, conclusion, log)
