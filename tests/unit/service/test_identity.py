"""Which build responded: what changed, what stayed, and what turned out to be noise."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.condition import Condition
from redeploy.service.build_fields import Kind
from redeploy.service.identity import (
    NOTHING_SEEN,
    Before,
    Build,
    Counting,
    Learnt,
    Likeness,
    Noise,
    build_of,
    likeness,
    version_of,
)
from redeploy.service.process import Start
from redeploy.service.sample import Sample
from sandbox.simulation import WALL
from tests.unit.factories import HEALTH, NEW, OLD, THIRD, gone, sample

TRIGGERED = WALL
ALL_COUNT = Counting()


def noise_of(before: Sequence[Sample], after: Sequence[Sample] = ()) -> frozenset[str]:
    noise = Noise()
    for each in before:
        noise.learn(each, before=True)
    for each in after:
        noise.learn(each, before=False)
    return noise.learnt.noise


def compare(seen: Sample, before: Sequence[Sample], noise: frozenset[str] = frozenset()) -> Likeness:
    return likeness(seen, Before.of(before), Learnt(noise), TRIGGERED)


# noise


@pytest.mark.parametrize(
    ("before", "after", "noisy"),
    [
        pytest.param([OLD, OLD], [NEW, NEW], False, id="one change"),
        pytest.param([OLD, THIRD], [], True, id="it differs before the trigger"),
        pytest.param([OLD], [NEW, OLD, NEW, OLD], False, id="two builds in turn are builds"),
        pytest.param([OLD], [NEW, THIRD], False, id="three values are builds"),
        pytest.param([OLD], [NEW, THIRD, "4"], True, id="four values are noise"),
        pytest.param([], [OLD, NEW, THIRD, "4"], True, id="four values after the trigger"),
    ],
)
def test_a_build_name_may_turn_out_to_be_noise(before: list[str], after: list[str], noisy: bool) -> None:
    found = noise_of([sample(0, name) for name in before], [sample(1, name) for name in after])
    assert ("commit" in found) is noisy


@pytest.mark.parametrize(
    ("before", "after", "noisy"),
    [
        pytest.param([100], [100, 100], False, id="it stays"),
        pytest.param([100, 100.4], [100], False, id="it varies by less than a second"),
        pytest.param([100, 200], [], True, id="it differs before the trigger"),
        pytest.param([200, 100], [], True, id="it goes back before the trigger"),
        pytest.param([100], [200, 300, 400, 500, 600], False, id="it only grows: restarts"),
        pytest.param([100], [200, 100], True, id="it comes back: workers"),
        pytest.param([], [300, 200], True, id="it comes back after the trigger"),
        pytest.param([100], [200, 199.7, 200], False, id="it is rounded"),
    ],
)
def test_a_start_time_may_turn_out_to_be_noise(before: list[float], after: list[float], noisy: bool) -> None:
    found = noise_of(
        [sample(0, start=WALL + start) for start in before], [sample(1, start=WALL + start) for start in after]
    )
    assert ("start_time" in found) is noisy


@pytest.mark.parametrize(
    ("ticks", "noisy"),
    [
        pytest.param([True], True, id="one look with the current time"),
        pytest.param([True, True, True], True, id="always the current time"),
        pytest.param([True, False], False, id="the current time, then a constant"),
        pytest.param([False, True, True], False, id="the current time, but not at first"),
    ],
)
def test_a_field_with_the_current_time_at_every_look_is_a_clock(ticks: list[bool], noisy: bool) -> None:
    looks = [sample(0, OLD, ticking=["commit"] if tick else []) for tick in ticks]
    assert ("commit" in noise_of([], looks)) is noisy


@pytest.mark.parametrize(
    ("starts", "noisy"),
    [
        pytest.param([100, 101, 102, 103], True, id="it advances with our clock, an hour away"),
        pytest.param([100, 100, 100, 100], False, id="it stays constant"),
        pytest.param([100, 100, 160, 160], False, id="a restart"),
    ],
)
def test_a_start_time_that_moves_on_with_our_clock_is_a_clock(starts: list[float], noisy: bool) -> None:
    looks = [sample(float(at), start=WALL - 3600 + start) for at, start in enumerate(starts)]
    assert ("start_time" in noise_of([], looks)) is noisy


GAP = gone(0)


def began(at: float, start: float, build: str = "") -> Sample:
    return sample(at, build, start=WALL + start)


@pytest.mark.parametrize(
    ("looks", "restless"),
    [
        pytest.param([began(1, -500), began(9, 8)], False, id="it moves once"),
        pytest.param([began(at, at - at % 12) for at in range(1, 40, 3)], True, id="it moves again and again"),
        pytest.param([began(1, -500), GAP, began(2, 0), GAP, began(3, 2.5)], False, id="gaps in between"),
        pytest.param([began(1, -500, OLD), began(9, 0, NEW), began(20, 19, OLD)], False, id="other builds in between"),
        pytest.param(
            [began(1, -500), began(4, -500), began(5, -498.5), began(6, -497)], False, id="it moves by 2 s at most"
        ),
    ],
)
def test_a_start_time_that_moves_again_while_nothing_happens_proves_no_change(
    looks: list[Sample], restless: bool
) -> None:
    noise = Noise()
    for each in looks:
        noise.learn(each, before=False)
    learnt = noise.learnt
    assert ("start_time" in learnt.restless) is restless
    assert "start_time" not in learnt.noise  # in a window it still counts as a restart
    found = likeness(sample(99, start=WALL + 90), Before.of([sample(0, start=WALL - 900)]), learnt, TRIGGERED)
    assert bool(found.restarted) is not restless


@pytest.mark.parametrize(
    ("shift", "restarted"),
    [
        pytest.param(-890.0, True, id="later than all before, by any clock"),
        pytest.param(-899.0, False, id="within 2 s"),
        pytest.param(-2000.0, False, id="earlier"),
    ],
)
def test_a_start_time_without_a_zone_is_compared_with_itself(shift: float, restarted: bool) -> None:
    def local(at: float, start: float) -> Sample:
        return replace(sample(at), starts={"started": Start(reported=WALL + start, ours=WALL + start, zoned=False)})

    before = [local(0, -1000.0), local(0.3, -900.0)]
    assert bool(compare(local(5, shift), before).restarted) is restarted


@given(st.lists(st.tuples(st.sampled_from([OLD, NEW, THIRD, "4"]), st.integers(0, 3), st.booleans()), max_size=12))
def test_a_field_found_to_be_noise_stays_noise(looks: list[tuple[str, int, bool]]) -> None:
    noise = Noise()
    seen: set[str] = set()
    for name, start, before in looks:
        noise.learn(sample(0, name, start=WALL + start * 100), before=before)
        assert seen <= noise.learnt.noise
        seen = set(noise.learnt.noise)


# comparison with what was seen before


@pytest.mark.parametrize(
    ("seen", "before", "like"),
    [
        pytest.param(
            sample(1, NEW), [sample(0, OLD)], Likeness(changed=("commit",), kind=Kind.COMMIT), id="another name"
        ),
        pytest.param(
            sample(1, OLD),
            [sample(0, OLD)],
            Likeness(same=("commit",), kind=Kind.COMMIT, pinned=True),
            id="the same name",
        ),
        pytest.param(
            sample(1, OLD),
            [sample(0, NEW), sample(0, OLD)],
            Likeness(same=("commit",), kind=Kind.COMMIT, pinned=True),
            id="one of the names from before",
        ),
        pytest.param(sample(1, NEW), [], NOTHING_SEEN, id="nothing was seen before"),
        pytest.param(
            sample(1, NEW), [sample(0, names={"version": "1"})], NOTHING_SEEN, id="another field was seen before"
        ),
        pytest.param(sample(1), [sample(0, OLD)], NOTHING_SEEN, id="nothing is seen now"),
        pytest.param(
            sample(1, OLD, names={"version": "2"}),
            [sample(0, OLD, names={"version": "1"})],
            Likeness(same=("commit",), outweighed=("version",), kind=Kind.COMMIT, pinned=True),
            id="a version changed, but the commit did not",
        ),
        pytest.param(
            sample(1, start=WALL + 5),
            [sample(0, start=WALL - 900)],
            Likeness(restarted=("start_time",)),
            id="a process started after the trigger",
        ),
        pytest.param(
            sample(1, start=WALL - 1.9),
            [sample(0, start=WALL - 900)],
            Likeness(restarted=("start_time",)),
            id="2 s of tolerance",
        ),
        pytest.param(
            sample(1, start=WALL - 2.1),
            [sample(0, start=WALL - 900)],
            NOTHING_SEEN,
            id="a process started before the trigger",
        ),
        pytest.param(
            sample(1, start=WALL - 900.9),
            [sample(0, start=WALL - 900)],
            Likeness(running_on=("start_time",)),
            id="the same process",
        ),
        pytest.param(sample(1, start=WALL + 5), [], NOTHING_SEEN, id="a start time that was not seen before"),
        pytest.param(
            sample(1, start=WALL - 50),
            [sample(0, start=WALL - 900), sample(0, start=WALL - 50)],
            Likeness(running_on=("start_time",)),
            id="one of the processes from before",
        ),
    ],
)
def test_a_sample_is_compared_with_what_was_seen_before(seen: Sample, before: list[Sample], like: Likeness) -> None:
    assert compare(seen, before) == like


def test_noise_is_not_compared() -> None:
    before = [sample(0, OLD, start=WALL - 900)]
    assert compare(sample(1, NEW, start=WALL + 5), before, frozenset({"commit", "start_time"})) == NOTHING_SEEN


@pytest.mark.parametrize(
    ("like", "visible"),
    [
        (NOTHING_SEEN, False),
        (Likeness(changed=("a",)), True),
        (Likeness(same=("a",)), True),
        (Likeness(restarted=("a",)), True),
        (Likeness(running_on=("a",)), True),
    ],
)
def test_builds_are_distinguishable_by_a_name_or_a_start_time(like: Likeness, visible: bool) -> None:
    assert like.visible is visible


# which build responded


def whose(seen: Sample, before: Sequence[Sample], expected: str = "", counting: Counting = ALL_COUNT) -> Build:
    return build_of(seen, compare(seen, before), expected, counting)


@pytest.mark.parametrize(
    ("seen", "before", "build"),
    [
        pytest.param(sample(1, NEW), [sample(0, OLD)], Build.NEW, id="another name"),
        pytest.param(sample(1, OLD), [sample(0, OLD)], Build.OLD, id="the same name"),
        pytest.param(sample(1), [sample(0)], Build.UNKNOWN, id="no name"),
        pytest.param(sample(1, NEW), [], Build.UNKNOWN, id="no baseline"),
        pytest.param(sample(1, start=WALL + 5), [sample(0, start=WALL - 900)], Build.NEW, id="another process"),
        pytest.param(sample(1, start=WALL - 900), [sample(0, start=WALL - 900)], Build.OLD, id="the same process"),
        pytest.param(
            sample(1, NEW, Condition.NOT_READY), [sample(0, OLD)], Build.NEW, id="another name, not ready yet"
        ),
    ],
)
def test_an_undeclared_build_is_new_if_something_changed(seen: Sample, before: list[Sample], build: Build) -> None:
    assert whose(seen, before) is build


def test_a_new_process_does_not_count_if_watchtower_replaced_nothing() -> None:
    seen, before = sample(1, start=WALL + 5), [sample(0, start=WALL - 900)]
    assert whose(seen, before) is Build.NEW
    assert whose(seen, before, counting=Counting(processes=False)) is Build.OLD
    assert whose(sample(1, NEW), [sample(0, OLD)], counting=Counting(processes=False)) is Build.NEW


@pytest.mark.parametrize(
    ("names", "build"),
    [
        pytest.param({}, Build.NEW, id="nothing else is reported"),
        pytest.param({"version": "1.0"}, Build.NEW, id="a version stayed, as it may"),
        pytest.param({"commit": OLD}, Build.OLD, id="the commit stayed"),
        pytest.param({"build": "7"}, Build.OLD, id="the number of the build stayed"),
    ],
)
def test_a_new_process_is_not_a_new_build_if_the_commit_or_build_number_is_the_same(
    names: dict[str, str], build: Build
) -> None:
    assert whose(sample(1, start=WALL + 5, names=names), [sample(0, start=WALL - 900, names=names)]) is build


@pytest.mark.parametrize(
    ("names", "build"),
    [({"commit": NEW}, Build.NEW), ({"version": NEW}, Build.OLD), ({"build": NEW}, Build.OLD)],
)
def test_if_watchtower_replaced_nothing_only_another_commit_is_a_change(names: dict[str, str], build: Build) -> None:
    before = [sample(0, names=dict.fromkeys(names, OLD))]
    assert whose(sample(1, names=names), before, counting=Counting(processes=False, only_commits=True)) is build
    assert whose(sample(1, names=names), before) is Build.NEW


@pytest.mark.parametrize(
    ("now", "build"),
    [
        pytest.param({"commit": OLD, "build": "8", "version": "2"}, Build.OLD, id="a commit outweighs everything else"),
        pytest.param({"build": "7", "version": "2"}, Build.OLD, id="the number of a build outweighs a version"),
        pytest.param({"version": "2"}, Build.NEW, id="a version decides where nothing stronger is reported now"),
        pytest.param({"commit": NEW, "version": "1"}, Build.NEW, id="a constant version does not hide a commit"),
        pytest.param({"version": "1", "release": "b"}, Build.NEW, id="one of several of the same kind changed"),
        pytest.param({"files": "2 files b", "version": "1"}, Build.OLD, id="files are the weakest"),
    ],
)
def test_the_strongest_kind_of_name_seen_before_and_after_decides(now: dict[str, str], build: Build) -> None:
    was = {"commit": OLD, "build": "7", "version": "1", "release": "a", "files": "2 files a"}
    assert whose(sample(1, names=now), [sample(0, names=was)]) is build


@pytest.mark.parametrize("word", ["unknown", "latest", "${GIT_SHA}"])
def test_a_placeholder_is_not_compared(word: str) -> None:
    assert whose(sample(1, NEW), [sample(0, word)]) is Build.UNKNOWN
    assert whose(sample(1, word), [sample(0, OLD)]) is Build.UNKNOWN
    assert whose(sample(1, word), [sample(0, word)]) is Build.UNKNOWN
    assert whose(sample(1, word), [sample(0, OLD)], NEW) is Build.UNNAMED


@pytest.mark.parametrize(
    ("seen", "before", "build"),
    [
        pytest.param(sample(1, NEW), [sample(0, OLD)], Build.NEW, id="the declared build"),
        pytest.param(sample(1, NEW), [], Build.NEW, id="the declared version, without a baseline"),
        pytest.param(sample(1, "sha-" + NEW[:7]), [], Build.NEW, id="the declared version, spelled differently"),
        pytest.param(
            sample(1, names={"version": "0.1.0", "commit": NEW}), [], Build.NEW, id="a constant version beside it"
        ),
        pytest.param(sample(1, OLD), [sample(0, OLD)], Build.OLD, id="the build from before"),
        pytest.param(sample(1, THIRD), [sample(0, OLD)], Build.OTHER, id="a third build"),
        pytest.param(sample(1, OLD), [], Build.OTHER, id="another version, without a baseline"),
        pytest.param(sample(1), [sample(0, OLD)], Build.UNNAMED, id="healthy, without a name"),
        pytest.param(
            sample(1, condition=Condition.NOT_READY), [sample(0, OLD)], Build.UNKNOWN, id="not ready, without a name"
        ),
        pytest.param(
            sample(1, NEW, endpoints=HEALTH),
            [sample(0, OLD)],
            Build.UNKNOWN,
            id="health does not count where the version has an address of its own",
        ),
        pytest.param(
            sample(1, start=WALL + 5), [sample(0, start=WALL - 900)], Build.UNNAMED, id="a new process is not a version"
        ),
        pytest.param(
            sample(1, names={"version": "1", "commit": THIRD}),
            [sample(0, names={"version": "1", "commit": OLD})],
            Build.OTHER,
            id="one name of before, one changed",
        ),
    ],
)
def test_a_declared_build_is_new_only_if_it_reports_what_was_declared(
    seen: Sample, before: list[Sample], build: Build
) -> None:
    assert whose(seen, before, NEW) is build


@pytest.mark.parametrize(
    ("names", "build"),
    [
        pytest.param({"version": "1", "release": NEW}, Build.NEW, id="one of two looks like the declared one"),
        pytest.param({"commit": NEW, "sha": THIRD}, Build.UNNAMED, id="they contradict each other"),
        pytest.param({"commit": OLD, "sha": NEW}, Build.OLD, id="the commit from before beside the declared one"),
        pytest.param({"commit": THIRD, "version": NEW}, Build.OTHER, id="a weaker name does not count for it"),
    ],
)
def test_for_a_declared_build_only_names_of_the_first_rank_decide(names: dict[str, str], build: Build) -> None:
    assert whose(sample(1, names=names), [sample(0, OLD)], NEW) is build


# which of several names is shown


@pytest.mark.parametrize(
    ("names", "before", "expected", "shown"),
    [
        pytest.param({"version": "0.1.0", "commit": NEW}, {}, NEW, NEW, id="the declared one"),
        pytest.param(
            {"version": "0.2.0", "commit": OLD},
            {"version": "0.1.0", "commit": OLD},
            "",
            "0.2.0",
            id="the one that changed",
        ),
        pytest.param({"version": "0.1.0", "commit": "unknown"}, {}, "", "0.1.0", id="a placeholder does not count"),
        pytest.param({"files": "2 files a"}, {}, "", "", id="files are not a version"),
        pytest.param(
            {"version": "0.1.0", "commit": OLD},
            {"version": "0.1.0", "commit": OLD},
            "",
            OLD,
            id="the more exact name counts",
        ),
        pytest.param({"version": "0.1.0"}, {}, NEW, "0.1.0", id="the only one"),
        pytest.param({}, {}, "", "", id="none"),
    ],
)
def test_one_of_several_names_is_shown(
    names: dict[str, str], before: dict[str, str], expected: str, shown: str
) -> None:
    seen = {path: frozenset({name}) for path, name in before.items()}
    assert version_of(sample(1, names=names), expected, seen) == shown
