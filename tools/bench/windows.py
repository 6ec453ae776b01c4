"""How many builds end green that are healthy only at times, or only on some of their instances."""

import collections
import random
from collections.abc import Callable, Iterator

from redeploy.http.response import HttpResult, Response
from redeploy.rollout.requests import Probe
from redeploy.service.endpoint import Endpoint
from sandbox.simulation import Story, World, simulate
from tools.bench.answers import NEW, OLD, names

RUNS = 1000
SHORTEST_GAP, LONGEST_GAP = 1.0, 4.0
"""Seconds."""

NOT_READY = Response(503, {"content-type": "application/json"}, b'{"status": "no database"}')
STOCK_503 = Response(
    503,
    {"content-type": "text/html"},
    b"<html><head><title>503 Service Temporarily Unavailable</title></head><body><center><h1>503 Service Temporarily "
    b"Unavailable</h1></center><hr><center>nginx</center></body></html>",
)

Service = Callable[[float, Probe], HttpResult]


def comes_and_goes(chance: random.Random, gap: HttpResult, *, constant_version: bool) -> Service:
    """Return a service whose new build is healthy and responds with `gap` in turn, for ever."""
    replaced, well = chance.uniform(0.3, 5.0), chance.uniform(0.3, 3.8)
    away, uneven = chance.uniform(SHORTEST_GAP, LONGEST_GAP), chance.choice((0.0, 0.0, 0.3))

    def service(moment: float, probe: Probe) -> HttpResult:
        if moment < replaced:
            return names(OLD)
        if constant_version and Endpoint.HEALTH not in probe.endpoints:
            return names(NEW)
        since, turn = moment - replaced, 0
        while since >= 0:
            good = well * (1 + uneven * (-1) ** turn)
            if since < good:
                return names(NEW)
            since, turn = since - good - away, turn + 1
        return gap

    return service


def one_stale(chance: random.Random, instances: int) -> Service:
    """Return a service of which one instance stays the old build."""
    return lambda moment, _: names(OLD if moment < 2 or chance.random() < 1 / instances else NEW)


def runs(make: Callable[[random.Random], Service], **inputs: str) -> Iterator[Story]:
    """Yield `RUNS` runs, each with its own service and seed."""
    for number in range(RUNS):
        chance = random.Random(number)
        world = World(
            make(chance),
            ((Response(200), chance.uniform(0.5, 6.0)),),
            latency=chance.uniform(0.01, 0.15),
            seed=number,
        )
        yield simulate(world, timeout="2m", expect_version=NEW, **inputs)


def readiness(gap: HttpResult, *, apart: bool) -> dict[str, int]:
    """Return the count of each verdict for services that come and go."""
    path = {"version_path": "/api/version"} if apart else {}
    return _ends(runs(lambda chance: comes_and_goes(chance, gap, constant_version=apart), **path))


def stale(instances: int, *, declared: bool) -> dict[str, int]:
    """Return the count of each verdict with one stale instance; if undeclared, only of runs that saw an old response."""
    inputs = {"instances": str(instances)} if declared else {}
    found = runs(lambda chance: one_stale(chance, instances), **inputs)
    return _ends(story for story in found if declared or story.state.history.turns)


def _ends(stories: Iterator[Story]) -> dict[str, int]:
    ends = collections.Counter("/".join(story.verdict) if story.conclusion.exit_code else "green" for story in stories)
    return dict(ends)
