"""Moments and durations of a rollout, from its samples. Times are monotonic seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

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
