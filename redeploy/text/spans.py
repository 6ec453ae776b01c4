"""Durations in the words that people use."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """Return a duration in its two largest units: `45 s`, `12 min`, `2 h 10 min`, `3 d 4 h`."""
    whole = int(max(0.0, seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    large, small, names = (_HOUR, _MINUTE, ("h", "min")) if whole < _DAY else (_DAY, _HOUR, ("d", "h"))
    rest = whole % large // small
    return f"{whole // large} {names[0]}" + (f" {rest} {names[1]}" if rest else "")


def counted(number: int, what: str) -> str:
    """Return a number of things: `1 commit`, `3 commits`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
