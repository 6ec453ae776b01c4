"""When the version address is requested besides health: first, in the middle and last, or as often as instances require."""

from math import inf

from redeploy.service.window import FEWEST, Window


def version_due(window: Window, *, now: float, ends: float, length: float, pause: float) -> float:
    """Return when to request the version next in an open window; infinity if there is no need.

    Args:
        window: the window, which must be open.
        now: the moment, in monotonic seconds.
        ends: when it ends, as far as is known.
        length: seconds from its opening to `ends`.
        pause: seconds from one look to the next.
    """
    opened, asked = window.opened or 0.0, window.version_asked
    latest = max(opened, asked)
    if asked >= ends:
        follows = not window.blind and asked < window.latest
        return now if follows else latest + pause if window.looks_missing else inf
    if window.looks_needed > FEWEST or (not window.versions and window.version_cached is not None):
        return latest + pause
    if not window.versions:
        return now
    return opened + length / 2 if asked < opened + length / 2 else ends
