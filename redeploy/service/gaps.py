"""The times without a healthy response, or without a look, and how long they were. Times are monotonic seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

from redeploy.service.sample import Sample


@dataclass(frozen=True)
class Gap:
    """A time without healthy responses: from the last one before it to the first one after it; None if it has not ended."""

    last_good: float
    first_good: float | None
    bad: tuple[float, float]
    """When its first and its last unhealthy response came."""


def gaps(baseline: Sequence[Sample], samples: Sequence[Sample], triggered: float) -> list[Gap]:
    """Return the gaps since the trigger. If the service was not healthy before, a gap begins with the trigger."""
    conclusive = [sample for sample in baseline if not sample.condition.is_inconclusive]
    good_before = bool(conclusive) and conclusive[-1].healthy
    last_good = conclusive[-1].at if good_before else triggered
    found: list[Gap] = []
    bad = (triggered, triggered) if conclusive and not good_before else None
    for sample in samples:
        if sample.condition.is_inconclusive:
            continue
        if not sample.healthy:
            bad = (bad[0] if bad else sample.at, sample.at)
            continue
        if bad:
            found.append(Gap(last_good, sample.at, bad))
        bad, last_good = None, sample.at
    return [*found, Gap(last_good, None, bad)] if bad else found


def downtime(found: Sequence[Gap]) -> float | None:
    """Return the seconds without healthy responses, an upper bound; None if the service never came back."""
    total = 0.0
    for gap in found:
        if gap.first_good is None:
            return None
        total += gap.first_good - gap.last_good
    return total


def certain_downtime(found: Sequence[Gap]) -> float:
    """Return the seconds from the first to the last unhealthy response of each gap, summed: a lower bound."""
    return sum(last - first for first, last in (gap.bad for gap in found))


def longest_wait(looks: Sequence[Sample], since: float, until: float) -> float:
    """Return the longest time between a response, or `since`, and the next look; the last one ends at `until`."""
    free, longest = since, 0.0
    for look in looks:
        if look.sent >= since:
            longest, free = max(longest, look.sent - free), max(free, look.at)
    return max(longest, until - free)
