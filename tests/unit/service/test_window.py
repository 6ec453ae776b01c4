"""The stability window, with plain numbers for a clock."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.condition import Condition
from redeploy.http.response import ErrorKind
from redeploy.service.identity import Build
from redeploy.service.sample import WHOLE_SECONDS, Sample
from redeploy.service.window import FEWEST, LONGEST, MOST_CRASHES, Window, looks_for
from sandbox.simulation import WALL
from tests.unit.factories import HEALTH, NEW, OLD, VERSION, gone, sample

NONE: frozenset[str] = frozenset()


def fold(
    samples: Iterable[Sample],
    window: Window | None = None,
    build: Build = Build.NEW,
    *,
    fresh: bool = True,
    noise: frozenset[str] = NONE,
) -> Window:
    window = window or Window(length=5.0)
    for each in samples:
        window = window.take(each, build, noise, fresh=fresh)
    return window


def stock_page(at: float) -> Sample:
    return replace(sample(at, condition=Condition.THROTTLED), status=503)


def good(*moments: float, build: str = NEW) -> list[Sample]:
    return [sample(moment, build) for moment in moments]


# holding


@pytest.mark.parametrize(
    ("moments", "held"),
    [
        pytest.param([0, 1, 2, 3, 4, 5.1], True, id="spans 5 s"),
        pytest.param([0, 2.5, 5.04], True, id="three samples are enough"),
        pytest.param([0, 5.1], False, id="two samples are not enough"),
        pytest.param([0, 1, 2, 3, 4, 4.9], False, id="too short"),
        pytest.param([0, 2, 5.03], False, id="the last one was sent too early"),
        pytest.param([0], False, id="one"),
        pytest.param([], False, id="none"),
    ],
)
def test_a_window_holds_after_three_samples_that_span_its_length(moments: list[float], held: bool) -> None:
    assert fold(good(*moments)).holds() is held


def test_a_window_without_length_still_needs_three_samples() -> None:
    window = Window(length=0.0)
    assert not fold(good(0, 1), window).holds()
    assert fold(good(0, 1, 2), window).holds()
    assert FEWEST == 3


def test_a_window_may_have_to_hold_from_a_later_time_on() -> None:
    window = fold(good(0, 1, 2, 3, 4, 5, 6, 7, 8))
    assert window.holds(since=2.9)
    assert not window.holds(since=3.0)
    assert window.holds(since=-100.0)


def test_a_window_may_have_to_be_longer() -> None:
    window = fold(good(*range(12)))
    assert window.holds(length=10.0)
    assert not window.holds(length=11.5)
    assert window.holds(length=0.0)


@pytest.mark.parametrize(
    "mute", [stock_page(2.5), sample(2.5, condition=Condition.CACHED)], ids=["stock 503", "cached"]
)
def test_a_response_that_may_hide_a_gap_does_not_break_the_window_but_interrupts_it(mute: Sample) -> None:
    window = fold([*good(0, 1, 2), mute, *good(3, 4, 5, 6, 7)])
    assert (window.broken, window.crashed) == (0, 0)
    assert not window.holds()
    assert fold(good(8.1), window).holds()


def test_after_such_a_response_a_pause_is_too_long_if_it_could_hide_a_gap() -> None:
    window = fold([stock_page(0), *good(1, 3, 5, 7)], Window(length=5.0, watched_needed=5.0))
    assert window.blind
    assert not window.holds()
    window = fold(good(7.9, 8.8, 9.7, 10.6, 11.5, 12.4), window)
    assert window.holds()


def test_a_slow_look_is_a_pause_in_which_a_gap_could_hide() -> None:
    """A look shows an unknown moment between its request and its response."""
    slow = replace(sample(4.6), sent=2.0)
    window = fold(
        [sample(0, condition=Condition.NOT_READY), *good(1.0, 1.9), slow], Window(length=3.0, watched_needed=3.0)
    )
    window = replace(window, crashed=1)
    assert fold(good(4.7, 5.4, 6.3), window).blind
    assert not fold(good(4.7, 5.4, 6.3, 7.2, 8.1), window).blind


@pytest.mark.parametrize(("again", "held"), [(5.9, True), (7.5, False)])
def test_a_429_between_good_responses_at_most_5_s_apart_is_ignored(again: float, held: bool) -> None:
    limited = sample(2.5, condition=Condition.THROTTLED)
    window = fold([*good(0, 1, 2), limited, *good(again)])
    assert window.holds() is held
    assert window.broken == 0


def test_only_a_look_past_caches_opens_or_closes_a_window() -> None:
    plain = [replace(each, beyond_caches=False) for each in good(*range(20))]
    window = fold(plain[:3])
    assert (window.candidate, window.opened, window.begun) == (True, None, 0)
    window = fold(good(3), window)
    assert (window.opened, window.begun) == (3, 0)
    window = fold(plain[4:12], window)
    assert not window.holds()
    assert fold(good(12), window).holds()


@pytest.mark.parametrize(("instances", "looks"), [(1, 3), (2, 7), (3, 12), (4, 17), (10, 44)])
def test_enough_looks_are_needed_to_find_a_stale_instance_with_99_percent_probability(
    instances: int, looks: int
) -> None:
    assert looks_for(instances) == looks
    window = Window(length=0.0, looks_needed=looks_for(instances))
    assert not fold(good(*range(looks - 1)), window).holds()
    assert fold(good(*range(looks)), window).holds()


# what breaks a window


@pytest.mark.parametrize(
    ("breaker", "crash"),
    [
        pytest.param(gone(3), True, id="transport error"),
        pytest.param(sample(3, NEW, Condition.NOT_READY), True, id="unhealthy response"),
        pytest.param(sample(3, condition=Condition.DOWN), True, id="gateway"),
        pytest.param(sample(3, condition=Condition.HTML), True, id="web page"),
        pytest.param(sample(3, OLD), False, id="another name"),
        pytest.param(sample(3, NEW, start=WALL + 90), True, id="the start time moved"),
        pytest.param(sample(3, OLD, start=WALL + 90), False, id="another name and another process"),
    ],
)
def test_a_window_of_the_new_build_breaks(breaker: Sample, crash: bool) -> None:
    window = fold([sample(at, NEW, start=WALL) for at in (0, 1, 2)])
    broken = fold([breaker], window)
    assert broken.broken == 1
    assert broken.crashed == int(crash)
    assert broken.broke_at == 3
    assert not broken.holds()


@pytest.mark.parametrize(
    "breaker",
    [gone(3), sample(3, NEW, Condition.NOT_READY), sample(3, OLD)],
    ids=["transport error", "unhealthy response", "another name"],
)
def test_after_a_break_everything_starts_again(breaker: Sample) -> None:
    window = fold([*good(0, 1, 2), breaker, *good(4, 5, 6, 7, 8)])
    assert (window.opened, window.samples) == (4, 5)
    assert not window.holds()


def test_another_healthy_build_starts_a_new_window() -> None:
    window = fold(good(0, 1, 2, build=OLD), build=Build.OLD, fresh=False)
    window = fold(good(3), window, Build.NEW)
    assert (window.opened, window.samples, window.build, window.fresh) == (3, 1, Build.NEW, True)
    assert window.broken == 0


def test_a_broken_window_of_the_old_build_is_not_counted() -> None:
    window = fold([*good(0, 1, 2, build=OLD), gone(3)], build=Build.OLD, fresh=False)
    assert (window.broken, window.crashed, window.broke_at) == (0, 0, None)


@pytest.mark.parametrize("build", [Build.OLD, Build.OTHER, Build.UNNAMED])
def test_a_response_of_another_build_breaks_the_window_even_without_a_name(build: Build) -> None:
    window = fold([sample(at) for at in (0, 1, 2)])
    assert fold([sample(3)], window, build).broken == 1


def test_a_response_of_an_unknown_build_does_not_break_the_window() -> None:
    window = fold(good(0, 1, 2))
    window = fold([sample(3), sample(4), sample(5.1)], window, Build.UNKNOWN)
    assert window.holds()
    assert window.build is Build.NEW


@pytest.mark.parametrize(
    ("starts", "broken"),
    [
        pytest.param([0, 0, 0], 0, id="it stays"),
        pytest.param([0, 0.4, 0.1], 0, id="it varies by less than a second"),
        pytest.param([0, 2, 2], 1, id="it moves once"),
        pytest.param([0, 2, 4], 2, id="it moves twice"),
        pytest.param([0, 0.4, 0.8], 1, id="it drifts away from its first value"),
    ],
)
def test_a_start_time_that_moves_is_another_process(starts: list[float], broken: int) -> None:
    assert fold([sample(at, start=WALL + start) for at, start in enumerate(starts)]).broken == broken


def test_an_uptime_in_whole_seconds_may_vary_by_one() -> None:
    looks = [sample(at, starts={"uptime": WALL + start}) for at, start in enumerate([0.0, 0.9, 0.1])]
    whole = [
        replace(look, starts={path: replace(start, slack=WHOLE_SECONDS) for path, start in look.starts.items()})
        for look in looks
    ]
    assert fold(looks).broken > 0
    assert fold(whole).broken == 0


def test_an_uptime_that_fell_is_another_process() -> None:
    uptimes = [(0.0, 0.9), (1.0, 0.6)]
    looks = [sample(at, starts={"uptime": WALL + at - uptime}) for at, uptime in uptimes]
    assert fold(looks).broken == 1


def test_noise_is_not_part_of_an_identity() -> None:
    looks = [sample(at, names={"build": f"{at}"}, start=WALL + 10 * at) for at in range(7)]
    window = fold(looks, noise=frozenset({"build", "start_time"}))
    assert window.holds()
    assert window.broken == 0


def test_a_name_that_appears_later_is_part_of_the_identity_from_then_on() -> None:
    window = fold([sample(0), sample(1, NEW), sample(2), sample(3, NEW)])
    assert window.samples == 4
    assert fold([sample(4, OLD)], window).broken == 1


# doubling and flapping


def crash_loop(times: int, length: float = 5.0) -> Window:
    window = Window(length=length)
    for turn in range(times):
        window = fold([*good(turn * 10, turn * 10 + 1), gone(turn * 10 + 2)], window)
    return window


@pytest.mark.parametrize(
    ("length", "broken", "span"),
    [
        (5.0, 0, 5.0),
        (5.0, 1, 5.0),
        (5.0, 2, 10.0),
        (5.0, 3, 20.0),
        (5.0, 4, 30.0),
        (60.0, 4, 60.0),
        (0.0, 4, 0.0),
        (20.0, 2, 30.0),
    ],
)
def test_from_the_second_broken_window_on_its_length_doubles_to_30_s_at_most(
    length: float, broken: int, span: float
) -> None:
    assert crash_loop(broken, length).span_needed == span


def test_a_doubled_window_does_not_hold_before_its_full_length() -> None:
    window = crash_loop(2)
    assert not fold(good(*range(100, 110)), window).holds()
    assert fold(good(*range(100, 112)), window).holds()


def test_the_fifth_crash_ends_the_run() -> None:
    assert not crash_loop(MOST_CRASHES - 1).flapping
    assert crash_loop(MOST_CRASHES).flapping
    assert MOST_CRASHES == 5


def test_alternating_old_and_new_builds_are_not_a_crash() -> None:
    window = Window(length=5.0)
    for turn in range(8):
        window = window.take(sample(turn * 2, NEW), Build.NEW, NONE, fresh=True)
        window = window.take(sample(turn * 2 + 1, OLD), Build.OLD, NONE, fresh=False)
    assert window.broken == 8
    assert not window.flapping
    assert window.span_needed == LONGEST


def test_consecutive_errors_break_one_window() -> None:
    assert fold([*good(0, 1), gone(2), gone(3), gone(4)]).broken == 1


# a separate version address


def version(at: float, build: str = NEW, condition: Condition = Condition.HEALTHY) -> Sample:
    return sample(at, build, condition, endpoints=VERSION)


def health(at: float, condition: Condition = Condition.HEALTHY, *, error_kind: ErrorKind | None = None) -> Sample:
    return replace(sample(at, condition=condition, endpoints=HEALTH), error_kind=error_kind)


APART = Window(length=5.0, apart=True)


def test_health_opens_and_closes_the_window_and_the_version_is_requested_beside_it() -> None:
    window = fold([version(0)], APART)
    assert window.candidate
    assert window.opened is None
    window = fold([health(1), health(2), version(3), health(4), health(5), version(6.2)], window)
    assert window.opened == 1
    assert not window.holds()
    assert fold([health(6.4)], window).holds()


def test_the_version_is_requested_three_times_the_last_time_at_the_end() -> None:
    window = fold([version(0), *map(health, (1, 2, 3, 4, 5, 6.2))], APART)
    assert not window.holds()
    assert not fold([version(6.3)], window).holds()
    assert fold([version(6.3), version(6.4)], window).holds()


def test_with_a_cached_version_address_one_fresh_response_in_the_window_names_the_build() -> None:
    cached = [version(at, "", Condition.CACHED) for at in (3, 6.3)]
    looks = [health(1), health(2), cached[0], health(4), health(6.2), cached[1]]
    assert fold([version(0), *looks], APART).holds()
    long_ago = replace(APART, candidate=True, candidate_at=-10.0, fresh=True, build=Build.NEW)
    assert not fold(looks, long_ago).holds()


def test_health_alone_opens_no_window() -> None:
    assert fold([health(0), health(1), health(2)], APART).opened is None


def test_health_before_the_end_does_not_close_the_window() -> None:
    window = fold([version(0), health(1), version(3), health(4), version(6.2)], APART)
    assert not window.holds()


@pytest.mark.parametrize(
    "breaker",
    [
        health(4, Condition.NOT_READY),
        version(4, condition=Condition.NOT_READY),
        version(4, OLD),
        health(4, Condition.DOWN, error_kind=ErrorKind.CUT),
    ],
    ids=["health is unhealthy", "version is unhealthy", "another version", "health is gone"],
)
def test_a_window_with_a_separate_version_address_breaks_like_any_other(breaker: Sample) -> None:
    window = fold([version(0), health(1), version(2)], APART)
    assert fold([breaker], window).broken == 1


@pytest.mark.parametrize(
    "breaker",
    [health(1.0, Condition.DOWN), health(1.0, Condition.DOWN, error_kind=ErrorKind.REFUSED)],
    ids=["502", "refused"],
)
def test_a_new_build_that_is_gone_right_after_its_first_look_has_crashed(breaker: Sample) -> None:
    window = fold([version(0.0), breaker], APART)
    assert (window.crashed, window.broke_at, window.candidate) == (1, 1.0, False)
    assert fold([version(0.0), breaker], APART, fresh=False).crashed == 0


def test_a_new_build_that_is_not_ready_yet_has_no_window_to_break() -> None:
    window = fold([version(0), health(1, Condition.NOT_READY), version(2), health(3, Condition.NOT_READY)], APART)
    assert window.broken == 0
    assert fold([health(4)], window).opened == 4


def test_a_candidate_of_another_process_does_not_open_the_window() -> None:
    window = fold([sample(0, NEW, endpoints=VERSION, start=WALL)], APART)
    window = fold([sample(1, endpoints=HEALTH, start=WALL + 60)], window)
    assert window.opened is None
    assert not window.candidate


# properties of any window

EVENTS = st.lists(
    st.tuples(
        st.floats(0.05, 3.0),
        st.sampled_from([*Condition]),
        st.sampled_from(["", OLD, NEW]),
        st.sampled_from([0.0, 100.0]),
        st.sampled_from([HEALTH, VERSION, HEALTH | VERSION]),
        st.booleans(),
    ),
    max_size=25,
)


@given(EVENTS, st.booleans(), st.sampled_from([0.0, 2.0, 5.0]))
def test_a_window_that_holds_saw_one_healthy_build_for_its_whole_length(
    events: list[tuple[float, Condition, str, float, frozenset[object], bool]], apart: bool, length: float
) -> None:
    window, now, seen = Window(length=length, apart=apart), 0.0, list[Sample]()
    for pause, condition, build, start, endpoints, fresh in events:
        now += pause
        look = sample(now, build, condition, took=0.01, endpoints=endpoints, start=WALL + start)  # type: ignore[arg-type]
        window = window.take(look, {"": Build.UNKNOWN, OLD: Build.OLD, NEW: Build.NEW}[build], NONE, fresh=fresh)
        seen.append(look)
        assert window.crashed <= window.broken
        assert window.span_needed >= length
        if window.holds():
            assert window.opened is not None
            within = [each for each in seen if each.at >= window.opened and not each.condition.is_inconclusive]
            assert all(each.healthy for each in within)
            assert len(within) >= FEWEST
            assert within[-1].sent - within[0].at >= length
            assert len({each.names["commit"] for each in within if each.names}) <= 1
            assert len({each.starts["start_time"].reported for each in within}) == 1
