"""What the samples since the trigger show together."""

import pytest

from redeploy.http.condition import Condition
from redeploy.service.history import WALL_SAMPLES, WALL_SECONDS, Rules, SampleHistory
from redeploy.service.identity import Before, Build, Counting, Learnt
from redeploy.service.sample import Sample
from redeploy.service.window import Window
from sandbox.simulation import WALL
from tests.unit.factories import HEALTH, NEW, OLD, THIRD, VERSION, gone, sample


def rules(
    *before: Sample,
    expected: str = "",
    noise: frozenset[str] = frozenset(),
    live_before: bool = False,
    verifying: bool = False,
) -> Rules:
    return Rules(
        before=Before.of(before),
        learnt=Learnt(noise),
        expected=expected,
        triggered=WALL,
        counting=Counting(),
        live_before=live_before,
        verifying=verifying,
    )


def history(samples: list[Sample], under: Rules, *, apart: bool = False) -> SampleHistory:
    history = SampleHistory(window=Window(length=5.0, apart=apart))
    for each in samples:
        history = history.step(each, under)
    return history


WAS = sample(-1, OLD, start=WALL - 900)


def test_without_samples_the_build_is_unknown() -> None:
    found = history([], rules(WAS))
    assert (found.last, found.failing, found.healthy, found.new_seen, found.build) == (
        None,
        None,
        False,
        False,
        Build.UNKNOWN,
    )


def test_a_rollout_with_a_gap_is_followed_to_its_new_build() -> None:
    found = history([sample(1, OLD), gone(2), gone(3), sample(4, NEW), sample(5, NEW)], rules(WAS))
    assert found.new_seen
    assert found.build is Build.NEW
    assert (found.gap_seen, found.gap_ended) == (True, 4)
    assert (found.window.opened, found.window.broken) == (4, 0)
    assert found.healthy


def test_inconclusive_samples_do_not_change_the_history() -> None:
    found = history([sample(1, OLD), sample(2, condition=Condition.THROTTLED)], rules(WAS))
    assert found.mute is Condition.THROTTLED
    assert found.healthy
    assert not found.gap_seen
    assert history([sample(1, condition=Condition.CACHED)], rules(WAS)).last is None


def test_the_new_build_is_seen_even_before_it_is_ready() -> None:
    found = history([sample(1, NEW, Condition.NOT_READY)], rules(WAS))
    assert found.new_seen
    assert not found.healthy
    assert found.window.opened is None


def test_the_last_build_that_was_reported_is_kept_while_nothing_is_reported() -> None:
    found = history([sample(1, NEW), gone(2)], rules(WAS))
    assert found.build is Build.NEW
    assert found.failing is not None


@pytest.mark.parametrize(
    ("samples", "broken"),
    [
        pytest.param([sample(1, NEW), gone(2)], 1, id="a named new build"),
        pytest.param([sample(1, OLD), gone(2)], 0, id="the old build before the gap"),
        pytest.param([sample(1), gone(2)], 0, id="an unnamed build before any gap"),
        pytest.param([gone(1), sample(2), gone(3)], 1, id="an unnamed build after a gap is presumed new"),
        pytest.param([gone(1), sample(2, start=WALL - 900), gone(3)], 0, id="the old process after a gap is not"),
    ],
)
def test_only_breaks_of_a_new_build_count(samples: list[Sample], broken: int) -> None:
    assert history(samples, rules(WAS)).window.broken == broken


def test_a_build_that_was_live_before_counts_as_new_only_after_a_gap() -> None:
    before = sample(-1, NEW)
    under = rules(before, expected=NEW, live_before=True)
    assert history([sample(1, NEW), gone(2)], under).window.broken == 0
    assert history([gone(1), sample(2, NEW), gone(3)], under).window.broken == 1


def test_in_mode_verify_every_window_counts() -> None:
    assert history([sample(1), gone(2)], rules(verifying=True)).window.broken == 1


def test_a_field_that_turns_out_to_be_noise_leaves_no_break_behind() -> None:
    samples = [sample(at, f"{at}", names={"version": "1"}) for at in range(1, 5)]
    before = sample(-1, "9", names={"version": "1"})
    assert history(samples, rules(before)).window.broken > 0
    found = history(samples, rules(before, noise=frozenset({"commit"})))
    assert found.window.broken == 0
    assert not found.new_seen
    assert found.build is Build.OLD


def test_health_and_version_are_remembered_apart() -> None:
    found = history(
        [sample(1, NEW, endpoints=VERSION), sample(2, condition=Condition.NOT_READY, endpoints=HEALTH)],
        rules(WAS),
        apart=True,
    )
    assert found.failing is not None
    assert found.failing.endpoints == HEALTH
    assert not found.healthy
    assert found.last is found.health
    found = history(
        [
            sample(1, condition=Condition.NOT_READY, endpoints=HEALTH),
            sample(2, endpoints=HEALTH),
            sample(3, NEW, endpoints=VERSION),
        ],
        rules(WAS),
        apart=True,
    )
    assert found.healthy


@pytest.mark.parametrize(
    "wall", [Condition.ACCESS_WALL, Condition.CHALLENGE, Condition.TLS, Condition.REDIRECT], ids=lambda each: each.name
)
@pytest.mark.parametrize(
    ("moments", "walled"),
    [
        ([0, 2.5, 5], True),
        ([0, 5], False),
        ([0, 1, 2], False),
        ([0, 1, 2, 3, 4, 5], True),
    ],
    ids=["three over 5 s", "two", "too short", "six"],
)
def test_three_samples_over_5_s_make_a_wall_certain(wall: Condition, moments: list[float], walled: bool) -> None:
    found = history([sample(at, condition=wall) for at in moments], rules(WAS))
    assert found.walled(pages=False) is (wall if walled else None)
    assert (WALL_SAMPLES, WALL_SECONDS) == (3, 5.0)


@pytest.mark.parametrize(
    "between", [sample(2, OLD), gone(2), sample(2, condition=Condition.NOT_READY)], ids=["healthy", "gone", "not ready"]
)
def test_any_other_response_restarts_the_count_for_a_wall(between: Sample) -> None:
    walls = [sample(at, condition=Condition.TLS) for at in (0, 1, 3, 4, 5.5)]
    found = history(sorted([*walls, between], key=lambda each: each.at), rules(WAS))
    assert found.walled(pages=True) is None


def test_a_rate_limit_in_between_does_not_restart_the_count_for_a_wall() -> None:
    samples = [
        sample(0, condition=Condition.TLS),
        sample(2, condition=Condition.THROTTLED),
        sample(3, condition=Condition.TLS),
        sample(6, condition=Condition.TLS),
    ]
    assert history(samples, rules(WAS)).walled(pages=False) is Condition.TLS


def test_web_pages_are_a_wall_only_if_pages_count() -> None:
    found = history([sample(at, condition=Condition.HTML) for at in (0, 3, 6)], rules(WAS))
    assert found.walled(pages=True) is Condition.HTML
    assert found.walled(pages=False) is None


def test_two_alternating_builds_stay_known_as_alternating() -> None:
    samples = [sample(at, NEW if at % 2 else OLD) for at in range(1, 20)]
    found = history(samples, rules(WAS))
    assert found.window.broken > 1
    assert not found.window.flapping
    assert not found.window.holds()


def test_a_third_build_is_neither_old_nor_new() -> None:
    found = history([sample(1, THIRD)], rules(WAS, expected=NEW))
    assert found.build is Build.OTHER
    assert not found.new_seen


def test_two_addresses_are_judged_together() -> None:
    def health(at: float, **names: str) -> Sample:
        return sample(at, endpoints=HEALTH, names={f"health:{path}": name for path, name in names.items()})

    before = [health(-2, version="2.0"), sample(-1, endpoints=VERSION, names={"version": "1.4.0"})]
    after = sample(2, endpoints=VERSION, names={"version": "1.5.0"})
    constant = history([health(1, version="2.0"), after, health(3, version="2.0")], rules(*before), apart=True)
    assert constant.build is Build.NEW
    assert constant.window.broken == 0

    before = [health(-2, commit=OLD), before[1]]
    pinned = history([health(1, commit=OLD), after, health(3, commit=OLD)], rules(*before), apart=True)
    assert pinned.build is Build.OLD
    assert not pinned.new_seen


def test_a_lost_response_does_not_repeat_the_build_of_the_other_address() -> None:
    lost = sample(3, condition=Condition.DOWN, endpoints=HEALTH)
    found = history([sample(2, NEW, endpoints=VERSION), lost], rules(sample(-1, OLD, endpoints=VERSION)), apart=True)
    assert found.last_build is Build.UNKNOWN
