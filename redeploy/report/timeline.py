"""The timeline of a run: what happened when, and which build responded from when to when."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto

from redeploy.service.identity import Build
from redeploy.service.sample import Sample


@dataclass(frozen=True)
class Stretch:
    """A time in which the service responded alike."""

    begin: float
    end: float
    build: Build
    """Which build responded; `UNKNOWN` if nothing shows it."""
    good: bool
    gone: bool = False
    """Whether it did not respond at all, if it was not healthy."""

    def goes_on_as(self, other: "Stretch") -> bool:
        """Return whether another stretch continues this one."""
        return (self.build, self.good, self.gone) == (other.build, other.good, other.gone)


class What(StrEnum):
    """What happened at a moment; the values are the words of the report."""

    TRIGGERED = "trigger sent"
    RESPONDED = "Watchtower responded"
    NOT_REACHED = "the request to Watchtower failed"
    LAST_GOOD = "last healthy response before a gap"
    GOOD_AGAIN = "first healthy response after it"
    OPENED = "first response of the window that passed"
    PUT_BACK = "the tag was put back"
    TRIGGERED_AGAIN = "trigger sent again"
    ENDED = "end"


@dataclass(frozen=True)
class Moment:
    """Something that happened, in seconds since the first trigger."""

    at: float
    what: What


class During(Enum):
    """What was done for a while."""

    WINDOW = auto()
    """The service was watched: the window that passed."""
    CHECKS = auto()
    PUTTING_BACK = auto()
    """The registry was asked to put a tag back."""


@dataclass(frozen=True)
class Span:
    """Something that was done for a while, in seconds since the first trigger."""

    what: During
    begin: float
    end: float


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The timeline of a run and of the rollback that followed it, in the same seconds."""

    moments: tuple[Moment, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    """Which build responded from when to when."""
    spans: tuple[Span, ...] = ()
    ended: float = 0.0

    def span(self, what: During) -> Span | None:
        """Return when something was done; None if it was not."""
        return next((each for each in self.spans if each.what is what), None)


def stretches(
    before: Sample | None, seen: Iterable[tuple[Sample, Build]], began: float, ended: float, *, whose: Build = Build.OLD
) -> list[Stretch]:
    """Return which build responded from when to when, without holes. Times are monotonic seconds.

    Args:
        before: the last sample before `began` that shows the service's state, if there was one.
        seen: the samples since, and which build each came from.
        began: where the first stretch begins.
        ended: where the last one ends.
        whose: the build that responded before `began`.
    """
    found = [] if before is None else [_stretch(before, whose, began)]
    last_good = began
    for sample, build in seen:
        if sample.condition.is_inconclusive:
            continue
        last = found[-1] if found else None
        unnamed = build is Build.UNKNOWN and last is not None and last.good
        new = _stretch(sample, last.build if unnamed and last else build, sample.at)
        if last is None:
            new = replace(new, begin=began)
        elif last.good and not new.good:
            new = replace(new, begin=last_good)
        if last is not None:
            found[-1] = replace(last, end=new.begin)
        found.append(new)
        last_good = sample.at if sample.healthy else last_good
    if found:
        found[-1] = replace(found[-1], end=max(ended, found[-1].end))
    return _merged(each for each in found if each.end > each.begin)


def renewed(found: Iterable[Stretch], since: float) -> list[Stretch]:
    """Return stretches whose build no response names: the running image shows that it is the new one from `since` on."""
    changed = list[Stretch]()
    for each in found:
        if each.good and each.begin < since < each.end:
            changed += [replace(each, end=since), replace(each, begin=since, build=Build.NEW)]
        else:
            changed.append(replace(each, build=Build.NEW) if each.good and each.begin >= since else each)
    return _merged(changed)


def _stretch(sample: Sample, build: Build, at: float) -> Stretch:
    return Stretch(at, at, build if sample.healthy else Build.UNKNOWN, sample.healthy, sample.gone)


def _merged(found: Iterable[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for each in found:
        if merged and merged[-1].goes_on_as(each):
            merged[-1] = replace(merged[-1], end=each.end)
        else:
            merged.append(each)
    return merged
