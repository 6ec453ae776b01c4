"""When a write to GitHub may be repeated: never while it may have been carried out, and never for long.

GitHub ends a request that takes it more than 10 s (docs.github.com, "Troubleshooting the REST API", timeouts), and says
how long a rate limit lasts ("Rate limits for the REST API", exceeding the rate limit).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from redeploy.http.response import Response

PATIENCE = 30.0
"""Seconds that a run waits for rate limits in total."""

DEFAULT_WAIT = 60.0
"""Seconds to wait for a rate limit that does not say how long it lasts."""

MOST_WRITES = 3
LONGEST = 60.0
"""Seconds after which there are no more tries."""

SETTLED_ONCE_ANSWERED = 3.0
"""Seconds after a 5xx in which a write may still become visible: reads may lag behind."""

SETTLED_ONCE_SENT = 12.0
"""Seconds after a request without a response in which it may still be carried out."""

_LOOK_AFTER, _LOOK_EVERY = 1.0, 2.0


@dataclass(frozen=True)
class Trouble:
    """Why a request failed; `status` is 0 if GitHub sent no usable response."""

    status: int = 0
    message: str = ""
    """GitHub's message, which is untrusted, or why there was no usable response, in our own words."""
    rate_limited: bool = False
    wait: float | None = None
    """Seconds that a rate limit asks for."""
    unsent: bool = False
    """Whether no request was sent, and a retry would not send one either: the server is not trusted."""

    @property
    def refused(self) -> bool:
        """Whether GitHub certainly did nothing, and would not after a retry either."""
        answered = 400 <= self.status < 500 and self.status != 408 and not self.rate_limited
        return answered or self.unsent


LATE = Trouble(message="none in time, and the request may still be carried out")
"""The result of a call that was given up, though GitHub may still carry it out."""


def trouble_of(status: int, headers: Mapping[str, str], message: str) -> Trouble:
    """Return what an unexpected response means. Header names are in lower case."""
    exhausted = headers.get("x-ratelimit-remaining", "").strip() == "0"
    says_so = "rate limit" in message.lower() or "retry-after" in headers
    limited = status == 429 or (status == 403 and (exhausted or says_so))
    return Trouble(status, message, limited, _wait(headers, exhausted=exhausted) if limited else None)


def _wait(headers: Mapping[str, str], *, exhausted: bool) -> float:
    reply = Response(429, headers)
    if reply.retry_after is not None:
        return max(1.0, reply.retry_after)
    reset = headers.get("x-ratelimit-reset", "").strip()
    if exhausted and reset.isascii() and reset[:12].isdigit() and reply.date is not None:
        return max(1.0, float(reset[:12]) - reply.date + 1.0)  # it may be at any moment of that second
    return DEFAULT_WAIT


class NextStep(Enum):
    """What to do next."""

    WRITE = auto()
    LOOK = auto()
    """Check whether the write is visible."""


@dataclass(frozen=True)
class WriteAttempt:
    """The progress of one write. Times are monotonic seconds."""

    began: float
    at: float
    """When to do it."""
    move: NextStep = NextStep.WRITE
    writes: int = 0
    waited: float = 0.0
    settled: float = 0.0
    """The time from which on a check that finds nothing means that there is nothing."""

    def after(self, trouble: Trouble | None, *, sent: float, now: float) -> "WriteAttempt | None":
        """Return how to continue after a failed try, or after a check that found nothing (no trouble); None: give up."""
        if now - self.began > LONGEST or (trouble is not None and trouble.refused):
            return None
        if trouble is not None and trouble.rate_limited:
            wait = DEFAULT_WAIT if trouble.wait is None else trouble.wait
            return None if self.waited + wait > PATIENCE else replace(self, at=now + wait, waited=self.waited + wait)
        if self.move is NextStep.WRITE:
            answered = trouble is not None and trouble.status
            settled = now + SETTLED_ONCE_ANSWERED if answered else sent + SETTLED_ONCE_SENT
            return replace(self, move=NextStep.LOOK, at=now + _LOOK_AFTER, writes=self.writes + 1, settled=settled)
        if trouble is None and sent >= self.settled:
            return replace(self, move=NextStep.WRITE, at=now) if self.writes < MOST_WRITES else None
        return replace(self, at=now + min(_LOOK_EVERY, max(0.5, self.settled - now)))
