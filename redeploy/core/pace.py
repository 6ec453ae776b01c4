"""When to look next: the bucket of requests, and how hurried each phase is. Times are monotonic seconds."""

from dataclasses import dataclass, replace
from enum import Enum

from redeploy.core.plan import Rate

UNHURRIED_MOST = 2.5
"""Longest interval before Watchtower has answered, while nothing is wrong."""

QUICK_LEAST = 0.25
"""Shortest interval of the quick phase."""

WINDOW_MOST = 1.0
"""Longest interval inside a window."""

SLOWED = 5.0
"""Seconds of silence after a 429 that names none."""


class Phase(Enum):
    """What the run is waiting for."""

    UNHURRIED = "unhurried"
    """Watchtower's answer, with the service as it was."""
    QUICK = "quick"
    """The new build: Watchtower has answered, or the service is gone."""
    WINDOW = "window"
    """A window of the stability that it began."""


@dataclass(frozen=True)
class Bucket:
    """A token bucket: `burst` at first, refilled at `rate`. Without a rate it never empties."""

    rate: Rate | None
    tokens: float = 0.0
    filled: float = 0.0
    """When `tokens` was true."""

    @classmethod
    def full(cls, rate: Rate | None, now: float) -> "Bucket":
        """Return a bucket that nobody has drawn from."""
        return cls(rate, float(rate.burst) if rate else 0.0, now)

    def level(self, now: float) -> float:
        """Return the tokens at `now`."""
        if self.rate is None:
            return float("inf")
        return min(float(self.rate.burst), self.tokens + max(0.0, now - self.filled) * self.rate.per_second)

    def draw(self, now: float, cost: int = 1) -> "Bucket":
        """Return the bucket after `cost` requests."""
        return replace(self, tokens=self.level(now) - cost, filled=now) if self.rate else self

    def ready(self, now: float, cost: int = 1, keep: float = 0.0) -> float:
        """Return when `cost` tokens can be drawn and `keep` stay."""
        if self.rate is None:
            return now
        short = min(cost + keep, float(self.rate.burst)) - self.level(now)
        return now if short <= 0 else now + short / self.rate.per_second

    def emptied(self, now: float) -> "Bucket":
        """Return the bucket after a server has said that it was asked too often."""
        return replace(self, tokens=0.0, filled=now) if self.rate else self


def interval(phase: Phase, elapsed: float, stable_for: float, jitter: float) -> float:
    """Return the seconds from one look to the next.

    A rollout's length is unknown, and long ones are rarer the longer they are, so looks may thin out as they go on.
    Inside a window they come about once a second, at irregular intervals: regular ones run in step with a crash loop.

    Args:
        phase: what is waited for.
        elapsed: seconds since the phase began.
        stable_for: seconds that the window spans.
        jitter: a random number from 0 to 1.
    """
    match phase:
        case Phase.UNHURRIED:
            base = min(UNHURRIED_MOST, max(0.5, 0.35 * elapsed))
        case Phase.QUICK:
            base = max(QUICK_LEAST, 0.3 * elapsed**0.5)
        case Phase.WINDOW:
            base = max(0.05, min(WINDOW_MOST, stable_for / 2))
    return base * (0.7 + 0.6 * jitter) if phase is Phase.WINDOW else base * (0.9 + 0.2 * jitter)


def kept_back(rate: Rate | None, stable_for: float) -> float:
    """Return the tokens that the quick phase leaves for one window: what it draws, less what comes in meanwhile."""
    if rate is None:
        return 0.0
    looks = 1 + stable_for / max(0.05, min(WINDOW_MOST, stable_for / 2))
    return max(0.0, min(rate.burst / 2, looks - stable_for * rate.per_second))
