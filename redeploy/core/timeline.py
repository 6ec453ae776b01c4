"""Moments and durations of a rollout, from its samples. Times are monotonic seconds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redeploy.core.identity import Build
from redeploy.core.sample import Sample


@dataclass(frozen=True)
class Gap:
    """A time without good answers: from the last one before it to the first one after; None where none came."""

    last_good: float
    first_good: float | None


def gaps(baseline: Sequence[Sample], samples: Sequence[Sample], triggered: float) -> list[Gap]:
    """Return the gaps since the trigger. Where nothing good was seen before, a gap begins with the trigger."""
    telling = [sample for sample in baseline if not sample.condition.tells_nothing]
    good_before = bool(telling) and telling[-1].healthy
    last_good = telling[-1].at if good_before else triggered
    found: list[Gap] = []
    broken = bool(telling) and not good_before
    for sample in samples:
        if sample.condition.tells_nothing:
            continue
        if sample.healthy:
            if broken:
                found.append(Gap(last_good, sample.at))
            broken, last_good = False, sample.at
        else:
            broken = True
    return [*found, Gap(last_good, None)] if broken else found


def downtime(found: Sequence[Gap]) -> float | None:
    """Return the seconds without good answers, an upper bound; None where the service never came back."""
    total = 0.0
    for gap in found:
        if gap.first_good is None:
            return None
        total += gap.first_good - gap.last_good
    return total


@dataclass(frozen=True)
class Stretch:
    """A time in which the service answered alike."""

    begin: float
    end: float
    build: Build
    """Whose answers these were; `UNKNOWN` where nothing tells."""
    good: bool


def stretches(before: Sample | None, seen: Iterable[tuple[Sample, Build]], began: float, ended: float) -> list[Stretch]:
    """Return who answered from when to when, without a hole.

    Args:
        before: the last telling sample before `began`, if there was one.
        seen: the samples since, and whose answers they are.
        began: where the first stretch begins.
        ended: where the last one ends.
    """
    found: list[Stretch] = []
    last_good = began
    if before is not None:
        found.append(Stretch(began, began, Build.OLD if before.healthy else Build.UNKNOWN, before.healthy))
    for sample, told in seen:
        if sample.condition.tells_nothing:
            continue
        last = found[-1] if found else None
        build = told if told is not Build.UNKNOWN or last is None or not last.good else last.build
        build = build if sample.healthy else Build.UNKNOWN
        if last is None:
            found.append(Stretch(began, sample.at, build, sample.healthy))
        elif (last.good, last.build) == (sample.healthy, build):
            found[-1] = Stretch(last.begin, sample.at, build, sample.healthy)
        else:
            turned = last_good if last.good and not sample.healthy else sample.at
            found[-1] = Stretch(last.begin, turned, last.build, last.good)
            found.append(Stretch(turned, sample.at, build, sample.healthy))
        last_good = sample.at if sample.healthy else last_good
    if found:
        found[-1] = Stretch(found[-1].begin, max(ended, found[-1].end), found[-1].build, found[-1].good)
    return [each for each in found if each.end > each.begin]
