"""Whether and when the trigger is retried: only if it certainly did not run."""

from dataclasses import dataclass

from redeploy.triggers.trigger import Again, Answer
from redeploy.verdicts import Reason

UNREACHED_WAITS = (1.0, 4.0)
"""Seconds before the second and third try if nothing was reached; there is no fourth."""

UNREACHED_SPAN = 15.0
"""Seconds from the first try within which the last one must be sent."""

DEFAULT_WAITS = (5.0, 10.0, 20.0, 30.0)
"""Seconds to wait if the server does not say how long; the last one repeats."""

_GIVEN_UP = {
    Again.UNREACHED: Reason.UNREACHABLE,
    Again.BUSY: Reason.BUSY,
    Again.CANCELLED: Reason.BUSY,
    Again.RATE_LIMITED: Reason.RATE_LIMITED,
}


@dataclass(frozen=True)
class Resend:
    """The trigger is sent again at `at`, in monotonic seconds."""

    at: float


def next_try(answers: list[Answer], *, now: float, first_sent: float, deadline: float) -> Resend | Reason:
    """Return when to retry the trigger after the last of `answers`, or the reason to give up.

    Args:
        answers: all responses so far; the last one allows a retry.
        now: the present, in monotonic seconds like the others.
        first_sent: when the first try was sent.
        deadline: when the new build must have been seen; a wait beyond it is not started.
    """
    last = answers[-1]
    if last.again is None:
        msg = "a trigger that may have run is never sent again"
        raise ValueError(msg)
    alike = sum(answer.again is last.again for answer in answers)
    if last.again is Again.UNREACHED:
        at = now + UNREACHED_WAITS[alike - 1] if alike <= len(UNREACHED_WAITS) else deadline
        in_time = at < min(deadline, first_sent + UNREACHED_SPAN)
    else:
        at = now + (max(1.0, last.wait) if last.wait is not None else DEFAULT_WAITS[min(alike, len(DEFAULT_WAITS)) - 1])
        in_time = at < deadline
    return Resend(at) if in_time else _GIVEN_UP[last.again]
