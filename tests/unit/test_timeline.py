"""Gaps and downtime, from samples."""

import pytest

from redeploy.core.sample import Condition, Sample
from redeploy.core.timeline import Gap, downtime, gaps
from tests.unit.making import gone, sample

GOOD_BEFORE = [sample(-1.0)]


@pytest.mark.parametrize(
    ("baseline", "samples", "found", "seconds"),
    [
        pytest.param(GOOD_BEFORE, [sample(1), sample(2)], [], 0.0, id="none"),
        pytest.param(GOOD_BEFORE, [sample(1), gone(2), sample(3)], [Gap(1, 3)], 2.0, id="one"),
        pytest.param(
            GOOD_BEFORE, [gone(1), sample(3)], [Gap(-1.0, 3)], 4.0, id="from the last good look before the trigger"
        ),
        pytest.param(
            GOOD_BEFORE,
            [sample(1), gone(2), gone(3), sample(4), sample(5), gone(6), sample(8)],
            [Gap(1, 4), Gap(5, 8)],
            6.0,
            id="two are summed",
        ),
        pytest.param(GOOD_BEFORE, [sample(1), gone(2)], [Gap(1, None)], None, id="it never came back"),
        pytest.param([gone(-1.0)], [gone(1), sample(3)], [Gap(0.0, 3)], 3.0, id="it was gone before"),
        pytest.param([], [sample(3)], [], 0.0, id="nothing was seen before"),
        pytest.param([], [gone(1), sample(3)], [Gap(0.0, 3)], 3.0, id="a gap without a baseline"),
        pytest.param(
            GOOD_BEFORE,
            [sample(1), sample(2, condition=Condition.THROTTLED), sample(3)],
            [],
            0.0,
            id="what tells nothing is no gap",
        ),
        pytest.param(
            [*GOOD_BEFORE, sample(-0.5, condition=Condition.CACHED)],
            [gone(1), sample(2)],
            [Gap(-1.0, 2)],
            3.0,
            id="nor a good look",
        ),
    ],
)
def test_gaps_are_found_and_summed(
    baseline: list[Sample], samples: list[Sample], found: list[Gap], seconds: float | None
) -> None:
    assert gaps(baseline, samples, 0.0) == found
    assert downtime(found) == seconds
