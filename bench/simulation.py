"""A world without sockets: rollouts on a fake clock, seen by the real story."""

import heapq
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from redeploy.core.asking import Ask, Event, Probe, SendTrigger
from redeploy.core.exchange import Exchange, Fault, NoReply, Reply
from redeploy.core.inputs import Workspace, parse
from redeploy.core.verdict import Conclusion
from redeploy.core.watch import Watch
from redeploy.deploy import redeploy

OLD, NEW = "1" * 40, "2" * 40
WALL = 1_800_000_000.0
"""Our clock at monotonic zero."""

REFUSED = NoReply(Fault.REFUSED)
EMPTY = Reply(200)


def names(build: str) -> Reply:
    """Return a healthy answer that names its build."""
    return Reply(200, {"content-type": "application/json"}, json.dumps({"status": "ready", "commit": build}).encode())


@dataclass
class Simulation:
    """An `Outside` whose time passes only while somebody waits.

    Attributes:
        service: what the service answers at a moment, in seconds since the trigger (negative before it).
        answer: Watchtower's answer to the trigger.
        answered_after: seconds until it comes.
        latency: seconds that a look takes.
    """

    service: Callable[[float], Exchange]
    answer: Exchange = EMPTY
    answered_after: float = 1.0
    latency: float = 0.04
    clock: float = 0.0
    triggered: float | None = None
    asked: list[float] = field(default_factory=list)
    _due: list[tuple[float, int, Event]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    def now(self) -> float:
        """Return monotonic seconds."""
        return self.clock

    def wall(self) -> float:
        """Return seconds since 1970."""
        return WALL + self.clock

    def start(self, ask: Ask, sent: float, bound: float) -> None:
        """Answer an ask from the script of this world, in time or as timed out."""
        exchange: Exchange
        match ask:
            case SendTrigger():
                if self.triggered is None:
                    self.triggered = sent
                exchange, took = self.answer, self.answered_after
            case Probe():
                self.asked.append(sent)
                moment = sent + self.latency / 2
                exchange = self.service(moment - self.triggered if self.triggered is not None else -1.0)
                took = self.latency
            case _:
                exchange, took = Reply(404), self.latency
        if took > bound:
            exchange, took = NoReply(Fault.TIMED_OUT), bound
        at = sent + took
        event = Event(ask=ask, exchange=exchange, sent=sent, at=at, wall=WALL + at)
        heapq.heappush(self._due, (at, next(self._order), event))

    def wait(self, until: float) -> Event | None:
        """Let time pass until something is answered, or `until`."""
        if self._due and self._due[0][0] <= until:
            at, _, event = heapq.heappop(self._due)
            self.clock = max(self.clock, at)
            return event
        self.clock = max(self.clock, until)
        return None


class Silence:
    """A log that nobody reads."""

    def say(self, text: str) -> None:
        """Say nothing."""

    def open_group(self, title: str) -> None:
        """Open nothing."""


def run(world: Simulation, seed: int, **inputs: str) -> tuple[Conclusion, Watch]:
    """Run the story in a simulated world and return its end and all that it saw."""
    given = {"watchtower-url": "https://w.example/ops/update", "watchtower-token": "t" * 32} | {
        name.replace("_", "-"): value for name, value in inputs.items()
    }
    plan = parse(
        {f"INPUT_{name.upper()}": value for name, value in given.items()},
        Workspace(read=lambda path: path, check_certificate=lambda _: None),
    )
    watch = Watch(plan, began=world.now())
    return redeploy(watch, world, random.Random(seed).random, Silence()), watch
