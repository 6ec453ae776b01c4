"""How many builds in a crash loop end green: none may."""

import collections
import random
from collections.abc import Iterator
from dataclasses import dataclass

from redeploy.http.response import HttpResult, Response
from redeploy.rollout.requests import Probe
from sandbox.simulation import REFUSED, World, simulate
from tools.bench.answers import NEW, OLD, names

LOOPS = 1000
SHORTEST_GAP = 1.0
"""Seconds; a shorter gap can fall between two probes."""


@dataclass(frozen=True)
class Loop:
    """A service whose new build responds and is down in turn, for ever. Durations are seconds."""

    stopped: float
    boot: float
    up: float
    down: float
    uneven: float
    """The fraction by which every second time up is shorter, and the others longer."""
    named: bool

    def __call__(self, moment: float, _: Probe) -> HttpResult:
        """Return the service's response at a moment after the trigger."""
        if moment < self.stopped:
            return names(OLD) if self.named else Response(200)
        since, turn = moment - self.stopped - self.boot, 0
        while since >= 0:
            up = self.up * (1 + self.uneven * (-1) ** turn)
            if since < up:
                return names(NEW) if self.named else Response(200)
            since, turn = since - up - self.down, turn + 1
        return REFUSED


def loops(seed: int, *, named: bool) -> Iterator[World]:
    """Yield worlds with such services, which name their build if `named`."""
    chance = random.Random(seed)
    for number in range(LOOPS):
        loop = Loop(
            stopped=chance.uniform(0.3, 5.0),
            boot=chance.uniform(0.5, 5.0),
            up=chance.uniform(0.3, 3.8),
            down=chance.uniform(SHORTEST_GAP, 4.0),
            uneven=chance.choice((0.0, 0.0, 0.3)),
            named=named,
        )
        answered = loop.stopped + chance.uniform(0.1, loop.boot)
        yield World(loop, ((Response(200), answered),), latency=chance.uniform(0.01, 0.15), seed=number)


def measure(*, named: bool) -> dict[str, int]:
    """Return the count of each verdict and reason."""
    ends: collections.Counter[str] = collections.Counter()
    declared = {"expect_version": NEW} if named else {}
    for world in loops(11, named=named):
        story = simulate(world, timeout="2m", **declared)
        ends["/".join(story.verdict) if story.conclusion.exit_code else "green"] += 1
    return dict(ends)
