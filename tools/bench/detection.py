"""How soon the new build is detected, in thousands of simulated rollouts."""

import math
import random
import statistics
from collections.abc import Iterator

from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.rollout.requests import Probe
from sandbox.simulation import REFUSED, World, simulate
from tools.bench.answers import NEW, OLD, names

ROLLOUTS = 2000
SHORTEST, LONGEST = 0.3, 90.0


def rollouts(seed: int, *, lost: bool, count: int = ROLLOUTS) -> Iterator[tuple[float, World]]:
    """Yield rollouts of log-uniform length: the second at which the new build first responds, and its world.

    The old build responds until it is stopped, nothing does while the new one boots, and Watchtower responds when it has
    started it; or its response is lost, at some time or when a proxy times out after a minute.
    """
    chance = random.Random(seed)
    for number in range(count):
        length = math.exp(chance.uniform(math.log(SHORTEST), math.log(LONGEST)))
        stopped = length * chance.uniform(0.1, 0.9)
        done = chance.uniform(stopped, length)
        answer: HttpResult = Response(200)
        if lost:
            cut = chance.random() < 0.5
            answer, done = (TransportError(ErrorKind.CUT), chance.uniform(0, length)) if cut else (Response(504), 60.0)

        def service(moment: float, _: Probe, stopped: float = stopped, length: float = length) -> HttpResult:
            if moment < stopped:
                return names(OLD)
            return REFUSED if moment < length else names(NEW)

        yield length, World(service, ((answer, done),), latency=chance.uniform(0.01, 0.15), seed=number)


def measure(*, lost: bool, apart: bool = False, count: int = ROLLOUTS, longest: float = LONGEST) -> dict[str, float]:
    """Return mean and 95th percentile of the delay in seconds, and the lowest level that a bucket reached.

    `apart`: whether the version has its own path; only rollouts up to `longest` seconds count.
    """
    path = {"version_path": "/api/version"} if apart else {}
    delays, lowest = [], math.inf
    for length, world in rollouts(7, lost=lost, count=count):
        if length > longest:
            continue
        story = simulate(world, expect_version=NEW, **path)
        seen = next(
            (sample.at for sample in story.state.samples if sample.healthy and NEW in sample.names.values()), None
        )
        if seen is None or world.triggered is None or story.conclusion.exit_code:
            msg = f"a rollout of {length:.1f} s ended as {story.verdict}"
            raise AssertionError(msg)
        delays.append(seen - world.triggered - length)
        lowest = min(lowest, lowest_level(world.sent(Probe)))
    return {
        "mean": statistics.fmean(delays),
        "p95": statistics.quantiles(delays, n=20)[-1],
        "lowest level of the bucket": lowest,
    }


def lowest_level(asked: list[float], per_second: float = 0.5, burst: float = 15.0) -> float:
    """Return the lowest level of a server's token bucket under these requests; below zero it would refuse one."""
    level, lowest, last = burst, burst, 0.0
    for moment in asked:
        level = min(burst, level + (moment - last) * per_second) - 1
        lowest, last = min(lowest, level), moment
    return lowest
