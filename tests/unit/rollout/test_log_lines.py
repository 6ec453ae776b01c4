"""The log of a run."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest

from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.rollout.log_lines import HEARTBEAT
from redeploy.rollout.requests import Probe
from sandbox.simulation import REFUSED, Story, World, simulate
from tests.unit.factories import D1, D2, NEW, OLD, ready, reply, rows, summary


def rollout(moment: float, _: Probe) -> HttpResult:
    return ready(OLD) if moment < 2 else REFUSED if moment < 4 else ready(NEW)


def steady(http_result: HttpResult) -> Callable[[float, Probe], HttpResult]:
    return lambda moment, probe: http_result


def moments(story: Story) -> list[float]:
    return [float(re.match(r" *(-?[\d.]+) s  ", line)[1]) for line in story.log.lines]  # type: ignore[index]


def texts(story: Story) -> list[str]:
    return [line.partition(" s  ")[2] for line in story.log.lines]


def test_a_rollout_is_reported_line_by_line() -> None:
    story = simulate(World(rollout, ((summary(updated=1), 2.5),)), expect_version=NEW)
    assert story.log.groups == ["Look at what runs before the trigger", "Trigger the update and watch the service"]
    log = "\n".join(texts(story))
    expected = [
        f"service: healthy, version {OLD}",
        "trigger sent",
        "service: the connection was refused",
        "Watchtower: 200: scanned 1, updated 1",
        f"service: healthy, version {NEW} (new)",
    ]
    places = [log.find(each) for each in expected]
    assert -1 not in places, log
    assert places[0] < places[1] < places[4]
    assert len(story.log.lines) < 15


def test_every_line_has_a_time() -> None:
    story = simulate(World(rollout, ((summary(updated=1), 2.5),)), expect_version=NEW)
    start = texts(story).index("trigger sent")
    assert all(each >= 0 for each in moments(story))
    assert moments(story)[start] == 0
    assert moments(story)[start:] == sorted(moments(story)[start:])


def test_nothing_is_reported_twice_in_a_row() -> None:
    story = simulate(World(steady(ready(OLD)), (reply(200),)), expect_version=NEW, timeout="60")
    assert all(one != other for one, other in pairwise(texts(story)))


def test_while_nothing_changes_a_heartbeat_comes_every_15_s() -> None:
    story = simulate(World(steady(ready(OLD)), (reply(200),)), expect_version=NEW, timeout="120")
    beats = [
        moment for moment, text in zip(moments(story), texts(story), strict=True) if text.startswith("waiting for ")
    ]
    assert 6 <= len(beats) <= 8
    assert all(14.9 <= later - earlier <= HEARTBEAT + 0.2 for earlier, later in pairwise(beats))
    assert all(
        "last response: 200" in text and "s left" in text for text in texts(story) if text.startswith("waiting for")
    )


@pytest.mark.parametrize(
    ("world", "inputs", "awaited"),
    [
        pytest.param(
            World(steady(ready(OLD)), ((reply(200), 90.0),)),
            {"expect_version": NEW},
            "Watchtower's response",
            id="the response",
        ),
        pytest.param(
            World(steady(ready(OLD)), (reply(200),)), {"expect_version": NEW}, "the expected build", id="the build"
        ),
        pytest.param(World(steady(REFUSED), (reply(200),)), {}, "a healthy build", id="health"),
        pytest.param(World(steady(REFUSED)), {"mode": "verify"}, "a healthy build", id="verify"),
        pytest.param(
            World(rollout, (reply(200),)),
            {"expect_version": NEW, "stable_for": "30s"},
            "the new build to stay healthy",
            id="stability",
        ),
    ],
)
def test_a_heartbeat_says_what_the_run_waits_for(world: World, inputs: dict[str, str], awaited: str) -> None:
    story = simulate(world, timeout="60", **inputs)
    assert any(text.startswith(f"waiting for {awaited} (") for text in texts(story))


def test_a_held_window_without_a_response_of_watchtower_is_reported_once() -> None:
    story = simulate(World(rollout, ((summary(updated=1), 40.0),)), expect_version=NEW)
    assert [
        text for text in texts(story) if "waiting for Watchtower's response" in text and not text.startswith("waiting")
    ] == ["stable for 5 s; waiting for Watchtower's response"]


def test_every_further_trigger_is_reported() -> None:
    story = simulate(World(steady(ready(OLD)), (REFUSED,)))
    assert sum(text.startswith("trigger: sending it again in ") for text in texts(story)) == 2


def test_every_broken_window_is_reported() -> None:
    def loop(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 1 else ready(NEW) if moment % 6 < 4 else REFUSED

    story = simulate(World(loop, (summary(updated=1),)), expect_version=NEW)
    assert (
        sum(text.startswith("the new build did not stay") for text in texts(story))
        == story.state.history.window.broken
        == 5
    )


def test_the_running_digest_is_reported_when_it_changes() -> None:
    story = simulate(
        World(
            rollout,
            ((summary(updated=1), 5.0),),
            containers=lambda moment: rows(("api", "x", D1 if moment < 3 else D2)),
        ),
        expect_digest=D2,
    )
    assert [text for text in texts(story) if text.startswith("running digest: ")] == [
        f"running digest: {D1}",
        f"running digest: {D2}",
    ]


def test_digests_that_differ_are_reported_as_such() -> None:
    story = simulate(
        World(rollout, (summary(updated=1),), containers=lambda _: rows(("a", "o/x", D1), ("b", "o/x", D2))),
        image="o/x",
    )
    assert "running digest: containers run different digests" in texts(story)


@pytest.mark.parametrize(
    ("listed", "image", "why"),
    [
        ([("a", "o/x", D1), ("b", "o/y", D2)], "", "several containers run; name one with `image` or `container`"),
        ([("b", "o/y", D2)], "o/x", "not reported; no such container runs"),
        ([], "", "not reported; no such container runs"),
        ([("a", "o/x", "")], "o/x", "not reported; the image was not pulled from a registry"),
    ],
)
def test_the_log_says_why_no_running_digest_is_known(listed: list[tuple[str, str, str]], image: str, why: str) -> None:
    story = simulate(World(rollout, (summary(updated=1),), containers=lambda _: rows(*listed)), image=image)
    assert f"running digest: {why}" in texts(story)


def test_with_two_addresses_the_log_says_which_one_responded() -> None:
    def service(moment: float, probe: Probe) -> HttpResult:
        return rollout(moment, probe)

    story = simulate(World(service, (summary(updated=1),)), expect_version=NEW, version_path="/version")
    assert any(text.startswith("version: healthy, version") for text in texts(story))
    assert any(text.startswith("health: healthy") for text in texts(story))


HOSTILE = "x\n::error::forged\r##[set-env name=a]b \u202e"


@pytest.mark.parametrize(
    "http_result",
    [
        ready(HOSTILE),
        reply(503, {"commit": HOSTILE}),
        reply(500, HOSTILE, server=HOSTILE, location=HOSTILE),
        TransportError(ErrorKind.TLS, "certificate has expired"),
    ],
)
def test_no_line_holds_more_than_one_line(http_result: HttpResult) -> None:
    story = simulate(World(steady(http_result), (reply(401, HOSTILE),)))
    assert all(len(line.splitlines()) == 1 and "##[" not in line and "\u202e" not in line for line in story.log.lines)


def test_with_debugging_enabled_every_response_is_logged() -> None:
    story = simulate(
        World(lambda moment, _: ready(OLD) if moment < 1 else REFUSED if moment < 2 else ready(NEW)), expect_version=NEW
    )
    asked = [request for _, request in story.world.asked]
    assert len(story.log.details) == len(asked)
    assert any("health and version: 200, after 0.040 s" in line for line in story.log.details)
    assert any("health and version: refused, after" in line for line in story.log.details)
    assert any("SendTrigger: 200" in line for line in story.log.details)


# the checks


def contract(*paths: str) -> HttpResult:
    return reply(200, {"openapi": "3.1.0", "paths": {each: {"get": {}} for each in paths}})


def checked_rollout(smoke: int = 200, after: HttpResult | None = None, **inputs: str) -> Story:
    later = contract("/a", "/c") if after is None else after
    world = World(
        rollout,
        (summary(updated=1),),
        document=lambda moment: contract("/a", "/b") if moment < 2 else later,
        smoke=lambda _, request: reply(200 if request.smoke.target == "/s/0" else smoke),
    )
    return simulate(world, expect_version=NEW, request_rate="off", smoke="GET /s/0\nGET /s/1", **inputs)


def test_the_document_and_the_smoke_requests_have_one_log_line_each() -> None:
    lines = texts(checked_rollout())
    assert [each for each in lines if each.startswith("OpenAPI")] == ["OpenAPI: 2 operations, 1 added, 1 removed"]
    assert [each for each in lines if "smoke" in each] == ["smoke: 2 of 2 passed"]


def test_each_failed_request_has_a_log_line() -> None:
    lines = texts(checked_rollout(smoke=500))
    assert [each for each in lines if "smoke" in each] == [
        "smoke failed: `GET /s/1`: 500, not 2xx",
        "smoke: 1 of 2 passed",
    ]


def test_the_log_says_why_there_is_no_document() -> None:
    lines = texts(checked_rollout(after=reply(404)))
    assert "OpenAPI: no document, the response was 404" in lines


def test_while_only_checks_are_left_the_heartbeat_says_which() -> None:
    world = World(rollout, (summary(updated=1),), smoke=lambda _, __: (reply(200), 9.0))
    story = simulate(
        world, expect_version=NEW, smoke="\n".join(f"GET /s/{each}" for each in range(30)), request_rate="off"
    )
    waiting = [each for each in texts(story) if each.startswith("waiting for")]
    assert re.match(r"waiting for \d+ of 30 smoke requests", waiting[0])
