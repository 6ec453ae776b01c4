"""When a write to GitHub may be repeated: never while it may have been carried out, and never for long.

GitHub ends a request that takes it more than 10 s (docs.github.com, "Troubleshooting the REST API", timeouts), and says
how long a rate limit lasts ("Rate limits for the REST API", exceeding the rate limit).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from redeploy.http.response import Response

PATIENCE = 30.0
"""Seconds that rate limits are waited for, all in all."""

UNTOLD_WAIT = 60.0
"""What a rate limit asks for that does not say how long it lasts."""

MOST_WRITES = 3
LONGEST = 60.0
"""Seconds after which nothing more is tried."""

SETTLED_ONCE_ANSWERED = 3.0
"""Seconds after a 5xx in which a write may still come to light: reads may lag behind."""

SETTLED_ONCE_SENT = 12.0
"""Seconds after the request in which one that was never answered may still be carried out."""

_LOOK_AFTER, _LOOK_EVERY = 1.0, 2.0


@dataclass(frozen=True)
class Trouble:
    """Why a request came to nothing; `status` is 0 where GitHub gave no usable response."""

    status: int = 0
    message: str = ""
    """What GitHub says of it, hostile, or why it gave no usable response, in our own words."""
    rate_limited: bool = False
    wait: float | None = None
    """Seconds that a rate limit asks for."""
    unsent: bool = False
    """Whether nothing was sent, nor would be the next time: the server is not trusted."""

    @property
    def refused(self) -> bool:
        """Whether GitHub certainly did nothing, and would not the next time either."""
        answered = 400 <= self.status < 500 and self.status != 408 and not self.rate_limited
        return answered or self.unsent


LATE = Trouble(message="none in time, and what was asked for may still be carried out")
"""What a call came to that was given up, whatever GitHub makes of it."""


def trouble_of(status: int, headers: Mapping[str, str], message: str) -> Trouble:
    """Return what an answer means that is not the one hoped for. Header names are in lower case."""
    exhausted = headers.get("x-ratelimit-remaining", "").strip() == "0"
    told = "rate limit" in message.lower() or "retry-after" in headers
    limited = status == 429 or (status == 403 and (exhausted or told))
    return Trouble(status, message, limited, _wait(headers, exhausted=exhausted) if limited else None)


def _wait(headers: Mapping[str, str], *, exhausted: bool) -> float:
    reply = Response(429, headers)
    if reply.retry_after is not None:
        return max(1.0, reply.retry_after)
    reset = headers.get("x-ratelimit-reset", "").strip()
    if exhausted and reset.isascii() and reset[:12].isdigit() and reply.date is not None:
        return max(1.0, float(reset[:12]) - reply.date + 1.0)  # nobody says when in that second
    return UNTOLD_WAIT


class NextStep(Enum):
    """What is done next."""

    WRITE = auto()
    LOOK = auto()
    """Look whether what was written is there."""


@dataclass(frozen=True)
class WriteAttempt:
    """How far the writing of one thing is. Times are monotonic seconds."""

    began: float
    at: float
    """When to make the move."""
    move: NextStep = NextStep.WRITE
    writes: int = 0
    waited: float = 0.0
    settled: float = 0.0
    """From when on a look that finds nothing means that there is nothing."""

    def after(self, trouble: Trouble | None, *, sent: float, now: float) -> "WriteAttempt | None":
        """Return how to go on after a move that failed, or a look that found nothing (no trouble); None: give up."""
        if now - self.began > LONGEST or (trouble is not None and trouble.refused):
            return None
        if trouble is not None and trouble.rate_limited:
            wait = UNTOLD_WAIT if trouble.wait is None else trouble.wait
            return None if self.waited + wait > PATIENCE else replace(self, at=now + wait, waited=self.waited + wait)
        if self.move is NextStep.WRITE:
            answered = trouble is not None and trouble.status
            settled = now + SETTLED_ONCE_ANSWERED if answered else sent + SETTLED_ONCE_SENT
            return replace(self, move=NextStep.LOOK, at=now + _LOOK_AFTER, writes=self.writes + 1, settled=settled)
        if trouble is None and sent >= self.settled:
            return replace(self, move=NextStep.WRITE, at=now) if self.writes < MOST_WRITES else None
        return replace(self, at=now + min(_LOOK_EVERY, max(0.5, self.settled - now)))
