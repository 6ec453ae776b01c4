"""When to look next, and when the trigger is sent again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.condition import Condition
from redeploy.http.response import Response
from redeploy.rollout.budget import SLOWED, Bucket, Buckets, RequestBudget
from redeploy.rollout.pace import (
    AFTER_THE_RESPONSE,
    QUICK_LEAST,
    UNHURRIED_MOST,
    WINDOW_MOST,
    Phase,
    interval,
    kept_back,
    kept_from_search,
    waiting_for,
)
from redeploy.rollout.requests import BOTH, Event, FetchContainers, Probe, SendTrigger
from redeploy.service.sample import Sample, read_sample
from redeploy.settings.plan import Rate
from redeploy.triggers.retry import Resend, next_try
from redeploy.triggers.trigger import Again, Answer, Result
from redeploy.verdicts import Reason
from sandbox.simulation import BASE, WALL
from tests.unit.factories import HEALTH, VERSION, ready, reply, service

RATE = Rate(per_second=0.5)
URL = f"{BASE}/api/ready"
PROBE = Probe(BOTH, URL)


# the bucket


def test_a_full_bucket_allows_a_burst_of_15() -> None:
    bucket = Bucket.full(RATE, 100.0)
    for _ in range(15):
        assert bucket.ready(100.0) == 100.0
        bucket = bucket.draw(100.0)
    assert bucket.ready(100.0) == pytest.approx(102.0)


def test_a_bucket_fills_at_its_rate_and_not_beyond_its_burst() -> None:
    bucket = Bucket.full(RATE, 0.0).draw(0.0, 15)
    assert bucket.level(10.0) == pytest.approx(5.0)
    assert bucket.level(1000.0) == 15.0


def test_a_clock_that_goes_back_does_not_change_the_bucket() -> None:
    bucket = Bucket.full(RATE, 100.0).draw(100.0, 10)
    assert bucket.level(50.0) == 5.0


def test_tokens_can_be_reserved() -> None:
    bucket = Bucket.full(RATE, 0.0).draw(0.0, 10)
    assert bucket.ready(0.0, 1, keep=4) == 0.0
    assert bucket.ready(0.0, 1, keep=5) == pytest.approx(2.0)
    assert bucket.ready(0.0, 1, keep=1000) == pytest.approx(20.0), "never more than the bucket holds"


def test_after_a_refusal_the_bucket_is_empty() -> None:
    assert Bucket.full(RATE, 0.0).emptied(5.0).ready(5.0) == pytest.approx(7.0)


@given(st.lists(st.tuples(st.floats(0, 1e4), st.integers(1, 20)), max_size=20))
def test_without_a_rate_nothing_waits(draws: list[tuple[float, int]]) -> None:
    bucket = Bucket.full(None, 0.0)
    for now, cost in draws:
        assert bucket.ready(now, cost, keep=100) == now
        bucket = bucket.draw(now, cost).emptied(now)


@given(
    st.floats(0.01, 10),
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 4), st.floats(0, 10)), min_size=1, max_size=60),
)
def test_requests_that_wait_until_the_bucket_is_ready_never_overdraw_it(
    rate: float, wishes: list[tuple[float, int, float]]
) -> None:
    now, bucket, drawn = 0.0, Bucket.full(Rate(rate), 0.0), list[tuple[float, int]]()
    for pause, cost, keep in wishes:
        now = max(now + pause, bucket.ready(now + pause, cost, keep))
        assert bucket.level(now) >= cost - 1e-6
        bucket = bucket.draw(now, cost)
        drawn.append((now, cost))
    for start, _ in drawn:
        for end, _ in drawn:
            if end >= start:
                total = sum(cost for moment, cost in drawn if start <= moment <= end)
                assert total <= 15 + rate * (end - start) + 1e-6


# the time between two looks


def pause(phase: Phase, elapsed: float, stable_for: float, jitter: float) -> float:
    return interval(phase, elapsed=elapsed, waited=elapsed, stable_for=stable_for, jitter=jitter)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("elapsed", [0.0, 1.0, 10.0, 100.0, 10_000.0])
def test_an_interval_fits_its_phase(elapsed: float, jitter: float) -> None:
    unhurried = pause(Phase.UNHURRIED, elapsed, 5.0, jitter)
    quick = pause(Phase.QUICK, elapsed, 5.0, jitter)
    window = pause(Phase.WINDOW, elapsed, 5.0, jitter)
    assert 0.3 <= unhurried <= UNHURRIED_MOST * 1.1 + 1e-9
    assert quick >= QUICK_LEAST * 0.9
    assert 0 < window <= WINDOW_MOST * 1.3


@pytest.mark.parametrize(("stable_for", "most"), [(5.0, 1.3), (1.0, 0.65), (0.0, 0.1), (60.0, 1.3)])
def test_in_a_window_looks_are_about_a_second_apart_or_half_a_window(stable_for: float, most: float) -> None:
    assert all(0 < pause(Phase.WINDOW, 3.0, stable_for, jitter / 10) <= most for jitter in range(11))


def test_in_a_window_looks_are_irregular() -> None:
    assert pause(Phase.WINDOW, 0.0, 5.0, 1.0) - pause(Phase.WINDOW, 0.0, 5.0, 0.0) >= 0.2


@pytest.mark.parametrize("rate", [None, RATE, Rate(1 / 60), Rate(10.0)], ids=["off", "30/m", "1/m", "10/s"])
@pytest.mark.parametrize("stable_for", [0.0, 1.0, 5.0, 30.0, 3600.0])
def test_the_tokens_reserved_for_a_window_leave_half_of_the_burst(rate: Rate | None, stable_for: float) -> None:
    assert 0.0 <= kept_back(rate, stable_for) <= 7.5


@pytest.mark.parametrize("apart", [False, True])
def test_while_the_service_is_gone_tokens_are_saved_for_the_time_after_the_response(apart: bool) -> None:
    gone, quick = (kept_from_search(phase, RATE, 5.0, apart=apart) for phase in (Phase.GONE, Phase.QUICK))
    assert gone - quick == pytest.approx(AFTER_THE_RESPONSE)
    assert quick >= 5.0


@pytest.mark.parametrize(
    ("responded", "gone", "refused", "phase"),
    [
        (False, False, False, Phase.UNHURRIED),
        (False, False, True, Phase.UNHURRIED),
        (False, True, False, Phase.GONE),
        (False, True, True, Phase.QUICK),
        (True, False, False, Phase.QUICK),
        (True, True, True, Phase.QUICK),
    ],
)
def test_the_state_of_the_update_decides_how_soon_to_look(
    responded: bool, gone: bool, refused: bool, phase: Phase
) -> None:
    assert waiting_for(responded=responded, gone=gone, refused=refused) is phase


# the request budget


def look(http_result: Response, at: float) -> Sample:
    return read_sample(http_result, service(), BOTH, sent=at, at=at, wall=WALL)


def test_every_look_takes_a_token_from_the_bucket_of_its_origin() -> None:
    budget = RequestBudget(Buckets(RATE))
    for _ in range(15):
        budget.note_sent(PROBE, 0.0)
    assert budget.ready(URL, 0.0) == pytest.approx(2.0)
    assert budget.ready("https://other.example.com/", 0.0) == 0.0


@pytest.mark.parametrize("tokened", [SendTrigger(), FetchContainers()])
def test_requests_with_the_watchtower_token_take_no_token_from_a_bucket(tokened: SendTrigger | FetchContainers) -> None:
    budget = RequestBudget(Buckets(RATE))
    for _ in range(40):
        budget.note_sent(tokened, 0.0)
    assert budget.ready(URL, 0.0) == 0.0


def test_each_redirect_counts_as_a_request_from_then_on() -> None:
    budget = RequestBudget(Buckets(RATE))
    budget.note_sent(PROBE, 0.0)
    budget.note_sample(PROBE, look(Response(200, hops=2), 0.0))
    assert budget.cost(URL) == 3
    for _ in range(4):
        assert budget.ready(URL, 0.0) == 0.0
        budget.note_sent(PROBE, 0.0)
    assert budget.ready(URL, 0.0) > 0.0


@pytest.mark.parametrize(
    ("http_result", "silent"),
    [
        (reply(429, retry_after="20"), 20.0),
        (reply(429), SLOWED),
        (reply(503, "<html>503 Service Temporarily Unavailable</html>", content_type="text/html"), SLOWED),
    ],
    ids=["with Retry-After", "without Retry-After", "nginx"],
)
def test_after_a_429_no_look_is_sent_for_a_while(http_result: Response, silent: float) -> None:
    budget = RequestBudget(Buckets(RATE))
    sample = look(http_result, 10.0)
    assert sample.condition is Condition.THROTTLED
    budget.note_sample(PROBE, sample)
    assert budget.ready(URL, 10.0) >= 10.0 + silent
    assert budget.ready(URL, 10.0 + silent) == 10.0 + silent


def test_after_a_cached_response_every_further_look_of_that_kind_bypasses_the_cache() -> None:
    budget = RequestBudget(Buckets(RATE))
    health = Probe(HEALTH, URL)
    budget.note_sample(health, look(reply(200, "ok", age="5"), 0.0))
    assert budget.probe(HEALTH, URL).past_caches
    assert not budget.probe(VERSION, URL).past_caches
    budget.note_sample(health, look(ready(), 1.0))
    assert budget.probe(HEALTH, URL).past_caches


def test_a_request_is_under_way_until_its_response() -> None:
    budget = RequestBudget(Buckets(RATE))
    budget.note_sent(PROBE, 2.0)
    budget.note_sent(PROBE, 1.0)
    budget.note_sent(FetchContainers(), 1.5)
    assert budget.under_way(Probe) == [1.0, 2.0]
    budget.note_answered(Event(request=PROBE, http_result=Response(200), sent=1.0, at=3.0, wall=WALL))
    budget.note_answered(Event(request=PROBE, http_result=Response(200), sent=1.0, at=3.0, wall=WALL))
    assert budget.under_way(Probe) == [2.0]
    assert budget.under_way(FetchContainers) == [1.5]


# resending the trigger


def again(kind: Again, wait: float | None = None) -> Answer:
    return Answer(result=Result.NONE, seen="", again=kind, wait=wait)


@pytest.mark.parametrize("kind", [Again.BUSY, Again.RATE_LIMITED, Again.CANCELLED])
def test_without_retry_after_the_waits_grow(kind: Again) -> None:
    answers, now, waits = list[Answer](), 0.0, list[float]()
    for _ in range(6):
        answers.append(again(kind))
        found = next_try(answers, now=now, first_sent=0.0, deadline=1000.0)
        assert isinstance(found, Resend)
        waits.append(found.at - now)
        now = found.at
    assert waits == [5, 10, 20, 30, 30, 30]


@pytest.mark.parametrize("kind", [Again.BUSY, Again.RATE_LIMITED, Again.CANCELLED])
def test_the_server_says_how_long_to_wait(kind: Again) -> None:
    assert next_try([again(kind, 30.0)], now=10.0, first_sent=0.0, deadline=300.0) == Resend(40.0)
    assert next_try([again(kind, 0.0)], now=10.0, first_sent=0.0, deadline=300.0) == Resend(11.0)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(Again.BUSY, Reason.BUSY), (Again.RATE_LIMITED, Reason.RATE_LIMITED), (Again.CANCELLED, Reason.BUSY)],
)
def test_a_wait_beyond_the_deadline_fails_now(kind: Again, reason: Reason) -> None:
    assert next_try([again(kind, 290.0)], now=10.0, first_sent=0.0, deadline=300.0) is reason
    assert next_try([again(kind, 289.0)], now=10.0, first_sent=0.0, deadline=300.0) == Resend(299.0)
    assert next_try([again(kind)], now=298.0, first_sent=0.0, deadline=300.0) is reason


def test_an_unreachable_watchtower_is_tried_three_times_within_15_s() -> None:
    answers, now, sent = list[Answer](), 0.0, [0.0]
    while True:
        answers.append(again(Again.UNREACHED))
        found = next_try(answers, now=now, first_sent=0.0, deadline=300.0)
        if not isinstance(found, Resend):
            break
        now = found.at
        sent.append(now)
    assert found is Reason.UNREACHABLE
    assert len(sent) == 3
    assert sent[-1] < 15.0


@pytest.mark.parametrize(
    ("now", "deadline"), [(14.5, 300.0), (2.0, 2.5)], ids=["15 s are over", "the deadline is near"]
)
def test_an_unreachable_watchtower_is_not_tried_for_longer(now: float, deadline: float) -> None:
    assert next_try([again(Again.UNREACHED)], now=now, first_sent=0.0, deadline=deadline) is Reason.UNREACHABLE


def test_waits_are_counted_for_each_kind() -> None:
    answers = [again(Again.UNREACHED), again(Again.BUSY), again(Again.UNREACHED), again(Again.BUSY)]
    assert next_try(answers, now=0.0, first_sent=0.0, deadline=300.0) == Resend(10.0)


def test_a_trigger_that_may_have_run_is_never_sent_again() -> None:
    with pytest.raises(ValueError, match="never sent again"):
        next_try([Answer(result=Result.UNKNOWN, seen="")], now=0.0, first_sent=0.0, deadline=300.0)


@given(
    st.lists(st.tuples(st.sampled_from(Again), st.none() | st.floats(0, 400)), min_size=1, max_size=30),
    st.floats(1, 400),
)
def test_a_retry_is_sent_at_least_1_s_later_and_before_the_deadline(
    waits: list[tuple[Again, float | None]], deadline: float
) -> None:
    answers, now = list[Answer](), 0.0
    for kind, wait in waits:
        answers.append(again(kind, wait))
        found = next_try(answers, now=now, first_sent=0.0, deadline=deadline)
        if not isinstance(found, Resend):
            break
        assert now + 1.0 <= found.at < deadline
        now = found.at
