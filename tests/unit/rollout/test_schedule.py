"""Which requests a run sends, and when, in whole simulated runs."""

from collections.abc import Callable
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.http.urls import origin_of
from redeploy.report.facts import About
from redeploy.rollout.pace import UNHURRIED_MOST
from redeploy.rollout.requests import (
    BOTH,
    CheckContainers,
    FetchContainers,
    FetchDocument,
    Probe,
    ProbeContainerSupport,
    Request,
    SendTrigger,
)
from redeploy.service.window import BLIND, FEWEST
from sandbox.simulation import BASE, REFUSED, WALL, Story, Taking, World, simulate
from tests.unit.factories import D1, D2, HEALTH, NEW, OLD, VERSION, page, ready, reply, rows, summary

pytestmark = pytest.mark.no_cover  # these runs take long, and other tests reach the same lines

FORKED = reply(401, "missing or invalid API Key")
UPDATED = summary(updated=1)


def rollout(gone: float = 2.0, back: float = 4.0, **fields: object) -> Callable[[float, Probe], HttpResult]:
    """A service that is replaced: it goes down, and comes back as the new build."""

    def service(moment: float, _: Probe) -> HttpResult:
        return ready(OLD, **fields) if moment < gone else REFUSED if moment < back else ready(NEW, **fields)

    return service


def steady(http_result: HttpResult) -> Callable[[float, Probe], HttpResult]:
    return lambda moment, probe: http_result


def digests(changed: float, before: str = D1, after: str = D2) -> Callable[[float], HttpResult]:
    return lambda moment: rows(("api", "ghcr.io/o/api", before if moment < changed else after))


def overdrawn(story: Story, per_second: float = 0.5) -> float:
    """The worst overdraft in tokens of a bucket of 15, over all origins."""
    worst = -15.0
    probes = [(moment, request) for moment, request in story.world.asked if isinstance(request, Probe)]
    for origin in {origin_of(request.url) for _, request in probes}:
        level, last = 15.0, 0.0
        for moment, request in probes:
            if origin_of(request.url) == origin:
                level = min(15.0, level + (moment - last) * per_second) - 1
                last = moment
                worst = max(worst, -level)
    return worst


# the baseline


def test_before_the_trigger_the_service_is_looked_at_twice_and_containers_and_document_once() -> None:
    story = simulate(World(rollout(), (UPDATED,)))
    before = [request for moment, request in story.world.asked if moment < (story.world.triggered or 0.0)]
    assert before == [
        Probe(BOTH, f"{BASE}/api/ready"),
        FetchContainers(),
        FetchDocument(f"{BASE}/openapi.json"),
        Probe(BOTH, f"{BASE}/api/ready"),
    ]


def test_health_and_version_are_requested_side_by_side() -> None:
    story = simulate(World(rollout(), (UPDATED,)), version_path="/api/version")
    first = [request.endpoints for moment, request in story.world.asked if moment == 0.0 and isinstance(request, Probe)]
    assert first == [HEALTH, VERSION]


@pytest.mark.parametrize("takes", [5.0, 60.0])
def test_the_baseline_takes_at_most_3_s(takes: float) -> None:
    def service(moment: float, _: Probe) -> Taking:
        return (ready(NEW), 0.04) if moment > 0 else (ready(OLD), takes)

    story = simulate(World(service, (UPDATED,), containers=lambda moment: (rows(), takes)))
    assert story.world.triggered == pytest.approx(3.0)


def test_a_quick_service_is_triggered_quickly() -> None:
    story = simulate(World(rollout(), (UPDATED,)))
    assert (story.world.triggered or 9.9) < 0.5


@pytest.mark.parametrize(
    "http_result",
    [REFUSED, page(), reply(500), TransportError(ErrorKind.TLS), reply(429, retry_after="100")],
    ids=["refused", "page", "500", "TLS", "429"],
)
def test_a_failed_baseline_is_not_an_error(http_result: HttpResult) -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        return http_result if moment < 2 else ready(NEW)

    story = simulate(World(service, (UPDATED,)), expect_version=NEW)
    assert story.verdict == ("deployed", "")


# the trigger


def test_the_trigger_is_sent_once() -> None:
    for answer in (UPDATED, reply(200), reply(202), TransportError(ErrorKind.CUT), reply(408), page(502), page(504)):
        story = simulate(World(rollout(), (answer,)), expect_version=NEW, timeout="60")
        assert len(story.world.sent(SendTrigger)) == 1
        assert story.verdict == ("deployed", "")


@pytest.mark.parametrize(
    ("http_result", "reason"),
    [
        (reply(401), "auth"),
        (reply(403), "auth"),
        (reply(404), "misrouted"),
        (reply(405), "method"),
        (page(200), "misrouted"),
        (reply(302, location="https://x/"), "redirect"),
        (reply(302, location="https://t.cloudflareaccess.com/"), "access-wall"),
        (page(403, cf_mitigated="challenge"), "challenge"),
        (TransportError(ErrorKind.TLS), "tls"),
    ],
)
def test_a_refusal_that_waiting_cannot_fix_ends_the_run_at_once(http_result: HttpResult, reason: str) -> None:
    story = simulate(World(steady(ready(OLD)), (http_result,)), expect_version=NEW)
    assert story.verdict == ("trigger-failed", reason)
    assert story.seconds < 0.1


def test_an_unreachable_watchtower_is_triggered_three_times_within_15_s() -> None:
    story = simulate(World(steady(ready(OLD)), (REFUSED,)), expect_version=NEW)
    assert story.verdict == ("trigger-failed", "unreachable")
    assert len(story.world.sent(SendTrigger)) == 3
    assert story.seconds < 15.0


def test_a_busy_watchtower_is_triggered_again_after_its_retry_after() -> None:
    busy = reply(429, {"error": "another update is already running"}, retry_after="12")
    story = simulate(World(rollout(gone=14.0, back=16.0), (busy, UPDATED)), expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert story.world.since_trigger(SendTrigger) == pytest.approx([0.0, 12.04])


def test_a_busy_watchtower_is_not_triggered_again_if_the_declared_build_goes_live_meanwhile() -> None:
    busy = reply(429, {"error": "another update is already running"}, retry_after="30")
    story = simulate(World(rollout(), (busy, UPDATED)), expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert len(story.world.sent(SendTrigger)) == 1


def test_busy_is_a_final_response_if_the_declared_build_was_live_before() -> None:
    busy = reply(429, {"error": "another update is already running"})
    story = simulate(World(steady(ready(NEW)), (busy,)), expect_version=NEW)
    assert story.verdict == ("already-current", "")
    assert len(story.world.sent(SendTrigger)) == 1


def test_a_rate_limit_is_waited_out_even_if_the_declared_build_was_live_before() -> None:
    story = simulate(World(steady(ready(NEW)), (reply(429, retry_after="8"), summary())), expect_version=NEW)
    assert story.verdict == ("already-current", "")
    assert len(story.world.sent(SendTrigger)) == 2


@pytest.mark.parametrize(
    ("http_result", "reason"),
    [
        (reply(429, retry_after="100"), "rate-limited"),
        (reply(429, {"error": "another update is already running"}, retry_after="100"), "busy"),
    ],
)
def test_a_wait_beyond_the_deadline_fails_now(http_result: HttpResult, reason: str) -> None:
    story = simulate(World(steady(ready(OLD)), (http_result,)), expect_version=NEW, timeout="60")
    assert story.verdict == ("trigger-failed", reason)
    assert story.seconds < 1.0


def test_a_watchtower_that_is_busy_until_the_deadline_fails_as_busy() -> None:
    busy = reply(429, {"reason": "another update is already running"})
    story = simulate(World(steady(ready(OLD)), (busy,)), expect_version=NEW, timeout="60")
    assert story.verdict == ("trigger-failed", "busy")
    assert [round(at) for at in story.world.since_trigger(SendTrigger)] == [0, 5, 15, 35]


# container narrowing


def test_with_container_support_for_it_is_probed_first() -> None:
    story = simulate(World(rollout(), (UPDATED,), forked=FORKED), container="api")
    assert story.verdict == ("deployed", "")
    assert len(story.world.sent(ProbeContainerSupport)) == 1
    assert story.world.sent(ProbeContainerSupport)[0] < (story.world.triggered or 0.0)


@pytest.mark.parametrize(
    "http_result", [reply(401), reply(200), reply(403), page(401), page(502), TransportError(ErrorKind.CUT)]
)
def test_without_confirmed_container_support_nothing_is_triggered(http_result: HttpResult) -> None:
    story = simulate(World(rollout(), (UPDATED,), forked=http_result), container="api")
    assert story.verdict == ("not-started", "unsupported")
    assert story.world.triggered is None


def test_an_unreachable_watchtower_is_reported_by_the_trigger_and_not_by_the_container_probe() -> None:
    story = simulate(World(steady(ready(OLD)), (REFUSED,), forked=REFUSED), container="api")
    assert story.verdict == ("trigger-failed", "unreachable")


def test_the_trigger_waits_for_a_slow_response_to_the_container_probe() -> None:
    story = simulate(World(rollout(), (UPDATED,), forked=(FORKED, 8.0)), container="api")
    assert story.world.triggered == pytest.approx(8.0)


def test_without_container_no_probe_for_container_support_is_sent() -> None:
    assert simulate(World(rollout(), (UPDATED,))).world.sent(ProbeContainerSupport) == []


# the containers endpoint


@pytest.mark.parametrize(
    "http_result", [reply(401), reply(404), reply(405), page(200)], ids=["401", "404", "405", "page"]
)
def test_a_declared_digest_without_the_containers_endpoint_triggers_nothing(http_result: HttpResult) -> None:
    story = simulate(World(rollout(), (UPDATED,), containers=lambda _: http_result), expect_digest=D2)
    assert story.verdict == ("not-started", "digest-unavailable")
    assert story.world.triggered is None


def test_a_containers_endpoint_that_fails_is_requested_again() -> None:
    def containers(moment: float) -> HttpResult:
        return reply(500) if moment < 6 else digests(3.0)(moment)

    story = simulate(World(rollout(), ((UPDATED, 2.0),), containers=containers), expect_digest=D2)
    assert story.verdict == ("deployed", "")


@pytest.mark.parametrize("stable_for", ["0", "5s", "12s"])
def test_containers_are_listed_at_most_every_5_s_with_three_exceptions(stable_for: str) -> None:
    story = simulate(
        World(rollout(6.0, 9.0), ((UPDATED, 3.0),), containers=digests(9.0)), expect_digest=D2, stable_for=stable_for
    )
    assert story.verdict == ("deployed", "")
    sent = story.world.since_trigger(FetchContainers)
    close = [later for earlier, later in pairwise(sent) if later - earlier < 4.999]
    assert len(close) <= 3


def test_with_a_stale_digest_containers_are_listed_every_5_s_until_the_deadline() -> None:
    story = simulate(World(steady(ready()), ((UPDATED, 3.0),), containers=digests(1e9)), expect_digest=D2, timeout="60")
    assert story.verdict == ("stale", "old-build")
    sent = story.world.since_trigger(FetchContainers)
    assert sent[0] == pytest.approx(3.0, abs=0.2)
    assert all(later - earlier > 4.999 for earlier, later in pairwise(sent[1:]))
    assert len(sent) >= 10


def test_a_missing_containers_endpoint_is_requested_once() -> None:
    assert len(simulate(World(rollout(), (UPDATED,))).world.sent(FetchContainers)) == 1


def test_where_only_the_digest_shows_the_build_containers_are_listed_every_10_s_before_watchtower_responds() -> None:
    """Its response may be lost, and the old build may make room for the new one between two looks."""
    world = World(steady(reply(200)), ((reply(504), 60.0),), digests(15.0))
    story = simulate(world, expect_digest=D2, timeout="60s")
    assert story.verdict == ("deployed", "")
    before = [sent for sent in world.since_trigger(FetchContainers) if sent < 60.0]
    assert before[:2] == [pytest.approx(10.0), pytest.approx(20.0)], "the next one closes the window"


def test_once_the_new_image_is_seen_the_end_of_a_gap_needs_no_look_at_what_runs() -> None:
    story = simulate(World(rollout(2.0, 4.0), ((UPDATED, 3.0),), digests(2.0)), openapi_path="off")
    assert story.verdict == ("deployed", "")
    assert len([sent for sent in story.world.since_trigger(FetchContainers) if sent < 5.0]) == 1


def test_a_digest_deploy_takes_no_longer_than_a_version_deploy() -> None:
    by_digest = simulate(World(rollout(), ((UPDATED, 3.5),), containers=digests(4.0)), expect_digest=D2)
    by_version = simulate(World(rollout(), ((UPDATED, 3.5),)), expect_version=NEW)
    assert by_digest.verdict == by_version.verdict == ("deployed", "")
    assert by_digest.seconds <= by_version.seconds + 5.0


# looks


@pytest.mark.parametrize("rate", ["30/m", "6/m", "2/s"])
@pytest.mark.parametrize("name", ["rollout", "stale", "down", "flapping", "apart", "slow answer", "throttled"])
def test_the_bucket_is_never_overdrawn(name: str, rate: str) -> None:
    def flapping(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 1 else ready(NEW) if moment % 4 < 2.5 else REFUSED

    def throttled(moment: float, _: Probe) -> HttpResult:
        return reply(429) if 3 < moment < 20 else ready(NEW if moment > 2 else OLD)

    worlds: dict[str, tuple[World, dict[str, str]]] = {
        "rollout": (World(rollout(), (UPDATED,)), {}),
        "stale": (World(steady(ready(OLD)), (reply(200),)), {}),
        "down": (World(lambda moment, _: ready(OLD) if moment < 1 else REFUSED, (reply(200),)), {}),
        "flapping": (World(flapping, (reply(200),)), {}),
        "apart": (World(rollout(), (UPDATED,)), {"version_path": "/api/version"}),
        "slow answer": (World(rollout(30, 60), ((UPDATED, 55.0),)), {}),
        "throttled": (World(throttled, (UPDATED,)), {}),
    }
    world, inputs = worlds[name]
    story = simulate(world, expect_version=NEW, timeout="90", request_rate=rate, **inputs)
    count, unit = rate.split("/")
    assert overdrawn(story, int(count) / {"s": 1, "m": 60}[unit]) <= 1e-6


def test_the_bucket_of_a_health_address_of_its_own_origin_is_not_overdrawn_either() -> None:
    story = simulate(
        World(
            lambda moment, probe: (
                (ready(NEW) if probe.endpoints == VERSION else reply(503, {"status": "starting"}))
                if moment > 1
                else ready(OLD)
            ),
            (UPDATED,),
        ),
        expect_version=NEW,
        timeout="120",
        health_path="https://health.example.com/up",
        version_path="/api/version",
    )
    assert story.verdict[0] == "unhealthy"
    assert overdrawn(story) <= 1e-6


def test_after_a_429_no_look_is_sent_until_retry_after() -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 1 else reply(429, retry_after="20") if moment < 5 else ready(NEW)

    story = simulate(World(service, (UPDATED,)), expect_version=NEW)
    sent = story.world.since_trigger(Probe)
    refused = next(moment for moment in sent if moment >= 1)
    assert next(moment for moment in sent if moment > refused) >= refused + 20
    assert story.verdict == ("deployed", "")


def test_in_a_window_a_look_that_hangs_delays_the_next_one_by_a_second_and_those_after_it_until_it_ends() -> None:
    def service(moment: float, _: Probe) -> Taking:
        return (ready(OLD), 0.04) if moment < 2 else (ready(NEW), 3.0)

    story = simulate(World(service, ((UPDATED, 3.0),)), expect_version=NEW, stable_for="20s", request_rate="off")
    assert story.verdict == ("deployed", "")
    opened = story.state.history.window.opened or 0.0
    sent = [moment for moment in story.world.sent(Probe) if moment > opened]
    assert all(later - earlier >= BLIND - 1e-9 for earlier, later in pairwise(sent))
    assert all(sent[place + 2] - sent[place] >= 3.0 for place in range(len(sent) - 2))


@pytest.mark.parametrize(
    ("late", "broken"),
    [(ready(NEW), 0), (page(502), 1), (TransportError(ErrorKind.CUT), 1), (ready(OLD), 1)],
    ids=["good", "502", "cut", "the old build"],
)
def test_a_window_waits_for_all_its_looks_and_a_late_bad_response_breaks_it(late: HttpResult, broken: int) -> None:
    looks, slow = count(1), 6.0

    def service(moment: float, _: Probe) -> Taking:
        if moment < 2:
            return ready(OLD), 0.04
        return (late, slow) if next(looks) == 3 else (ready(NEW), 0.04)

    story = simulate(World(service, ((UPDATED, 2.0),)), expect_version=NEW, stable_for="3s")
    assert story.verdict == ("deployed", "")
    third = [moment for moment in story.world.since_trigger(Probe) if moment >= 2][2]
    assert story.seconds >= third + slow
    assert story.state.history.window.broken == broken


def test_outside_of_a_window_a_look_that_hangs_does_not_delay_the_next_one() -> None:
    def service(moment: float, _: Probe) -> Taking:
        return (ready(OLD), 0.04) if moment < 2 or moment > 8 else (TransportError(ErrorKind.TIMED_OUT), 10.0)

    story = simulate(World(service, (reply(200),)), expect_version=NEW, timeout="30")
    sent = [moment for moment in story.world.since_trigger(Probe) if 2 < moment < 9]
    assert len(sent) >= 2


def test_looks_are_slow_until_watchtower_responds_and_quick_afterwards() -> None:
    story = simulate(World(steady(ready(OLD)), ((reply(200), 30.0),)), expect_version=NEW, timeout="60")
    sent = story.world.since_trigger(Probe)
    before = [later - earlier for earlier, later in pairwise(moment for moment in sent if moment < 30)]
    assert max(before) <= UNHURRIED_MOST * 1.1 + 0.05
    assert any(30 < moment < 32.5 for moment in sent)


def test_a_bad_sample_makes_looks_quick() -> None:
    story = simulate(World(rollout(10.0, 12.0), ((reply(200), 30.0),)), expect_version=NEW)
    sent = story.world.since_trigger(Probe)
    noticed = next(place for place, moment in enumerate(sent) if moment >= 10)
    assert sent[noticed + 1] - sent[noticed] <= 2.05


def test_the_window_opens_with_a_look_right_after_the_first_good_response() -> None:
    story = simulate(World(rollout(1.0, 2.0), (UPDATED,)), expect_version=NEW)
    first, second = [sample for sample in story.state.samples if NEW in sample.names.values()][:2]
    assert (second.sent, second.beyond_caches) == (first.at, True)


def test_tokens_are_left_for_the_time_after_the_response_though_the_service_is_gone_for_long() -> None:
    story = simulate(World(rollout(2.0, 31.0), ((UPDATED, 30.0),)), expect_version=NEW)
    moments = story.world.since_trigger(Probe)
    gone = [moment for moment in moments if 4.0 < moment < 30.0]
    after = [moment for moment in moments if 30.0 <= moment < 31.0]
    assert story.verdict == ("deployed", "")
    assert (len(gone) <= 15, len(after) >= 2) == (True, True)


def test_after_a_transport_error_broke_a_window_the_next_look_comes_within_a_second() -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 2 else ready(NEW) if moment < 5 or moment > 15 else REFUSED

    story = simulate(World(service, ((reply(200), 2.0),)), expect_version=NEW, request_rate="off")
    assert story.state.history.window.broken == 1
    sent = [moment for moment in story.world.since_trigger(Probe) if 5 <= moment < 15]
    assert all(later - earlier <= 1.0 + 1e-9 for earlier, later in pairwise(sent))


def test_looks_never_stop_although_tokens_are_reserved_for_a_window() -> None:
    story = simulate(World(steady(ready(OLD)), (reply(200),)), expect_version=NEW, timeout="120")
    sent = story.world.since_trigger(Probe)
    assert all(later - earlier <= 5.0 for earlier, later in pairwise(sent))


@pytest.mark.parametrize("seed", range(5))
def test_in_a_window_looks_come_about_once_a_second_at_irregular_intervals(seed: int) -> None:
    story = simulate(World(rollout(), (UPDATED,), seed=seed), expect_version=NEW, request_rate="off")
    opened = story.state.history.window.opened or 0.0
    gaps = [
        later - earlier for earlier, later in pairwise(moment for moment in story.world.sent(Probe) if moment >= opened)
    ]
    assert all(0.05 <= gap <= 1.6 for gap in gaps)
    assert len({round(gap, 3) for gap in gaps}) > 1


def test_after_a_cached_response_every_look_has_a_unique_query() -> None:
    def service(moment: float, probe: Probe) -> HttpResult:
        return ready(NEW if moment > 2 else OLD) if probe.past_caches else reply(200, {"commit": OLD}, age="60")

    story = simulate(World(service, (UPDATED,)), expect_version=NEW)
    assert story.verdict == ("deployed", "")
    probes = [request for _, request in story.world.asked if isinstance(request, Probe)]
    assert [probe.past_caches for probe in probes[:2]] == [False, True]
    assert all(probe.past_caches for probe in probes[1:])


def test_if_every_response_is_cached_the_run_fails_as_cached() -> None:
    story = simulate(World(steady(reply(200, {"commit": NEW}, age="60")), (UPDATED,)), expect_version=NEW, timeout="30")
    assert story.verdict == ("unhealthy", "cached")


@pytest.mark.parametrize("inputs", [{}, {"mode": "verify"}], ids=["deploy", "verify"])
def test_a_declared_version_seen_only_in_cached_responses_fails_as_cached(inputs: dict[str, str]) -> None:
    def service(_: float, probe: Probe) -> HttpResult:
        return ready() if probe.endpoints == HEALTH else reply(200, {"commit": NEW}, age="60")

    story = simulate(
        World(service, (UPDATED,)), expect_version=NEW, version_path="/api/version", timeout="30", **inputs
    )
    assert story.verdict == ("unhealthy", "cached")


def test_a_cache_that_hides_an_unreachable_nameless_service_is_reported_as_the_cause() -> None:
    def service(moment: float, probe: Probe) -> HttpResult:
        return reply(502) if probe.past_caches and moment > 0 else ready()

    assert simulate(World(service, (UPDATED,)), timeout="30").verdict == ("unhealthy", "cached")


def test_a_round_robin_balancer_does_not_show_one_instance_per_address() -> None:
    ends = []
    for seed in range(12):
        turns = count()

        def service(moment: float, _: Probe, turns: "count[int]" = turns) -> HttpResult:
            return ready(OLD if moment < 2 or next(turns) % 2 else NEW)

        world = World(service, (UPDATED,), seed=seed)
        story = simulate(world, expect_version=NEW, version_path="/api/version", instances="2", timeout="60")
        ends.append(story.conclusion.exit_code)
    assert ends == [1] * 12


def test_a_build_seen_in_a_fresh_response_is_not_hidden_by_a_later_cached_one() -> None:
    def service(moment: float, probe: Probe) -> HttpResult:
        if probe.endpoints == HEALTH:
            return ready()
        return reply(200, {"commit": OLD if moment < 3 else 40 * "3"}, **({"age": "9"} if moment > 10 else {}))

    story = simulate(World(service, (UPDATED,)), expect_version=NEW, version_path="/api/version", timeout="30")
    assert story.verdict == ("wrong-build", "wrong-version")


def test_with_a_separate_version_address_health_is_watched_and_the_version_requested_beside_it() -> None:
    story = simulate(World(rollout(), (UPDATED,)), expect_version=NEW, version_path="/api/version")
    assert story.verdict == ("deployed", "")
    asked = [
        request.endpoints
        for moment, request in story.world.asked
        if isinstance(request, Probe) and moment > (story.world.triggered or 0)
    ]
    within = asked[asked.index(HEALTH) :]
    assert within.count(HEALTH) >= 6
    assert within.count(VERSION) == 2, "in the middle and at the end: the one that found the new build was the first"


def test_a_window_may_still_open_where_watchtower_is_given_up_at_the_deadline() -> None:
    """Then the version is asked again after the deadline."""

    def service(_: float, probe: Probe) -> HttpResult:
        return reply(200, {"status": "ok"}) if probe.endpoints == HEALTH else ready(OLD)

    world = World(service, ((TransportError(ErrorKind.TIMED_OUT), 60.0),), digests(1e9))
    story = simulate(world, version_path="/api/version", expect_digest=D1, timeout="60s")
    assert story.verdict == ("already-current", "")


def test_a_version_named_before_watchtower_responded_is_asked_again_before_a_window_opens() -> None:
    """The digest alone would open a window in which the version then changes: it would begin again."""

    def service(moment: float, probe: Probe) -> HttpResult:
        return reply(200, {"status": "ok"}) if probe.endpoints == HEALTH else ready(OLD if moment < 3.0 else NEW)

    world = World(service, ((UPDATED, 3.8),), digests(3.0))
    story = simulate(world, version_path="/api/version", request_rate="off")
    assert story.verdict == ("deployed", "")
    responded = world.triggered + 3.8 if world.triggered is not None else 0.0
    asked = [(sent, probe.endpoints) for sent, probe in world.asked if isinstance(probe, Probe) and sent >= responded]
    assert [endpoints for _, endpoints in asked[:2]] == [VERSION, HEALTH]
    assert story.state.history.window.opened == asked[1][0] + world.latency


# why Watchtower did nothing

CHECKED = reply(
    200,
    {"containers": [{"name": "api", "error": "registry rate limited: ::error::\n<html>429</html>"}, {"name": "web"}]},
)


@pytest.mark.parametrize(
    ("service", "answer", "inputs", "asked"),
    [
        pytest.param(steady(ready(OLD)), summary(scanned=0, skipped=1), {}, 1, id="blocked"),
        pytest.param(
            steady(ready(OLD)),
            summary(),
            {"expect_version": NEW},
            1,
            id="nothing to do, and the declared build is not live",
        ),
        pytest.param(
            steady(ready(NEW)),
            summary(),
            {"expect_version": NEW},
            0,
            id="nothing to do, and the declared build was live before",
        ),
        pytest.param(steady(ready(OLD)), summary(), {}, 0, id="nothing to do, and nothing is declared"),
        pytest.param(steady(ready(OLD)), summary(failed=1), {}, 0, id="failed"),
        pytest.param(rollout(), UPDATED, {}, 0, id="updated"),
        pytest.param(
            steady(ready(OLD)),
            summary(scanned=0, skipped=1),
            {"watchtower_url": f"{BASE}/redeploy"},
            0,
            id="the address of the check endpoint is unknown",
        ),
    ],
)
def test_the_check_endpoint_is_requested_once_if_watchtower_did_nothing(
    service: Callable[[float, Probe], HttpResult], answer: HttpResult, inputs: dict[str, str], asked: int
) -> None:
    assert len(simulate(World(service, (answer,)), **inputs).world.sent(CheckContainers)) == asked


@pytest.mark.parametrize(
    "reasons",
    [(CHECKED, 0.04), (reply(404), 0.04), (REFUSED, 0.04), (CHECKED, 60.0)],
    ids=["reasons given", "absent", "refused", "too slow"],
)
def test_the_reasons_of_the_check_endpoint_explain_but_never_decide(reasons: Taking) -> None:
    story = simulate(World(steady(ready(OLD)), (summary(scanned=0, skipped=1),), reasons=reasons))
    assert story.verdict == ("trigger-failed", "update-blocked")
    assert story.seconds < 11.0
    text = " ".join(story.outcome.facts.of(About.REASON))
    assert ("registry rate limited" in text) is (reasons == (CHECKED, 0.04))
    assert "\n" not in text
    assert "<html>" not in text


# mode verify


def test_verify_sends_no_trigger() -> None:
    story = simulate(World(steady(ready(NEW))), mode="verify", expect_version=NEW)
    assert story.verdict == ("verified", "")
    assert story.world.sent(SendTrigger) == []
    assert 5.0 <= story.seconds < 8.0


@pytest.mark.parametrize(
    ("service", "inputs", "verdict"),
    [
        pytest.param(steady(ready(OLD)), {"expect_version": NEW}, ("wrong-build", "wrong-version"), id="another build"),
        pytest.param(
            steady(ready()), {"expect_version": NEW}, ("wrong-build", "version-unavailable"), id="no build named"
        ),
        pytest.param(steady(ready()), {}, ("verified", ""), id="nothing declared"),
        pytest.param(
            lambda moment, _: reply(503, {}) if moment < -980 else ready(NEW),
            {"expect_version": NEW},
            ("verified", ""),
            id="waits for health",
        ),
        pytest.param(steady(REFUSED), {"timeout": "30"}, ("unhealthy", "down"), id="down"),
        pytest.param(steady(page()), {}, ("unhealthy", "html"), id="a page, at once"),
        pytest.param(steady(TransportError(ErrorKind.TLS)), {}, ("unhealthy", "tls"), id="TLS, at once"),
        pytest.param(
            steady(reply(302, location="https://t.cloudflareaccess.com/")),
            {},
            ("unhealthy", "access-wall"),
            id="a wall, at once",
        ),
        pytest.param(steady(reply(503, {})), {"timeout": "30"}, ("unhealthy", "never-ready"), id="never ready"),
        pytest.param(steady(reply(429)), {"timeout": "30"}, ("unhealthy", "throttled"), id="throttled"),
    ],
)
def test_verify_ends_with_its_verdict(
    service: Callable[[float, Probe], HttpResult], inputs: dict[str, str], verdict: tuple[str, str]
) -> None:
    story = simulate(World(service), mode="verify", **inputs)
    assert story.verdict == verdict
    if verdict[1] in ("html", "tls", "access-wall", "wrong-version", "version-unavailable"):
        assert story.seconds < 15.0


def test_verify_compares_a_declared_digest() -> None:
    for running, verdict in ((D2, ("verified", "")), (D1, ("wrong-build", "wrong-digest"))):
        world = World(steady(ready()), containers=lambda _, digest=running: rows(("api", "x", digest)))  # type: ignore[misc]
        assert simulate(world, mode="verify", expect_digest=D2).verdict == verdict
    world = World(steady(ready()), containers=lambda _: reply(404))
    assert simulate(world, mode="verify", expect_digest=D2).verdict == ("wrong-build", "digest-unavailable")


# whole runs, undeclared and declared


def put_back(moment: float, _: Probe) -> HttpResult:
    return ready(OLD) if moment < 2 or moment > 9 else ready(NEW)


def crashing(moment: float, _: Probe) -> HttpResult:
    if moment < 2:
        return ready(OLD)
    return ready(NEW, start_time=WALL + moment - moment % 6) if moment % 6 < 4.5 else REFUSED


@pytest.mark.parametrize(
    ("world", "inputs", "verdict"),
    [
        pytest.param(lambda: World(rollout(), (UPDATED,)), {}, ("deployed", ""), id="a change"),
        pytest.param(
            lambda: World(rollout(), (UPDATED,)), {"expect_version": NEW}, ("deployed", ""), id="the declared version"
        ),
        pytest.param(
            lambda: World(steady(ready(NEW)), (summary(),)),
            {"expect_version": NEW},
            ("already-current", ""),
            id="it was live before",
        ),
        pytest.param(
            lambda: World(steady(ready(OLD)), (reply(200),)),
            {"expect_version": NEW, "timeout": "40"},
            ("stale", "old-build"),
            id="the old build stays",
        ),
        pytest.param(
            lambda: World(steady(ready(OLD)), (summary(),)),
            {"expect_version": NEW},
            ("stale", "old-build"),
            id="nothing to do",
        ),
        pytest.param(
            lambda: World(steady(ready(OLD)), (summary(),)),
            {},
            ("unproven", "nothing-to-do"),
            id="undeclared, nothing to do",
        ),
        pytest.param(
            lambda: World(steady(ready(OLD)), (reply(200),)),
            {},
            ("unproven", "no-change"),
            id="undeclared, the same build",
        ),
        pytest.param(
            lambda: World(steady(ready()), (reply(200),)), {}, ("unproven", "no-identity"), id="undeclared, no identity"
        ),
        pytest.param(lambda: World(steady(ready()), (UPDATED,)), {}, ("deployed", ""), id="undeclared, a claim"),
        pytest.param(
            lambda: World(steady(ready(OLD)), (UPDATED,)),
            {},
            ("unproven", "no-change"),
            id="undeclared, a claim that a build name contradicts",
        ),
        pytest.param(
            lambda: World(steady(ready()), (summary(failed=1),)),
            {},
            ("trigger-failed", "update-failed"),
            id="it failed",
        ),
        pytest.param(
            lambda: World(steady(ready()), (summary(scanned=0, skipped=1),)),
            {},
            ("trigger-failed", "update-blocked"),
            id="it was blocked",
        ),
        pytest.param(
            lambda: World(steady(ready()), (summary(scanned=0),)),
            {},
            ("trigger-failed", "nothing-scanned"),
            id="it scanned nothing",
        ),
        pytest.param(
            lambda: World(steady(ready()), (TransportError(ErrorKind.CUT),)),
            {"timeout": "40"},
            ("trigger-failed", "no-answer"),
            id="no response, no gap",
        ),
        pytest.param(
            lambda: World(lambda moment, _: REFUSED if 2 < moment < 4 else ready(), (TransportError(ErrorKind.CUT),)),
            {"timeout": "40"},
            ("unproven", "no-identity"),
            id="no response, a gap",
        ),
        pytest.param(
            lambda: World(put_back, ((summary(failed=1), 12.0),)),
            {"expect_version": NEW},
            ("trigger-failed", "update-failed"),
            id="it was put back",
        ),
        pytest.param(
            lambda: World(put_back, ((reply(200), 12.0),)),
            {"timeout": "40"},
            ("stale", "old-build"),
            id="undeclared, it was put back",
        ),
        pytest.param(
            lambda: World(crashing, (UPDATED,)), {"expect_version": NEW}, ("unhealthy", "flapping"), id="a crash loop"
        ),
        pytest.param(lambda: World(crashing, (UPDATED,)), {}, ("unhealthy", "flapping"), id="undeclared, a crash loop"),
        pytest.param(
            lambda: World(lambda moment, _: ready(OLD) if moment < 2 else REFUSED, (UPDATED,)),
            {"timeout": "40"},
            ("unhealthy", "down"),
            id="it never came back",
        ),
        pytest.param(
            lambda: World(lambda moment, _: ready(OLD) if moment < 2 else reply(503, {"commit": NEW}), (UPDATED,)),
            {"timeout": "40"},
            ("unhealthy", "never-ready"),
            id="it never got ready",
        ),
        pytest.param(
            lambda: World(lambda moment, _: ready(OLD) if moment < 2 else page(), (UPDATED,)),
            {"timeout": "40"},
            ("unhealthy", "html"),
            id="a page responds",
        ),
        pytest.param(
            lambda: World(rollout(), (UPDATED,)),
            {"expect_version": "3" * 40, "timeout": "40"},
            ("wrong-build", "wrong-version"),
            id="a third build",
        ),
        pytest.param(
            lambda: World(rollout(), (UPDATED,), containers=digests(4.0)),
            {"expect_digest": "sha256:" + "9" * 64, "timeout": "40"},
            ("wrong-build", "wrong-digest"),
            id="another digest",
        ),
        pytest.param(
            lambda: World(steady(ready()), (UPDATED,), containers=digests(3.0)),
            {},
            ("deployed", ""),
            id="undeclared, the digest changed",
        ),
        pytest.param(
            lambda: World(rollout(), ((UPDATED, 500.0),)),
            {"expect_version": NEW, "timeout": "40"},
            ("deployed", ""),
            id="the response never comes",
        ),
        pytest.param(
            lambda: World(steady(TransportError(ErrorKind.TLS)), (UPDATED,)),
            {"expect_version": NEW},
            ("unhealthy", "tls"),
            id="a wall before the service",
        ),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_ends_with_its_verdict(
    world: Callable[[], World], inputs: dict[str, str], verdict: tuple[str, str], seed: int
) -> None:
    made = world()
    made.seed = seed
    assert simulate(made, **inputs).verdict == verdict


def test_a_new_process_alone_is_a_change_but_not_where_watchtower_did_nothing() -> None:
    def restarted(moment: float, _: Probe) -> HttpResult:
        if moment < 2:
            return ready(start_time=WALL - 5000)
        return REFUSED if moment < 4 else ready(start_time=WALL + 4)

    assert simulate(World(restarted, (reply(200),))).verdict == ("deployed", "")
    assert simulate(World(restarted, (summary(),))).verdict == ("unproven", "nothing-to-do")


def test_a_green_run_waits_for_watchtowers_response_and_looks_once_more_after_it() -> None:
    story = simulate(World(rollout(), ((UPDATED, 25.0),)), expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert story.state.history.window.latest > 25.0
    assert 25.0 < story.seconds < 29.0


def test_a_response_just_before_the_deadline_still_gets_its_look() -> None:
    story = simulate(World(rollout(), ((UPDATED, 39.9),)), expect_version=NEW, timeout="40")
    assert story.state.answered is not None
    assert story.state.history.window.latest > story.state.answered


def test_the_run_ends_as_soon_as_the_window_held() -> None:
    story = simulate(World(rollout(), ((UPDATED, 1.0),)), expect_version=NEW)
    assert story.seconds < 4.0 + 5.0 + 3.0


def test_an_undeclared_digest_that_reverts_is_stale() -> None:
    def containers(moment: float) -> HttpResult:
        return rows(("api", "x", D2 if 3 < moment < 8 else D1))

    story = simulate(World(steady(ready()), ((reply(200), 3.5),), containers=containers), timeout="60")
    assert story.verdict == ("stale", "old-build")


@pytest.mark.parametrize(
    ("mute", "inputs"),
    [
        pytest.param(reply(429), {"expect_version": NEW}, id="429, declared"),
        pytest.param(reply(429), {}, id="429, undeclared"),
        pytest.param(reply(200, {"commit": NEW}, age="9"), {"expect_version": NEW}, id="cached, declared"),
        pytest.param(reply(429), {"mode": "verify"}, id="429, verify"),
        pytest.param(reply(429), {"mode": "verify", "expect_version": NEW}, id="429, verify and declared"),
    ],
)
@pytest.mark.parametrize("build", [OLD, NEW], ids=["the old build", "the new build"])
def test_a_window_without_further_usable_responses_ends_near_the_deadline(
    mute: HttpResult, inputs: dict[str, str], build: str
) -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        verifying = "mode" in inputs
        since = moment + 1000.0 if verifying else moment
        if since < 0.4 and not verifying:
            return ready(OLD)
        return ready(build) if since < 3 else mute

    story = simulate(World(service, ((UPDATED, 2.0),)), timeout="60", stable_for="10s", **inputs)
    assert story.seconds < 60 + 45
    assert story.conclusion.exit_code == 1


# properties of any run

MOODS: list[HttpResult] = [
    ready(OLD),
    ready(NEW),
    ready(),
    REFUSED,
    page(502),
    reply(503, {}),
    reply(429),
    TransportError(ErrorKind.TIMED_OUT),
    reply(200, "ok", age="3"),
]
ANSWERS: list[HttpResult] = [
    UPDATED,
    summary(),
    summary(failed=1),
    summary(scanned=0),
    reply(200),
    TransportError(ErrorKind.CUT),
    reply(429),
    REFUSED,
]


@given(
    moods=st.lists(st.tuples(st.sampled_from(MOODS), st.floats(0.5, 20)), min_size=1, max_size=8),
    answer=st.sampled_from(ANSWERS),
    after=st.floats(0.1, 80),
    declared=st.booleans(),
    apart=st.booleans(),
    seed=st.integers(0, 99),
)
def test_every_run_ends_near_its_deadline_with_one_verdict(
    moods: list[tuple[HttpResult, float]], answer: HttpResult, after: float, declared: bool, apart: bool, seed: int
) -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        for mood, lasts in moods:
            moment -= lasts
            if moment < 0:
                return mood
        return moods[-1][0]

    inputs = (
        {"timeout": "60"} | ({"expect_version": NEW} if declared else {}) | ({"version_path": "/v"} if apart else {})
    )
    story = simulate(World(service, ((answer, after),), seed=seed), **inputs)
    many = max(story.state.history.window.looks_needed, FEWEST) - FEWEST  # after builds alternated, a window needs more
    assert story.seconds < 60 + 45 + 8 * many
    assert story.conclusion.exit_code in (0, 1)
    assert overdrawn(story) <= 1e-6
    if declared and story.conclusion.exit_code == 0:
        assert any(sample.names.get("commit") == NEW for sample in story.state.samples)
    assert all(isinstance(request, Request) for _, request in story.world.asked)


def test_a_version_seen_just_before_the_deadline_still_gets_its_window_before_a_health_look() -> None:
    story = simulate(
        World(lambda moment, _: ready(OLD) if moment < 27 else ready(NEW), (reply(200),)),
        expect_version=NEW,
        version_path="/api/version",
        timeout="30",
    )
    assert story.verdict == ("deployed", "")


def test_a_version_path_that_does_not_exist_is_reported_as_such() -> None:
    def service(_: float, probe: Probe) -> HttpResult:
        return reply(404, {"detail": "Not Found"}) if probe.endpoints == VERSION else reply(200, {"status": "ok"})

    story = simulate(World(service, (reply(200),)), expect_version=NEW, version_path="/api/version", timeout="20")
    assert story.verdict == ("wrong-build", "version-unavailable")


@pytest.mark.parametrize("stable_for", ["1s", "2s", "5s"])
def test_two_alternating_builds_never_complete_a_window(stable_for: str) -> None:
    turn = count()

    def service(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 1 or next(turn) % 2 else ready(NEW)

    story = simulate(
        World(service, (UPDATED,)), expect_version=NEW, version_path="/api/version", timeout="20", stable_for=stable_for
    )
    assert story.conclusion.exit_code == 1


# how many requests and log lines a run makes


@pytest.mark.parametrize(
    ("world", "inputs", "requests", "lines"),
    [
        (World(rollout(), (UPDATED,)), {}, 21, 8),
        (World(rollout(), (UPDATED,)), {"version_path": "/api/version"}, 22, 9),
        (World(rollout(20.0, 40.0), ((UPDATED, 30.0),)), {}, 37, 9),
        (World(steady(ready(NEW)), (summary(),)), {}, 13, 6),
        (World(steady(ready(NEW))), {"mode": "verify"}, 11, 4),
    ],
    ids=["deploy", "version-apart", "slow", "already-current", "verify"],
)
def test_a_run_stays_within_its_number_of_requests_and_log_lines(
    world: World, inputs: dict[str, str], requests: int, lines: int
) -> None:
    story = simulate(world, expect_version=NEW, **inputs)
    assert story.conclusion.exit_code == 0
    assert (len(world.asked) <= requests, len(story.log.lines) <= lines) == (True, True), story.log.lines
