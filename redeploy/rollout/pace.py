"""How long to wait before the next request in each phase. Times are monotonic seconds."""

from enum import Enum

from redeploy.service.window import WATCHED_MOST
from redeploy.settings.plan import Rate

UNHURRIED_LEAST = 0.8
"""Shortest interval before Watchtower has responded."""

UNHURRIED_MOST = 4.0
"""Longest interval before Watchtower has responded, while nothing is wrong."""

QUICK_LEAST = 0.15
"""Shortest interval of the quick phase."""

DEAR = 0.03
"""The same as a share of the time in which a token comes in, where a low rate makes tokens dear."""

FOR_THE_RESPONSE = 5.0
"""Tokens that are saved for the time after Watchtower's response, while the service is gone: it tells best when to look."""

WINDOW_MOST = 1.0
"""Longest interval inside a window."""

SAVING = 2.0
"""How many times longer than the bucket's own rate looks are apart while tokens are saved for a window."""

AT_ONCE = 0.5
"""Tokens that the quick phase leaves more for a window, since that opens at once: less comes in meanwhile."""

MORE_APART = 1.0
"""Tokens that the quick phase leaves more for a window where health and version have an address each: without them the last
looks wait for what refills."""

LOWEST_WATCHED = 0.2
"""Requests a second below which saving for a window would take longer than anyone waits."""


def too_slow(rate: Rate | None) -> bool:
    """Return whether a rate does not allow a look a second over a window, not even with tokens that were saved."""
    return rate is not None and rate.per_second < LOWEST_WATCHED


def longest_pause(rate: Rate, cost: int) -> float:
    """Return the seconds within which a service with a bucket of its own is looked at again, where nothing holds it up.

    A look takes `cost` requests.
    """
    return max(UNHURRIED_MOST, SAVING * cost / rate.per_second)


class Phase(Enum):
    """What the run is waiting for."""

    UNHURRIED = "unhurried"
    """Watchtower's response, with the service as it was."""
    GONE = "gone"
    """Watchtower's response, with the service gone: it comes as a rule before the new build's first one."""
    QUICK = "quick"
    """The new build: Watchtower has responded."""
    WINDOW = "window"
    """A window of the stability that it began."""


SEARCHING = frozenset({Phase.GONE, Phase.QUICK})
"""The phases in which looks come quickly, to see the new build soon."""


def waiting_for(*, responded: bool, gone: bool, refused: bool) -> Phase:
    """Return the phase before a window: whether Watchtower responded, the service was gone, or a trigger goes out again."""
    if responded or (gone and refused):
        return Phase.QUICK
    return Phase.GONE if gone else Phase.UNHURRIED


def interval(
    phase: Phase, elapsed: float, waited: float, stable_for: float, jitter: float, *, rate: Rate | None = None
) -> float:
    """Return the seconds from one look to the next.

    A rollout's length is unknown, but one that took long until here will likely take long yet: looks thin out with time.
    Inside a window they come about once a second, at irregular intervals: regular ones run in step with a crash loop.

    Args:
        phase: what is waited for.
        elapsed: seconds since the phase began.
        waited: seconds from the trigger until then.
        stable_for: seconds that the window spans.
        jitter: a random number from 0 to 1.
        rate: what the origin may be asked.
    """
    match phase:
        case Phase.UNHURRIED:
            base = min(UNHURRIED_MOST, max(UNHURRIED_LEAST, 0.6 * elapsed))
        case Phase.GONE | Phase.QUICK:
            least = max(QUICK_LEAST, DEAR * rate.apart) if rate else QUICK_LEAST
            base = max(least, 0.33 * (elapsed + 0.25 * waited) ** 0.5)
        case Phase.WINDOW:
            base = _in_window(stable_for)
    return base * (0.75 + 0.24 * jitter) if phase is Phase.WINDOW else base * (0.9 + 0.2 * jitter)


def _in_window(seconds: float) -> float:
    """Return the seconds from one look to the next inside a window of so many, before chance shortens it."""
    return max(0.05, min(WINDOW_MOST, seconds / 2))


def watched_needed(rate: Rate | None, stable_for: float) -> float:
    """Return the seconds that a window must be watched without a pause once one has crashed; 0 at rates too low for it."""
    return 0.0 if too_slow(rate) else min(stable_for, WATCHED_MOST)


def kept_back(rate: Rate | None, stable_for: float, *, apart: bool = False) -> float:
    """Return the tokens that the quick phase leaves for one window: what it draws, less what comes in meanwhile.

    With `apart`, the version has an address of its own, which is asked in the middle and at the end, too.
    """
    return 0.0 if rate is None else min(rate.burst / 2, _drawn(rate, stable_for, apart=apart))


def kept_to_watch(rate: Rate, watched_needed: float, left: float, *, apart: bool = False) -> float:
    """Return the tokens that looks without a pause need, once a window has crashed, to last until it ends.

    Args:
        rate: the bucket's.
        watched_needed: seconds that they have to last at least.
        left: seconds until the window ends; looks that end before that would have been for nothing.
        apart: as for `kept_back`.
    """
    return _drawn(rate, left, apart=apart) if left > watched_needed else kept_back(rate, watched_needed, apart=apart)


def _drawn(rate: Rate, seconds: float, *, apart: bool) -> float:
    """Return the tokens that a window of so many seconds draws, less what comes in meanwhile."""
    looks = 2 + 2 * apart + seconds / (0.87 * _in_window(seconds))  # 0.87 of it on average
    return max(0.0, looks - seconds * rate.per_second)


def kept_from_search(phase: Phase, rate: Rate, stable_for: float, *, apart: bool) -> float:
    """Return the tokens that looks for the new build leave: for a window, and for the time after Watchtower's response."""
    window = kept_back(rate, stable_for) + AT_ONCE + MORE_APART * apart
    return window + FOR_THE_RESPONSE * (phase is Phase.GONE)
