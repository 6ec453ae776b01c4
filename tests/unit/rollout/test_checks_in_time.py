"""When the checks of a build are made, in whole simulated runs."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.urls import origin_of
from redeploy.report.facts import About
from redeploy.report.outputs import outputs
from redeploy.rollout.assess import Assessment
from redeploy.rollout.requests import FetchDocument, OfService, Probe, Request, SendSmoke, SendTrigger
from redeploy.service.window import FEWEST
from sandbox.simulation import REFUSED, WALL, Story, World, simulate
from tests.unit.factories import D1, D2, NEW, OLD, THIRD, page, ready, reply, rows, summary

pytestmark = pytest.mark.no_cover  # these runs take long, and other tests reach the same lines

UPDATED = summary(updated=1)
ROUTES = ("GET /api/ready", "GET /api/items/{id}")


def document(*routes: str, version: str = "1", **headers: str) -> Response:
    """An OpenAPI document with these operations."""
    paths: dict[str, dict[str, object]] = {}
    for route in routes or ROUTES:
        method, path = route.split()
        paths.setdefault(path, {})[method.lower()] = {}
    return reply(200, {"openapi": "3.1.0", "info": {"title": "api", "version": version}, "paths": paths}, **headers)


def rollout(
    gone: float = 2.0, back: float = 4.0, new: str = NEW, old: str = OLD
) -> Callable[[float, Probe], HttpResult]:
    """A service that is replaced: it goes down, and comes back as the new build."""
    return lambda moment, _: ready(old) if moment < gone else REFUSED if moment < back else ready(new)


def nameless(gone: float = 2.0, back: float = 4.0) -> Callable[[float, Probe], HttpResult]:
    """The same for a service that names no build."""
    return rollout(gone, back, new="", old="")


def always_healthy(_: float, __: Probe) -> HttpResult:
    return ready()


def turning(at: float, later: HttpResult, earlier: HttpResult | None = None) -> Callable[[float], HttpResult]:
    """A script that returns `earlier` before a moment, and `later` from then on."""
    return lambda moment: (earlier or document()) if moment < at else later


def always(http_result: HttpResult) -> Callable[[float], HttpResult]:
    return lambda _: http_result


def lines(number: int, form: str = "GET /s/{}") -> str:
    return "\n".join(form.format(each) for each in range(number))


def overdrawn(story: Story) -> float:
    """The worst overdraft in tokens of a bucket of 15 refilled at 30 per minute, checks included, over all origins."""
    worst = -15.0
    asked = [(moment, request) for moment, request in story.world.asked if isinstance(request, OfService)]
    for origin in {origin_of(request.url) for _, request in asked}:
        level, last = 15.0, 0.0
        for moment, request in asked:
            if origin_of(request.url) == origin:
                level = min(15.0, level + (moment - last) * 0.5) - 1
                last = moment
                worst = max(worst, -level)
    return worst


def held_from(story: Story) -> float:
    """When the final window opened, in seconds since the trigger."""
    return (story.state.history.window.opened or 0.0) - (story.world.triggered or 0.0)


# within the window


@pytest.mark.parametrize(("number", "stable_for"), [(0, "5s"), (1, "5s"), (4, "5s"), (0, "15s"), (1, "15s")])
@pytest.mark.parametrize("declared", [True, False])
def test_a_few_checks_take_no_extra_time_within_the_request_rate(number: int, declared: bool, stable_for: str) -> None:
    inputs = {"stable_for": stable_for, "smoke": lines(number)} | ({"expect_version": NEW} if declared else {})
    world = World(rollout(12.0, 14.0), ((UPDATED, 20.0),), document=always(document()))
    story = simulate(world, **inputs)
    assert story.verdict == ("deployed", "")
    assert len(story.world.since_trigger(FetchDocument)) == 1
    assert len(story.world.since_trigger(SendSmoke)) == number
    without = simulate(World(rollout(12.0, 14.0), ((UPDATED, 20.0),)), openapi_path="off", **(inputs | {"smoke": ""}))
    assert story.seconds <= without.seconds + 1.5


def test_the_document_is_fetched_before_the_smoke_requests_that_it_describes() -> None:
    world = World(rollout(12.0, 14.0), ((UPDATED, 16.0),), document=always(document()))
    story = simulate(world, smoke=lines(3), expect_version=NEW)
    assert story.world.since_trigger(FetchDocument)[0] < min(story.world.since_trigger(SendSmoke))
    assert story.world.since_trigger(FetchDocument)[0] >= held_from(story) - 0.1


def test_at_most_eight_smoke_requests_run_at_once() -> None:
    under_way: list[tuple[float, float]] = []

    def smoke(moment: float, _: SendSmoke) -> tuple[HttpResult, float]:
        under_way.append((moment, moment + 1.5))
        return reply(200), 1.5

    world = World(rollout(), (UPDATED,), smoke=smoke)
    story = simulate(world, smoke=lines(30), request_rate="off", expect_version=NEW)
    assert story.verdict == ("deployed", "")
    busiest = max(sum(begin <= moment < end - 1e-6 for begin, end in under_way) for moment, _ in under_way)
    assert busiest == 8
    assert len(under_way) == 30


def test_the_last_look_comes_after_the_last_check() -> None:
    def smoke(_: float, __: SendSmoke) -> tuple[HttpResult, float]:
        return reply(200), 8.0

    story = simulate(World(rollout(), (UPDATED,), smoke=smoke), smoke="GET /slow", expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert story.world.since_trigger(Probe)[-1] >= story.world.since_trigger(SendSmoke)[-1] + 8.0


def test_a_service_that_crashes_during_the_checks_is_not_deployed() -> None:
    asked: list[float] = []

    def service(moment: float, probe: Probe) -> HttpResult:
        return REFUSED if asked and moment > asked[0] + 9.0 else rollout()(moment, probe)

    def smoke(moment: float, _: SendSmoke) -> tuple[HttpResult, float]:
        asked.append(moment)
        return reply(200), 9.5

    story = simulate(World(service, (UPDATED,), smoke=smoke), smoke="GET /heavy", expect_version=NEW, timeout="60")
    assert story.conclusion.verdict == "unhealthy"


# repeated only for another build


def test_checks_that_passed_are_not_repeated_for_the_same_build() -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 2 else REFUSED if moment < 4 or 7.5 < moment < 8.5 else ready(NEW)

    world = World(service, (UPDATED,), document=always(document()))
    story = simulate(world, smoke=lines(2), expect_version=NEW, request_rate="off")
    assert story.state.history.window.broken == 1
    assert story.verdict == ("deployed", "")
    assert (len(world.since_trigger(FetchDocument)), len(world.since_trigger(SendSmoke))) == (1, 2)


def test_a_check_that_failed_with_its_window_is_repeated() -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 2 else REFUSED if moment < 4 or 7.5 < moment < 8.5 else ready(NEW)

    def smoke(moment: float, request: SendSmoke) -> HttpResult:
        return reply(500) if moment < 8.5 and request.smoke.target == "/s/0" else reply(200)

    world = World(service, (UPDATED,), document=always(document()), smoke=smoke)
    story = simulate(world, smoke=lines(2), expect_version=NEW, request_rate="off")
    assert story.verdict == ("deployed", "")
    assert [request.smoke.target for _, request in world.asked if isinstance(request, SendSmoke)].count("/s/1") == 1


def test_another_build_is_checked_again() -> None:
    def service(moment: float, probe: Probe) -> HttpResult:
        return rollout()(moment, probe) if moment < 7 else ready(THIRD)

    def smoke(moment: float, _: SendSmoke) -> HttpResult:
        return reply(200) if moment < 7 else reply(500)

    world = World(service, (UPDATED,), document=always(document()), smoke=smoke)
    story = simulate(world, smoke="GET /s", request_rate="off")
    assert story.verdict == ("checks-failed", "smoke")
    assert len([moment for moment in world.since_trigger(SendSmoke) if moment > 7]) == 2


def test_the_checks_of_a_nameless_build_are_repeated_after_a_gap() -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        return REFUSED if 2 < moment < 4 or 7.5 < moment < 8.5 else ready()

    world = World(service, (UPDATED,), document=turning(4, document("GET /api/new")))
    story = simulate(world, smoke="GET /s", request_rate="off")
    assert story.conclusion.exit_code == 0
    assert world.since_trigger(SendSmoke)[-1] > 8.5


# checks that cannot give a result


@pytest.mark.parametrize(
    ("inputs", "before", "after"),
    [
        pytest.param({}, reply(404), 0, id="no document, nothing required"),
        pytest.param({}, page(200), 0, id="a web page, nothing required"),
        pytest.param({}, REFUSED, 0, id="unreachable, nothing required"),
        pytest.param({"openapi_path": "off", "smoke": "GET /s"}, document(), 0, id="off"),
        pytest.param({}, document(), 1, id="a document from before to compare with"),
        pytest.param({"required_routes": "/api/ready"}, reply(404), 1, id="a route required"),
        pytest.param({"forbidden_routes": "/internal"}, reply(404), 1, id="a route forbidden"),
        pytest.param({"smoke": "GET /s"}, reply(404), 1, id="smoke, whose responses it may describe"),
    ],
)
def test_no_document_is_fetched_if_no_check_could_use_it(
    inputs: dict[str, str], before: HttpResult, after: int
) -> None:
    world = World(rollout(), (UPDATED,), document=turning(0, document(), before))
    story = simulate(world, expect_version=NEW, request_rate="off", **inputs)
    assert story.verdict == ("deployed", "")
    assert len(world.since_trigger(FetchDocument)) == after


@pytest.mark.parametrize(("off", "times"), [("/openapi.json", 1), ("off", 0)])
def test_before_the_trigger_the_document_is_fetched_once(off: str, times: int) -> None:
    world = World(rollout(), (UPDATED,), document=always(document()))
    simulate(world, openapi_path=off)
    assert sum(moment < (world.triggered or 0.0) for moment in world.sent(FetchDocument)) == times


def test_a_document_that_hangs_does_not_keep_the_trigger_waiting() -> None:
    world = World(rollout(), (UPDATED,), document=lambda moment: (document(), 60.0) if moment < 0 else document())
    story = simulate(world, expect_version=NEW)
    assert world.triggered == pytest.approx(3.0)
    assert story.verdict == ("deployed", "")


def test_nothing_is_checked_where_the_trigger_was_refused() -> None:
    world = World(rollout(), (reply(401),), document=always(document()))
    assert simulate(world, smoke=lines(3)).verdict == ("trigger-failed", "auth")
    assert world.since_trigger(SendSmoke) == []


def test_the_old_build_is_not_checked_where_another_one_is_declared() -> None:
    world = World(lambda *_: ready(OLD), (UPDATED,), document=always(document()))
    story = simulate(world, smoke=lines(3), expect_version=NEW, timeout="30")
    assert story.verdict == ("stale", "old-build")
    assert world.since_trigger(SendSmoke) == []


def test_a_build_that_was_live_before_is_checked_too() -> None:
    world = World(lambda *_: ready(NEW), (summary(),), smoke=lambda *_: reply(500))
    assert simulate(world, smoke="GET /s", expect_version=NEW).verdict == ("checks-failed", "smoke")


# within the request rate


@pytest.mark.parametrize("number", [1, 5, 15, 40])
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("answered", [0.04, 20.0])
def test_looks_and_checks_together_never_overdraw_the_bucket(number: int, declared: bool, answered: float) -> None:
    world = World(rollout(), ((UPDATED, answered),), document=always(document()))
    story = simulate(world, smoke=lines(number), **({"expect_version": NEW} if declared else {}))
    assert story.verdict == ("deployed", "")
    assert overdrawn(story) <= 1e-6


def test_forty_smoke_requests_finish_and_the_log_announces_their_duration_at_the_start() -> None:
    story = simulate(World(rollout(), (UPDATED,)), smoke=lines(40), expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert len(story.world.since_trigger(SendSmoke)) == 40
    assert any("the checks will take about" in line for line in story.log.lines[:4])
    assert story.seconds < 240


@pytest.mark.parametrize(("number", "rate", "announced"), [(2, "30/m", False), (40, "30/m", True), (200, "off", False)])
def test_only_long_checks_are_announced(number: int, rate: str, announced: bool) -> None:
    story = simulate(World(rollout(), (UPDATED,)), smoke=lines(number), request_rate=rate, expect_version=NEW)
    assert any("the checks will take" in line for line in story.log.lines) is announced
    assert story.verdict == ("deployed", "")


def test_smoke_requests_to_another_origin_have_a_request_rate_of_their_own() -> None:
    elsewhere = "\n".join(f"GET https://other.example.com/{each}" for each in range(10))
    story = simulate(World(rollout(), (UPDATED,)), smoke=elsewhere, openapi_path="off", expect_version=NEW)
    without = simulate(World(rollout(), (UPDATED,)), openapi_path="off", expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert story.seconds <= without.seconds + 1.0
    assert overdrawn(story) <= 1e-6


@pytest.mark.parametrize("rate", ["30/m", "20/m", "15/m", "10/m", "6/m"])
@pytest.mark.parametrize("declared", [True, False])
def test_fetching_one_document_delays_a_deploy_by_at_most_2_5_s(rate: str, declared: bool) -> None:
    inputs = {"request_rate": rate} | ({"expect_version": NEW} if declared else {})
    story = simulate(World(rollout(), (UPDATED,), document=always(document())), **inputs)
    without = simulate(World(rollout(), (UPDATED,)), openapi_path="off", **inputs)
    assert story.verdict == ("deployed", "")
    assert story.seconds <= without.seconds + 2.5


@pytest.mark.parametrize("rate", ["15/m", "10/m", "2/m"])
def test_checks_finish_even_at_low_request_rates(rate: str) -> None:
    per_second = int(rate.removesuffix("/m")) / 60
    story = simulate(World(rollout(), (UPDATED,)), smoke=lines(6), request_rate=rate, expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert story.seconds <= 60 + 20 / per_second


# the contract as evidence of a change


def test_a_changed_contract_proves_a_nameless_build_with_a_final_document_after_the_window() -> None:
    world = World(nameless(), (UPDATED,), document=turning(4, document("GET /api/ready", "GET /api/new")))
    story = simulate(world)
    assert story.verdict == ("deployed", "")
    assert story.conclusion.proof.word == "change"
    sent = world.since_trigger(FetchDocument)
    assert sent[-1] >= held_from(story) + 5.0
    assert "Its OpenAPI document changed" in " ".join(story.outcome.facts.of(About.EVIDENCE))
    assert story.outcome.checked.added == ("GET /api/new",)
    assert story.outcome.checked.removed == ("GET /api/items/{id}",)


def test_a_changed_version_in_the_document_alone_is_a_change_too() -> None:
    world = World(nameless(), (UPDATED,), document=turning(4, document(version="2")))
    assert simulate(world).verdict == ("deployed", "")


def document_of_data(moment: float) -> HttpResult:
    """A document whose operations are the rows of a table, under one version."""
    return document("GET /api/ready", *(["GET /api/posts/{slug}"] if moment >= 0 else []))


@pytest.mark.parametrize("result", [reply(202), summary(scanned=2, updated=1, skipped=1), summary()])
def test_other_operations_under_one_version_prove_nothing_by_themselves(result: HttpResult) -> None:
    story = simulate(World(always_healthy, (result,), document=document_of_data), require_proof="change")
    assert story.conclusion.proof.word == "none"
    assert not any("OpenAPI" in each for each in story.outcome.facts.of(About.EVIDENCE))


def test_operations_that_appear_and_vanish_under_one_version_do_not_make_a_build_stale() -> None:
    def served(moment: float) -> HttpResult:
        return document("GET /api/new") if 4 <= moment < 8 else document()

    story = simulate(World(always_healthy, (reply(202),), document=served), request_rate="off")
    assert story.verdict == ("unproven", "no-identity")


def restarts(moment: float, _: Probe) -> HttpResult:
    return ready(start_time=WALL - 3600 if moment < 3 else WALL + 1003)


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(World(always_healthy, (UPDATED,)), id="updated"),
        pytest.param(World(nameless(), (reply(202),)), id="a gap"),
        pytest.param(World(restarts, (reply(202),)), id="a new process"),
        pytest.param(
            World(always_healthy, (reply(202),), lambda moment: rows(("api", "o/api", D1 if moment < 3 else D2))),
            id="another image",
        ),
    ],
)
def test_other_operations_count_where_something_else_shows_a_replacement(world: World) -> None:
    story = simulate(replace(world, document=document_of_data))
    assert story.verdict == ("deployed", "")
    assert "Its OpenAPI document changed" in " ".join(story.outcome.facts.of(About.EVIDENCE))


def test_another_contract_does_not_outweigh_a_commit_that_stayed() -> None:
    story = simulate(World(lambda *_: ready(commit=OLD), (UPDATED,), document=turning(4, document(version="2"))))
    assert story.verdict == ("unproven", "no-change")


def test_the_same_contract_proves_nothing() -> None:
    story = simulate(World(nameless(), (UPDATED,), document=always(document())), require_proof="change")
    assert story.verdict != ("deployed", "")
    assert story.conclusion.exit_code == 1


def test_a_contract_that_changed_and_changed_back_is_stale() -> None:
    def served(moment: float) -> HttpResult:
        return document("GET /api/new") if 4 <= moment < 8 else document()

    story = simulate(World(nameless(), (UPDATED,), document=served), request_rate="off")
    assert story.verdict == ("stale", "old-build")
    assert any(each.reverted for each in Assessment(story.state).evidence)


def test_one_failed_document_does_not_undo_the_contract_change() -> None:
    fails = count()

    def served(moment: float) -> HttpResult:
        if moment < 4:
            return document()
        return reply(500) if next(fails) == 1 else document("GET /api/new")

    story = simulate(World(nameless(), (UPDATED,), document=served), request_rate="off")
    assert story.conclusion.exit_code == 0


# changes during the checks


def test_a_build_that_changes_during_the_checks_is_checked_as_what_it_has_become() -> None:
    def service(moment: float, probe: Probe) -> HttpResult:
        return rollout()(moment, probe) if moment < 9 else ready(THIRD)

    world = World(service, (UPDATED,), document=turning(9, document("GET /api/third")))
    story = simulate(world, required_routes="/api/third", smoke=lines(10))
    assert story.verdict == ("deployed", "")
    assert world.since_trigger(FetchDocument)[-1] > 9
    assert len([moment for moment in world.since_trigger(SendSmoke) if moment > held_from(story)]) == 10


def test_the_old_build_that_comes_back_during_the_checks_is_stale() -> None:
    def service(moment: float, probe: Probe) -> HttpResult:
        return rollout()(moment, probe) if moment < 15 else ready(OLD)

    for inputs in ({"expect_version": NEW}, {}):
        story = simulate(World(service, (UPDATED,)), smoke=lines(40), timeout="60", **inputs)
        assert story.verdict == ("stale", "old-build")


# the deadline


def test_checks_that_are_under_way_at_the_deadline_are_finished() -> None:
    story = simulate(World(rollout(), (UPDATED,)), smoke=lines(20), timeout="20", expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert story.seconds > 20
    assert len(story.world.since_trigger(SendSmoke)) == 20


def test_after_the_deadline_too_the_last_look_comes_after_the_last_check() -> None:
    story = simulate(World(rollout(), (UPDATED,)), smoke=lines(40), timeout="20", expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert story.world.since_trigger(Probe)[-1] > story.world.since_trigger(SendSmoke)[-1]


def test_a_window_that_another_build_breaks_after_the_deadline_is_not_deployed() -> None:
    def service(moment: float, probe: Probe) -> HttpResult:
        return rollout()(moment, probe) if moment < 30 else ready(THIRD)

    story = simulate(World(service, (UPDATED,)), smoke=lines(40), timeout="20")
    assert story.verdict == ("unhealthy", "flapping")
    assert story.seconds < 40


def test_a_window_that_a_restart_breaks_after_the_deadline_ends_the_run() -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        if moment < 2:
            return ready(OLD)
        return REFUSED if moment < 4 else ready(NEW, started_at=WALL + (4 if moment < 30 else 30))

    story = simulate(World(service, (UPDATED,)), smoke=lines(40), timeout="20", expect_version=NEW)
    assert story.verdict == ("unhealthy", "flapping")
    assert story.seconds < 40


def test_without_a_response_of_watchtower_the_run_is_green_at_the_deadline_with_a_warning() -> None:
    world = World(rollout(), ((UPDATED, 1000.0),), document=always(document()))
    story = simulate(world, smoke=lines(2), expect_version=NEW, timeout="30")
    assert story.verdict == ("deployed", "")
    assert 30 <= story.seconds < 32
    assert len(world.since_trigger(SendSmoke)) == 2
    assert len(story.outcome.facts.of(About.WARNING)) == 1


def test_without_a_response_of_watchtower_a_failed_check_is_still_reported() -> None:
    world = World(rollout(), ((UPDATED, 1000.0),), smoke=lambda *_: reply(500))
    story = simulate(world, smoke="GET /s", expect_version=NEW, timeout="30")
    assert story.verdict == ("checks-failed", "smoke")


# inconclusive responses


def test_a_service_that_throttles_the_checks_for_ever_ends_soon_after_the_deadline() -> None:
    story = simulate(World(rollout(), (UPDATED,), smoke=lambda *_: reply(429)), smoke="GET /s", timeout="40")
    assert story.verdict == ("checks-failed", "smoke")
    assert 40 <= story.seconds < 70
    assert "too many requests" in story.outcome.checked.failed[0].sentence


@pytest.mark.parametrize("kind", ["smoke", "document"])
@pytest.mark.parametrize("seconds", ["900", "100000"])
def test_a_retry_after_beyond_the_deadline_does_not_prolong_the_run(kind: str, seconds: str) -> None:
    wait = reply(429, retry_after=seconds)
    world = World(
        rollout(),
        (UPDATED,),
        document=turning(0, wait) if kind == "document" else always(document()),
        smoke=lambda *_: wait if kind == "smoke" else reply(200),
    )
    story = simulate(world, smoke=lines(3), timeout="60", expect_version=NEW)
    assert story.conclusion.exit_code == 1
    assert story.seconds < 120


def test_a_check_that_is_throttled_for_a_while_waits_and_passes() -> None:
    def smoke(moment: float, _: SendSmoke) -> HttpResult:
        return reply(429, retry_after="3") if moment < 12 else reply(200)

    story = simulate(World(rollout(), (UPDATED,), smoke=smoke), smoke="GET /s", expect_version=NEW)
    assert story.verdict == ("deployed", "")


def test_a_cached_response_is_retried_once_past_the_caches() -> None:
    def smoke(_: float, request: SendSmoke) -> HttpResult:
        return reply(200) if request.past_caches else reply(500, age="60")

    world = World(rollout(), (UPDATED,), smoke=smoke)
    assert simulate(world, smoke="GET /s", expect_version=NEW).verdict == ("deployed", "")
    assert [request.past_caches for _, request in world.asked if isinstance(request, SendSmoke)] == [False, True]


def test_after_a_cached_response_the_final_document_bypasses_the_cache_too() -> None:
    class Cached(World):
        def start(self, request: Request, sent: float, bound: float, service: str = "") -> None:
            self.past_caches = self.triggered is None or (isinstance(request, FetchDocument) and request.past_caches)
            super().start(request, sent, bound, service)

    def answer(moment: float) -> HttpResult:
        if not world.past_caches:
            return reply(200, age="60")
        return document() if moment < 4 else document("GET /api/ready")

    world = Cached(nameless(), (UPDATED,), document=answer)
    story = simulate(world)
    assert story.verdict == ("deployed", "")
    assert story.conclusion.proof.word == "change"


def test_a_response_that_is_always_cached_fails_the_check() -> None:
    world = World(rollout(), (UPDATED,), smoke=lambda *_: reply(200, age="60"))
    story = simulate(world, smoke="GET /s", expect_version=NEW)
    assert story.verdict == ("checks-failed", "smoke")
    assert "cache" in story.outcome.checked.failed[0].sentence


# retries


def test_a_failed_request_is_retried_once_before_it_counts() -> None:
    tries = count()

    def smoke(_: float, __: SendSmoke) -> HttpResult:
        return TransportError(ErrorKind.CUT) if next(tries) == 0 else reply(200)

    world = World(rollout(), (UPDATED,), smoke=smoke)
    assert simulate(world, smoke="GET /s", expect_version=NEW).verdict == ("deployed", "")
    assert len(world.since_trigger(SendSmoke)) == 2


@pytest.mark.parametrize(
    ("http_result", "times"),
    [
        pytest.param(reply(500), 1, id="a response came"),
        pytest.param(TransportError(ErrorKind.CUT), 1, id="it may have been carried out"),
        pytest.param(TransportError(ErrorKind.TIMED_OUT), 1, id="it may have been carried out"),
        pytest.param(TransportError(ErrorKind.REFUSED), 2, id="it was never sent"),
        pytest.param(TransportError(ErrorKind.NOT_CONNECTED), 2, id="it was never sent either"),
    ],
)
def test_an_unsafe_request_is_resent_only_if_it_never_reached_the_server(http_result: HttpResult, times: int) -> None:
    world = World(rollout(), (UPDATED,), smoke=lambda *_: http_result)
    story = simulate(world, smoke="!POST /purge 202", expect_version=NEW)
    assert story.verdict == ("checks-failed", "smoke")
    assert len(world.since_trigger(SendSmoke)) == times


def test_all_failures_are_reported_in_one_run() -> None:
    world = World(
        rollout(),
        (UPDATED,),
        document=turning(3, document("GET /api/ready")),
        smoke=lambda _, request: reply(500) if request.smoke.target != "/s/1" else reply(200),
    )
    story = simulate(
        world,
        expect_version=NEW,
        required_routes="/api/missing",
        forbidden_routes="/api/ready",
        breaking_changes="fail",
        smoke=lines(3),
        request_rate="off",
    )
    assert story.verdict == ("checks-failed", "routes")
    assert [each.kind.value for each in story.outcome.checked.failed] == [
        "routes",
        "routes",
        "breaking-change",
        "smoke",
        "smoke",
    ]


# mode verify, and unproven builds


def test_in_mode_verify_the_running_build_is_checked() -> None:
    world = World(lambda *_: ready(NEW), document=always(document()))
    story = simulate(world, mode="verify", required_routes="/api/ready", smoke=lines(3))
    assert story.verdict == ("verified", "")
    assert (len(world.sent(FetchDocument)), len(world.sent(SendSmoke)), world.sent(SendTrigger)) == (1, 3, [])
    failing = World(lambda *_: ready(NEW), document=always(document()))
    assert simulate(failing, mode="verify", required_routes="/api/gone").verdict == ("checks-failed", "routes")


def test_the_report_marks_the_checks_that_only_warn() -> None:
    world = World(lambda *_: ready(NEW), smoke=lambda *_: reply(404))
    story = simulate(world, mode="verify", openapi_path="off", smoke="?GET /a\n?GET /b 404\nGET /c 404")
    checks = json.loads(outputs(story.outcome)["report"])["checks"]
    assert [(each["passed"], each["only-warns"]) for each in checks] == [(False, True), (True, True), (True, False)]


def test_mode_verify_reports_the_contract_even_without_a_check_of_it() -> None:
    read = simulate(World(lambda *_: ready(NEW), document=always(document(version="7"))), mode="verify")
    none = simulate(World(lambda *_: ready(NEW), document=always(reply(404))), mode="verify")
    compared = simulate(
        World(rollout(), (UPDATED,), document=always(document(version="7"))), expect_version=NEW, openapi_path="/x"
    )
    assert read.outcome.seen["contract"] == compared.outcome.seen["contract"] != ""
    assert (read.outcome.seen["contract-version"], none.outcome.seen["contract"]) == ("7", "")
    assert len(read.world.sent(FetchDocument)) == 1
    assert (none.verdict, none.outcome.checked.findings) == (("verified", ""), ())


def test_mode_verify_does_not_wait_for_a_document_that_no_check_needs() -> None:
    slow = World(lambda *_: ready(NEW), document=lambda _: (document(), 60.0))
    assert simulate(slow, mode="verify").seconds == pytest.approx(
        simulate(World(lambda *_: ready(NEW)), mode="verify").seconds, abs=1
    )
    assert simulate(World(lambda *_: ready(NEW)), mode="verify", openapi_path="off").world.sent(FetchDocument) == []


def test_in_mode_verify_too_long_checks_are_announced_at_the_start() -> None:
    story = simulate(World(lambda *_: ready(NEW)), mode="verify", smoke=lines(40))
    assert story.verdict == ("verified", "")
    assert any("the checks will take about" in line for line in story.log.lines[:3])


def test_in_mode_verify_a_wrong_build_is_not_checked() -> None:
    world = World(lambda *_: ready(OLD))
    assert simulate(world, mode="verify", expect_version=NEW, smoke=lines(3)).verdict == (
        "wrong-build",
        "wrong-version",
    )
    assert world.sent(SendSmoke) == []


@pytest.mark.parametrize(
    ("smoke", "verdict"), [(200, ("unproven", "no-identity")), (500, ("checks-failed", "smoke"))], ids=["pass", "fail"]
)
def test_an_unproven_build_is_checked_too(smoke: int, verdict: tuple[str, str]) -> None:
    world = World(lambda *_: ready(), (reply(202),), smoke=lambda *_: reply(smoke))
    assert simulate(world, smoke="GET /s").verdict == verdict


def test_a_build_that_watchtower_claims_is_checked_too() -> None:
    world = World(nameless(), (UPDATED,), smoke=lambda *_: reply(500))
    assert simulate(world, smoke="GET /s").verdict == ("checks-failed", "smoke")
    assert simulate(World(nameless(), (UPDATED,)), smoke="GET /s").conclusion.proof.word == "claim"


def test_a_digest_and_checks_go_together() -> None:
    world = World(
        nameless(),
        (UPDATED,),
        containers=lambda moment: rows(("api", "ghcr.io/o/api", D1 if moment < 3 else D2)),
        document=turning(4, document("GET /api/new")),
    )
    story = simulate(world, expect_digest=D2, smoke=lines(2))
    assert story.verdict == ("deployed", "")
    assert story.conclusion.proof.word == "digest"


@pytest.mark.parametrize(
    ("inputs", "answer", "reason"),
    [
        ({"required_routes": "/a"}, page(200), "openapi"),
        ({"required_routes": "/a"}, reply(500), "openapi"),
        ({"required_routes": "/a"}, reply(200, "{"), "openapi"),
        ({"required_routes": "/a"}, TransportError(ErrorKind.TIMED_OUT), "openapi"),
        ({"breaking_changes": "fail"}, reply(500), "openapi"),
        ({"breaking_changes": "fail"}, reply(404), "breaking-change"),
        ({"required_routes": "POST /api/ready"}, document(), "routes"),
        ({"forbidden_routes": "/api/**"}, document(), "routes"),
        ({"breaking_changes": "fail"}, document("GET /api/ready"), "breaking-change"),
    ],
)
def test_each_kind_of_check_has_its_reason(inputs: dict[str, str], answer: HttpResult, reason: str) -> None:
    world = World(rollout(), (UPDATED,), document=turning(2, answer))
    assert simulate(world, expect_version=NEW, **inputs).verdict == ("checks-failed", reason)


# properties of any run

answers = st.sampled_from(
    [
        reply(200),
        reply(200),
        reply(500),
        reply(429),
        REFUSED,
        TransportError(ErrorKind.TIMED_OUT),
        page(200),
        reply(200, age="9"),
    ]
)
documents = st.sampled_from(
    [
        document(),
        document(),
        document("GET /api/new"),
        document("GET /api/ready"),
        reply(404),
        reply(429),
        page(200),
        reply(200, b"{"),
        reply(200, age="9"),
        TransportError(ErrorKind.CUT),
    ]
)
services = st.sampled_from([ready(OLD), ready(NEW), ready(NEW), ready(NEW), ready(THIRD), ready(), reply(503), REFUSED])


@given(
    phases=st.lists(st.tuples(st.floats(0.5, 25), services), min_size=1, max_size=5),
    served=st.lists(documents, min_size=1, max_size=4),
    smokes=st.lists(answers, min_size=1, max_size=6),
    watchtower=st.tuples(
        st.sampled_from([UPDATED, summary(), reply(202), reply(200), reply(500), summary(failed=1)]),
        st.sampled_from([0.04, 5.0, 20.0, 1000.0]),
    ),
    number=st.integers(0, 6),
    verify=st.booleans(),
    inputs=st.fixed_dictionaries(
        {},
        optional={
            "expect_version": st.just(NEW),
            "required_routes": st.sampled_from(["/api/ready", "/api/new"]),
            "breaking_changes": st.sampled_from(["ignore", "fail"]),
            "version_path": st.just("/api/version"),
        },
    ),
)
def test_nothing_is_green_with_checks_unfinished_nothing_overdraws_and_everything_ends(
    phases: list[tuple[float, HttpResult]],
    served: list[HttpResult],
    smokes: list[HttpResult],
    watchtower: tuple[HttpResult, float],
    number: int,
    verify: bool,
    inputs: dict[str, str],
) -> None:
    def service(moment: float, _: Probe) -> HttpResult:
        begin = moment + 1000.0 if verify else moment
        for lasts, http_result in phases:
            if begin < lasts:
                return http_result
            begin -= lasts
        return ready(NEW)

    asked, smoked = count(), count()
    world = World(
        service,
        (watchtower,),
        document=lambda _: served[next(asked) % len(served)],
        smoke=lambda _, __: smokes[next(smoked) % len(smokes)],
    )
    story = simulate(world, smoke=lines(number), timeout="40", **({"mode": "verify"} if verify else {}), **inputs)
    found = story.outcome.checked
    assert overdrawn(story) <= 1e-6
    many = max(story.state.history.window.looks_needed, FEWEST) - FEWEST  # after builds alternated, a window needs more
    assert story.seconds < 40 + 150 + 8 * many or verify
    if story.conclusion.exit_code == 0:
        assert not found.failed
        assert sum(each.kind == "smoke" for each in found.findings) == number
        assert all(each.seconds is not None for each in found.findings if each.kind == "smoke")
    if story.verdict[0] == "checks-failed":
        assert any(each.kind == story.verdict[1] for each in found.failed)


@pytest.mark.parametrize("seed", range(8))
def test_looks_at_two_addresses_leave_a_token_for_the_document_that_closes_the_window(seed: int) -> None:
    world = World(nameless(), (reply(200),), document=turning(1, document("GET /api/new")), seed=seed)
    story = simulate(world, version_path="/v", stable_for="1s", timeout="20s")
    assert story.verdict == ("deployed", "")


@pytest.mark.parametrize("rate", ["60/m", "30/m", "15/m", "6/m"])
@pytest.mark.parametrize("stable_for", ["3s", "5s", "20s"])
def test_the_document_that_closes_the_window_is_not_kept_waiting_by_looks(rate: str, stable_for: str) -> None:
    world = World(nameless(), (UPDATED,), document=turning(4, document("GET /api/new")))
    story = simulate(world, request_rate=rate, stable_for=stable_for)
    assert story.verdict == ("deployed", "")
    assert story.conclusion.proof.word == "change"
    assert story.seconds < 60 + 5 * 60 / int(rate.removesuffix("/m"))


# builds that might still be replaced


def test_an_unsafe_request_does_not_reach_the_old_build_before_it_is_replaced() -> None:
    world = World(rollout(4.0, 6.0), (reply(202),), smoke=lambda *_: reply(202))
    story = simulate(world, smoke="!POST /api/cache/purge 202", require_proof="change")
    assert story.verdict == ("deployed", "")
    assert len(story.world.since_trigger(SendSmoke)) == 1
    assert story.world.since_trigger(SendSmoke)[0] >= 6.0


@pytest.mark.parametrize("taken", [1.5, 3.0, 4.9])
@pytest.mark.parametrize("answer", [reply(202), UPDATED], ids=["accepted", "a claim"])
def test_a_nameless_build_that_takes_over_without_a_gap_is_found_by_its_contract(
    taken: float, answer: HttpResult
) -> None:
    changed = document("GET /api/ready", version="2")
    world = World(always_healthy, (answer,), document=turning(taken, changed))
    assert simulate(world).verdict == ("deployed", "")
    world = World(always_healthy, (answer,), document=turning(taken, changed))
    assert simulate(world, required_routes="GET /api/items/{id}").verdict == ("checks-failed", "routes")


# cases found by adversarial tests and accidents


def test_a_version_that_is_the_time_of_the_response_proves_nothing() -> None:
    def moving(moment: float) -> HttpResult:
        return document(version=f"2026-01-01T00:00:{moment + 30:.3f}")

    assert simulate(World(always_healthy, (reply(202),), document=moving)).verdict == ("unproven", "no-identity")


@pytest.mark.parametrize("late", [5.5, 7.0, 9.5])
def test_a_build_that_takes_over_late_without_a_gap_is_found_while_the_run_still_looks(late: float) -> None:
    world = World(always_healthy, (reply(202),), document=turning(late, document(version="2")))
    assert simulate(world).verdict == ("deployed", "")


def test_a_retry_after_beyond_the_deadline_ends_the_run_at_once() -> None:
    refused = reply(429, retry_after="3600")
    world = World(rollout(), (UPDATED,), smoke=lambda *_: refused)
    story = simulate(world, smoke="GET /x", timeout="60", expect_version=NEW)
    assert story.verdict == ("unhealthy", "throttled")
    assert story.seconds < 15


def test_a_retry_after_of_another_origin_pauses_only_that_origin() -> None:
    asked = iter([reply(429, retry_after="8")])
    world = World(rollout(), (UPDATED,), smoke=lambda *_: next(asked, reply(200)))
    story = simulate(world, smoke="GET https://www.example.com/", expect_version=NEW)
    assert story.verdict == ("deployed", "")
    looks = story.world.since_trigger(Probe)
    held = held_from(story)
    assert max(later - sooner for sooner, later in pairwise(looks) if sooner >= held) < 4.5


def test_an_unsafe_request_is_sent_once_even_if_it_breaks_the_window() -> None:
    sent: list[float] = []

    def smoke(moment: float, _: SendSmoke) -> HttpResult:
        sent.append(moment)
        return reply(200)

    def suffers(moment: float, _: Probe) -> HttpResult:
        if sent and moment < sent[0] + 3:
            return page(503)
        return ready(OLD) if moment < 2 else ready(NEW)

    story = simulate(World(suffers, (UPDATED,), smoke=smoke), smoke="!POST /x", expect_version=NEW)
    assert story.verdict == ("deployed", "")
    assert len(sent) == 1


def test_an_unsafe_request_is_sent_only_after_a_window_has_held() -> None:
    def flickers(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 2 else page(503) if 6.0 < moment < 7.0 else ready(NEW)

    world = World(flickers, (UPDATED,), smoke=lambda *_: reply(500))
    story = simulate(world, smoke="!POST /x", expect_version=NEW)
    assert story.verdict == ("checks-failed", "smoke")
    assert len(world.sent(SendSmoke)) == 1
    assert world.since_trigger(SendSmoke)[0] > 11.5


def test_with_a_digest_an_unsafe_request_does_not_reach_the_build_that_the_proxy_still_sends_to() -> None:
    world = World(
        lambda moment, _: ready(OLD) if moment < 3.5 else ready(NEW),
        (UPDATED,),
        containers=lambda moment: rows(("a", "o/app", D1 if moment < 1 else D2)),
        smoke=lambda moment, _: reply(200) if moment > 3.5 else reply(500),
    )
    story = simulate(world, expect_digest=D2, smoke="!POST /x")
    assert story.verdict == ("deployed", "")
    assert len(world.since_trigger(SendSmoke)) == 1


@pytest.mark.parametrize("answer", [reply(500), reply(401)])
def test_an_unsafe_request_is_not_sent_if_the_update_failed(answer: HttpResult) -> None:
    world = World(always_healthy, (answer,), smoke=lambda *_: reply(200))
    assert simulate(world, smoke="!POST /x", expect_version=NEW, timeout="20").conclusion.exit_code == 1
    assert world.since_trigger(SendSmoke) == []


def test_without_a_response_of_watchtower_an_unsafe_request_is_sent_at_the_deadline() -> None:
    world = World(rollout(), ((TransportError(ErrorKind.TIMED_OUT), 1e6),), smoke=lambda *_: reply(200))
    story = simulate(world, smoke="!POST /x", expect_version=NEW, timeout="30")
    assert story.verdict == ("deployed", "")
    assert len(world.since_trigger(SendSmoke)) == 1


def test_in_mode_verify_an_unsafe_request_is_sent_once_the_window_has_held() -> None:
    world = World(lambda *_: ready(NEW), smoke=lambda *_: reply(200))
    story = simulate(world, mode="verify", smoke="!POST /x\nGET /y", expect_version=NEW)
    assert story.verdict == ("verified", "")
    asked = [(moment, request.smoke.method) for moment, request in world.asked if isinstance(request, SendSmoke)]
    assert [method for _, method in asked] == ["GET", "POST"]


@pytest.mark.parametrize("require", ["none", "change"])
def test_an_unsafe_request_is_sent_once_to_an_unproven_build_and_the_run_ends(require: str) -> None:
    world = World(always_healthy, (UPDATED,), smoke=lambda *_: reply(200))
    story = simulate(world, smoke="!POST /x", require_proof=require)
    assert len(world.since_trigger(SendSmoke)) == 1
    assert story.seconds < 30


# caches in front of the document from before


def test_a_cached_document_from_before_is_fetched_again_past_the_cache() -> None:
    class Cached(World):
        def start(self, request: Request, sent: float, bound: float, service: str = "") -> None:
            self.past_caches = isinstance(request, FetchDocument) and request.past_caches
            super().start(request, sent, bound, service)

    def answer(moment: float) -> HttpResult:
        if not world.past_caches:
            return document(age="30")
        return document() if moment < 2 else document("GET /api/ready")

    world = Cached(rollout(), (UPDATED,), document=answer)
    assert simulate(world, expect_version=NEW, breaking_changes="fail").verdict == ("checks-failed", "breaking-change")
    before = [
        request
        for moment, request in world.asked
        if isinstance(request, FetchDocument) and moment < (world.triggered or 0)
    ]
    assert [request.past_caches for request in before] == [False, True]
    after = [
        request
        for moment, request in world.asked
        if isinstance(request, FetchDocument) and moment > (world.triggered or 0)
    ]
    assert all(request.past_caches for request in after)


def test_a_document_from_before_that_is_always_cached_is_fetched_twice_and_ignored() -> None:
    world = World(rollout(), (UPDATED,), document=always(document(age="30")))
    story = simulate(world, expect_version=NEW, breaking_changes="fail")
    assert story.verdict == ("deployed", "")
    assert len(world.sent(FetchDocument)) == 2
    assert "from a cache" in " ".join(story.outcome.facts.of(About.WARNING))


def test_a_check_that_reached_an_old_replica_is_repeated_on_the_new_build() -> None:
    def turns(moment: float, _: Probe) -> HttpResult:
        mixed = int(moment * 2) % 3
        return ready(OLD) if moment < 1 or (moment < 6 and not mixed) else ready(NEW)

    world = World(turns, (UPDATED,), smoke=lambda moment, _: reply(200) if moment < 6 else reply(500))
    story = simulate(world, smoke="GET /x", expect_version=NEW)
    assert story.verdict == ("checks-failed", "smoke")


@pytest.mark.parametrize("answer", [reply(200), reply(504)], ids=["accepted", "lost"])
@pytest.mark.parametrize("shown_by", ["digest", "document"])
@pytest.mark.parametrize("new_passes", [True, False])
def test_what_the_old_build_answered_does_not_count_if_only_something_else_shows_the_new_one(
    answer: Response, shown_by: str, new_passes: bool
) -> None:
    swap = 3.0
    digests = turning(swap, rows(("api", "api", D2)), rows(("api", "api", D1)))
    world = World(
        always_healthy,
        (answer,),
        containers=digests if shown_by == "digest" else always(reply(404)),
        document=turning(swap, document(version="2")) if shown_by == "document" else always(reply(404)),
        smoke=lambda moment, _: reply(200 if (moment > swap) is new_passes else 404),
    )
    story = simulate(world, smoke="GET /new", timeout="40")
    assert story.verdict == (("deployed", "") if new_passes else ("checks-failed", "smoke"))
