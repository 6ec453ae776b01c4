"""Gaps, downtime, and which build responded when, from samples."""

import itertools

import pytest

from redeploy.http.condition import Condition
from redeploy.report.timeline import Stretch, stretches
from redeploy.service.gaps import Gap, certain_downtime, downtime, gaps
from redeploy.service.identity import Build
from redeploy.service.sample import Sample
from tests.unit.factories import gone, sample

GOOD_BEFORE = [sample(-1.0)]


@pytest.mark.parametrize(
    ("baseline", "samples", "found", "at_most", "at_least"),
    [
        pytest.param(GOOD_BEFORE, [sample(1), sample(2)], [], 0.0, 0.0, id="none"),
        pytest.param(GOOD_BEFORE, [sample(1), gone(2), sample(3)], [Gap(1, 3, (2, 2))], 2.0, 0.0, id="one"),
        pytest.param(
            GOOD_BEFORE,
            [gone(1), sample(3)],
            [Gap(-1.0, 3, (1, 1))],
            4.0,
            0.0,
            id="from the last good look before the trigger",
        ),
        pytest.param(
            GOOD_BEFORE,
            [sample(1), gone(2), gone(3), sample(4), sample(5), gone(6), sample(8)],
            [Gap(1, 4, (2, 3)), Gap(5, 8, (6, 6))],
            6.0,
            1.0,
            id="two are summed",
        ),
        pytest.param(GOOD_BEFORE, [sample(1), gone(2)], [Gap(1, None, (2, 2))], None, 0.0, id="it never came back"),
        pytest.param([gone(-1.0)], [gone(1), sample(3)], [Gap(0.0, 3, (0.0, 1))], 3.0, 1.0, id="it was gone before"),
        pytest.param([], [sample(3)], [], 0.0, 0.0, id="nothing was seen before"),
        pytest.param([], [gone(1), sample(3)], [Gap(0.0, 3, (1, 1))], 3.0, 0.0, id="a gap without a baseline"),
        pytest.param(
            GOOD_BEFORE,
            [sample(1), sample(2, condition=Condition.THROTTLED), sample(3)],
            [],
            0.0,
            0.0,
            id="an inconclusive sample is not a gap",
        ),
        pytest.param(
            [*GOOD_BEFORE, sample(-0.5, condition=Condition.CACHED)],
            [gone(1), sample(2)],
            [Gap(-1.0, 2, (1, 1))],
            3.0,
            0.0,
            id="no good look before the trigger",
        ),
    ],
)
def test_gaps_are_found_and_summed(
    baseline: list[Sample], samples: list[Sample], found: list[Gap], at_most: float | None, at_least: float
) -> None:
    assert gaps(baseline, samples, 0.0) == found
    assert downtime(found) == at_most
    assert certain_downtime(found) == at_least


OLD, NEW, UNKNOWN = Build.OLD, Build.NEW, Build.UNKNOWN


@pytest.mark.parametrize(
    ("before", "seen", "found"),
    [
        pytest.param(None, [], [], id="nothing was seen"),
        pytest.param(sample(-1), [], [Stretch(0, 10, OLD, True)], id="nothing was seen since"),
        pytest.param(
            sample(-1),
            [(sample(1), OLD), (sample(2), OLD), (gone(3), UNKNOWN), (gone(4), UNKNOWN), (sample(5), NEW)],
            [Stretch(0, 2, OLD, True), Stretch(2, 5, UNKNOWN, False, True), Stretch(5, 10, NEW, True)],
            id="a rollout: a gap begins with the last good response",
        ),
        pytest.param(
            sample(-1),
            [(sample(1), OLD), (sample(2), NEW)],
            [Stretch(0, 2, OLD, True), Stretch(2, 10, NEW, True)],
            id="without a gap",
        ),
        pytest.param(
            sample(-1),
            [(sample(1), OLD), (sample(2), UNKNOWN), (sample(3), OLD)],
            [Stretch(0, 10, OLD, True)],
            id="a response without a name belongs to the build before it",
        ),
        pytest.param(
            gone(-1),
            [(gone(1), UNKNOWN), (sample(2, condition=Condition.NOT_READY), NEW), (sample(3), NEW)],
            [Stretch(0, 2, UNKNOWN, False, True), Stretch(2, 3, UNKNOWN, False), Stretch(3, 10, NEW, True)],
            id="gone, then not ready",
        ),
        pytest.param(
            sample(-1),
            [(sample(1, condition=Condition.THROTTLED), UNKNOWN)],
            [Stretch(0, 10, OLD, True)],
            id="an inconclusive sample changes nothing",
        ),
        pytest.param(
            None, [(sample(4), NEW)], [Stretch(0, 10, NEW, True)], id="the first build is assumed from the start"
        ),
    ],
)
def test_the_timeline_shows_which_build_responded_when(
    before: Sample | None, seen: list[tuple[Sample, Build]], found: list[Stretch]
) -> None:
    assert stretches(before, seen, began=0.0, ended=10.0) == found


def test_stretches_leave_no_gap() -> None:
    flapping = [(gone(at), UNKNOWN) if at % 3 else (sample(at), NEW) for at in range(1, 40)]
    found = stretches(sample(-1), flapping, began=0.0, ended=40.0)
    assert (found[0].begin, found[-1].end) == (0.0, 40.0)
    assert all(one.end == other.begin for one, other in itertools.pairwise(found))
