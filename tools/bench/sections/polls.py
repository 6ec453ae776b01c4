"""How soon other polling methods would detect the same simulated rollouts, and the load on the server."""

import statistics
from collections.abc import Callable

from tools.bench.detection import lowest_level, rollouts

_Next = Callable[[int], float]
"""Seconds from Watchtower's response to the poll with that number."""

WAYS: dict[str, _Next] = {
    "guide: sleep 10, then every 5 s": lambda number: 10.0 + 5.0 * number,
    "a poll every 1 s": lambda number: 1.0 * number,
    "a poll every 3 s": lambda number: 3.0 * number,
    "a poll every 10 s": lambda number: 10.0 * number,
}


def measure(count: int, longest: float) -> dict[str, dict[str, float]]:
    """Return mean and 95th percentile of the delay in seconds, and the share of rollouts in which nginx refuses a poll.

    The first request waits for Watchtower's response, as `curl` does. Only rollouts up to `longest` seconds count.
    """
    found: dict[str, dict[str, float]] = {}
    for name, moment_of in WAYS.items():
        delays, refused = [], 0
        for length, world in rollouts(7, lost=False, count=count):
            if length > longest:
                continue
            answered = world.trigger[0][1] if isinstance(world.trigger[0], tuple) else 0.0
            moments = [answered + moment_of(0)]
            while moments[-1] + world.latency / 2 < length:
                moments.append(answered + moment_of(len(moments)))
            delays.append(moments[-1] + world.latency - length)
            refused += lowest_level(moments) < 0
        found[name] = {
            "mean": statistics.fmean(delays),
            "p95": statistics.quantiles(delays, n=20)[-1],
            "refused": refused / len(delays),
        }
    return found
