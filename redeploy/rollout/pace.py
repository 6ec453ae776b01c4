"""How long to wait before the next request in each phase. Times are monotonic seconds."""

from enum import Enum

from redeploy.service.window import WATCHED_MOST
from redeploy.settings.plan import Rate

NEVER = float("inf")
"""When a request is due that nothing calls for."""

UNHURRIED_LEAST = 0.8
"""Shortest interval before Watchtower has responded."""

UNHURRIED_MOST = 4.0
"""Longest interval before Watchtower has responded, while nothing is wrong."""

QUICK_LEAST = 0.15
"""Shortest interval of the quick phase."""

DEAR = 0.03
"""The same, as a share of the seconds that one token takes: at a low rate, tokens are precious."""

AFTER_THE_RESPONSE = 5.0
"""Tokens that are saved, while the service is gone, for the time after Watchtower's response: that is the time to look."""

WINDOW_LEAST = 0.1
"""Shortest interval inside a window, however short it is."""

WINDOW_MOST = 1.0
"""Longest interval inside a window."""

SAVING = 2.0
"""While tokens are saved for a window, looks take this many times the interval that the rate allows."""

AT_ONCE = 0.5
"""Extra tokens that the quick phase leaves for a window, because it opens at once: fewer tokens come in meanwhile."""

MORE_APART = 1.0
"""Extra tokens that the quick phase leaves for a window if health and version have an address each: without them, the last
looks would wait for new tokens."""

LOWEST_WATCHED = 0.2
"""Requests a second below which saving for a window would take too long."""


def too_slow(rate: Rate | None) -> bool:
    """Return whether a rate is too low for a look every second over a window, even with saved tokens."""
    return rate is not None and rate.per_second < LOWEST_WATCHED


def longest_pause(rate: Rate, cost: int) -> float:
    """Return the most seconds between two looks at a service with its own bucket; a look takes `cost` requests."""
    return max(UNHURRIED_MOST, SAVING * cost / rate.per_second)


class Phase(Enum):
    """What the run is waiting for."""

    UNHURRIED = "unhurried"
    """Watchtower's response, with the service as it was."""
    GONE = "gone"
    """Watchtower's response, with the service gone: usually it comes before the new build's first response."""
    QUICK = "quick"
    """The new build: Watchtower has responded."""
    WINDOW = "window"
    """The end of the stability window that is open."""


SEARCHING = frozenset({Phase.GONE, Phase.QUICK})
"""The phases with frequent looks, to see the new build soon."""


def waiting_for(*, responded: bool, gone: bool, refused: bool) -> Phase:
    """Return the phase before a window; `refused`: whether the trigger will be sent again."""
    if responded or (gone and refused):
        return Phase.QUICK
    return Phase.GONE if gone else Phase.UNHURRIED


def interval(
    phase: Phase, elapsed: float, waited: float, stable_for: float, jitter: float, *, rate: Rate | None = None
) -> float:
    """Return the seconds from one look to the next.

    A rollout's length is unknown, but one that has taken long will probably take longer: looks become rarer with time.
    Inside a window they come about once a second, at irregular intervals: regular ones run in step with a crash loop.

    Args:
        phase: what the run is waiting for.
        elapsed: seconds since the phase began.
        waited: seconds from the trigger until then.
        stable_for: seconds that the window spans.
        jitter: a random number from 0 to 1.
        rate: the rate of the origin.
    """
    match phase:
        case Phase.UNHURRIED:
            base = min(UNHURRIED_MOST, max(UNHURRIED_LEAST, 0.6 * elapsed))
        case Phase.GONE | Phase.QUICK:
            least = max(QUICK_LEAST, DEAR * rate.apart) if rate else QUICK_LEAST
            base = max(least, 0.33 * (elapsed + 0.25 * waited) ** 0.5)
        case Phase.WINDOW:
            base = _in_window(stable_for)
    return max(WINDOW_LEAST, base * (0.75 + 0.24 * jitter)) if phase is Phase.WINDOW else base * (0.9 + 0.2 * jitter)


def _in_window(seconds: float) -> float:
    """Return the seconds from one look to the next in a window of this length, before jitter shortens them."""
    return max(WINDOW_LEAST, min(WINDOW_MOST, seconds / 2))


def watched_needed(rate: Rate | None, stable_for: float) -> float:
    """Return the seconds without a pause that a window needs after a crash; 0 if the rate is too low for that."""
    return 0.0 if too_slow(rate) else min(stable_for, WATCHED_MOST)


def kept_back(rate: Rate | None, stable_for: float, *, apart: bool = False) -> float:
    """Return the tokens that the quick phase leaves for one window: those it takes, minus those that come in meanwhile.

    With `apart`, the version has its own address, which is also requested in the middle and at the end.
    """
    return 0.0 if rate is None else min(rate.burst / 2, _drawn(rate, stable_for, apart=apart))


def kept_to_watch(rate: Rate, watched_needed: float, left: float, *, apart: bool = False) -> float:
    """Return the tokens that looks without a pause need after a crash, until the window ends.

    Args:
        rate: the bucket's.
        watched_needed: seconds that they must last at least.
        left: seconds until the window ends; if looks stop before that, they were useless.
        apart: as for `kept_back`.
    """
    return _drawn(rate, left, apart=apart) if left > watched_needed else kept_back(rate, watched_needed, apart=apart)


def _drawn(rate: Rate, seconds: float, *, apart: bool) -> float:
    """Return the tokens that a window of this length takes, minus those that come in meanwhile."""
    looks = 2 + 2 * apart + seconds / (0.87 * _in_window(seconds))  # 0.87 of it on average
    return max(0.0, looks - seconds * rate.per_second)


def kept_from_search(phase: Phase, rate: Rate, stable_for: float, *, apart: bool) -> float:
    """Return the tokens that looks for the new build leave for a window, and for the time after Watchtower's response."""
    window = kept_back(rate, stable_for) + AT_ONCE + MORE_APART * apart
    return window + AFTER_THE_RESPONSE * (phase is Phase.GONE)
