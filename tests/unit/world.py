"""A world without sockets: time passes only while somebody waits, and everything is answered from a script."""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from redeploy.core.asking import Ask, AskContainers, AskForReasons, AskWhetherForked, Event, Probe, SendTrigger
from redeploy.core.exchange import Exchange, Fault, NoReply, Reply
from redeploy.core.outcome import Outcome, outcome_of
from redeploy.core.verdict import Conclusion
from redeploy.core.watch import Watch
from redeploy.deploy import redeploy
from tests.unit.making import WALL, plan

Taking = tuple[Exchange, float]
"""An answer, and the seconds that it takes."""

REFUSED = NoReply(Fault.REFUSED)
LATENCY = 0.04
MOST_WAITS = 5_000
MOST_ASKS = 1_000


@dataclass
class World:
    """An `Outside`. Scripts are asked for the moment, in seconds since the first trigger, negative before it."""

    service: Callable[[float, Probe], Exchange | Taking]
    trigger: Sequence[Exchange | Taking] = (Reply(200),)
    """The answers to the triggers, the last one repeating."""
    containers: Callable[[float], Exchange | Taking] = lambda _: Reply(404)
    forked: Exchange | Taking = field(default_factory=lambda: Reply(401))
    reasons: Exchange | Taking = field(default_factory=lambda: Reply(404))
    latency: float = LATENCY
    seed: int = 1
    """Of the chance that makes looks irregular."""
    clock: float = 0.0
    triggered: float | None = None
    asked: list[tuple[float, Ask]] = field(default_factory=list)
    """What went out, and when."""
    _waits: int = 0
    _due: list[tuple[float, int, Event]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    def now(self) -> float:
        return self.clock

    def wall(self) -> float:
        return WALL + self.clock

    def start(self, ask: Ask, sent: float, bound: float) -> None:
        assert sent == self.clock
        assert bound >= 0
        assert len(self.asked) < MOST_ASKS, "it asks without end"
        moment = sent - self.triggered if self.triggered is not None else sent - 1000.0
        found: Exchange | Taking
        match ask:
            case SendTrigger():
                self.triggered = sent if self.triggered is None else self.triggered
                found = self.trigger[min(len(self.sent(SendTrigger)), len(self.trigger) - 1)]
            case Probe():
                found = self.service(moment, ask)
            case AskContainers():
                found = self.containers(moment)
            case AskWhetherForked():
                found = self.forked
            case AskForReasons():
                found = self.reasons
        self.asked.append((sent, ask))
        exchange, took = found if isinstance(found, tuple) else (found, self.latency)
        if took > bound:
            exchange, took = NoReply(Fault.TIMED_OUT), bound
        at = sent + took
        heapq.heappush(
            self._due, (at, next(self._order), Event(ask=ask, exchange=exchange, sent=sent, at=at, wall=WALL + at))
        )

    def wait(self, until: float) -> Event | None:
        self._waits += 1
        assert self._waits < MOST_WAITS, "it goes round in circles"
        if self._due and self._due[0][0] <= until:
            at, _, event = heapq.heappop(self._due)
            self.clock = max(self.clock, at)
            return event
        assert until < float("inf"), "it would wait for ever"
        self.clock = max(self.clock, until)
        return None

    def sent(self, kind: type[Ask]) -> list[float]:
        """When asks of a kind went out."""
        return [moment for moment, ask in self.asked if isinstance(ask, kind)]

    def since_trigger(self, kind: type[Ask]) -> list[float]:
        """When asks of a kind went out since the first trigger, in seconds after it."""
        start = self.triggered or 0.0
        return [moment - start for moment in self.sent(kind) if moment >= start]


@dataclass
class Log:
    """A log that is kept."""

    lines: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.lines.append(text)

    def open_group(self, title: str) -> None:
        self.groups.append(title)


@dataclass
class Story:
    """A run that was told to its end."""

    world: World
    watch: Watch
    conclusion: Conclusion
    log: Log

    @property
    def verdict(self) -> tuple[str, str]:
        return self.conclusion.verdict.value, self.conclusion.reason.value

    @property
    def seconds(self) -> float:
        """Seconds from the first trigger to the end."""
        return self.world.clock - (self.world.triggered or 0.0)

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.watch, self.conclusion, self.world.clock)


def tell(world: World, **inputs: str) -> Story:
    """Run the story in a world."""
    watch, log = Watch(plan(**inputs), began=world.now()), Log()
    conclusion = redeploy(watch, world, random.Random(world.seed).random, log)  # noqa: S311 - only so that every run is the same
    return Story(world, watch, conclusion, log)
