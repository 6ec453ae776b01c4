"""The fork's rate limit: a sliding window, as its Fiber server counts (`middleware/limiter/limiter_sliding.go`).

Requests of the previous window count in proportion to the remaining part of the current one. So a client that waits
exactly as long as `Retry-After` says may be refused again.
"""

import math
from dataclasses import dataclass, field


@dataclass
class _Window:
    """The requests of one client, in whole seconds."""

    ends: int
    before: int = 0
    now: int = 0


@dataclass(frozen=True)
class Standing:
    """A client's remaining quota after a request."""

    remaining: int
    """Remaining requests; below zero, this one is refused."""
    resets_in: int
    """Seconds until the window ends."""


@dataclass
class SlidingWindow:
    """A maximum of requests per client in a window of seconds."""

    limit: int
    seconds: int = 60
    _windows: dict[str, _Window] = field(default_factory=dict)

    def count(self, client: str, now: float) -> Standing:
        """Count a request; refused ones count too."""
        second = int(now)
        window = self._windows.setdefault(client, _Window(second + self.seconds))
        if second >= window.ends:
            if second - window.ends >= self.seconds:
                window.before, window.ends = 0, second + self.seconds
            else:
                window.before, window.ends = window.now, window.ends + self.seconds
            window.now = 0
        window.now += 1
        left = window.ends - second
        weighed = math.ceil(window.before * left / self.seconds) + window.now
        return Standing(self.limit - weighed, left)
