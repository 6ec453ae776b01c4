"""Scenarios in which the update was triggered but the service is not as expected, or the run is cancelled."""

import signal
from dataclasses import replace

from sandbox.network.faults import (
    ACCESS_WALL,
    CHALLENGE,
    LIMITED,
    Cache,
    ComesAndGoes,
    Instead,
    InTurn,
    NothingBehind,
    On,
)
from sandbox.network.front import Answer
from sandbox.scenarios.scenario import DECLARED, QUICK, VERIFY, story
from sandbox.server.builds import V1, V2, V3, Build
from sandbox.worlds import Scene, World

_NO_DATABASE = Answer(503, b'{"status": "no database"}', "application/json")


def _always_cached(world: World) -> None:
    world.front.on_service = Cache(honours_query=False)


def _in_turn(world: World) -> None:
    other = world.host.add("api-old", "registry.test/o/api:v1", V1, world.pool)
    other.wait_until_listening(10)
    world.front.on_service = InTurn(other.port)


def _silent_cache(world: World) -> None:
    world.front.on_service = Cache(honours_query=True, silent=True)


def _ready_now_and_then(world: World) -> None:
    comes_and_goes = ComesAndGoes(Instead(_NO_DATABASE), well=1.6, ill=1.3)
    world.front.on_service = On(frozenset({"/api/ready"}), comes_and_goes)


SCENARIOS = (
    story("wrong-build", "A third build goes live", "Another push came in between.")
    .plays(Scene(pushed=V3), DECLARED, timeout="5s")
    .ends("wrong-build", "wrong-version", result="updated"),
    story(
        "never-ready", "The new build is never ready", "It names the declared build, but its health check responds 503."
    )
    .plays(Scene(pushed=replace(V2, readiness="never")), DECLARED, timeout="5s")
    .ends("unhealthy", "never-ready", result="updated"),
    story("stays-down", "The new build never responds", "The only response is nginx's 502 page.")
    .plays(Scene(pushed=replace(V2, boot=3600)), DECLARED, timeout="5s")
    .ends("unhealthy", "down", result="updated"),
    story(
        "crash-loop",
        "The new build crashes again and again",
        "It is up for a second and a half each time, and never stays up for the whole window.",
    )
    .plays(Scene(pushed=replace(V2, crashes_after=1.5)), DECLARED, stable_for="3s", timeout="8s")
    .ends("unhealthy", "flapping", result="updated"),
    story("html-placeholder", "A placeholder page responds 200 everywhere", "HTML is not a healthy response.")
    .plays(Scene(pushed=replace(V2, readiness="html")), DECLARED, timeout="5s")
    .ends("unhealthy", "html", result="updated"),
    story("always-cached", "No request gets past the cache", "Cached responses do not count, and the run says so.")
    .plays(Scene(finish=_always_cached), DECLARED, timeout="5s")
    .ends("unhealthy", "cached", result="updated"),
    story(
        "throttled", "The proxy's limit is used up by others", "nginx's stock 503 page does not come from the service."
    )
    .plays(Scene(on_service=Instead(LIMITED)), DECLARED, timeout="5s")
    .ends("unhealthy", "throttled", result="updated"),
    story(
        "service-behind-wall",
        "Cloudflare Access is in front of the service",
        "Three samples over five seconds that all show a login page are enough.",
    )
    .plays(Scene(two_origins=True, on_service=Instead(ACCESS_WALL)), DECLARED, base_url="{origin}", timeout="15s")
    .ends("unhealthy", "access-wall", result="updated"),
    story(
        "service-challenged",
        "Cloudflare challenges every look at the service",
        "A challenge in front of the service is reported as such.",
    )
    .plays(Scene(two_origins=True, on_service=Instead(CHALLENGE)), DECLARED, base_url="{origin}", timeout="15s")
    .ends("unhealthy", "challenge", result="updated"),
    story(
        "two-builds-in-turn",
        "The old and the new build respond in turn",
        "A forgotten replica keeps the window from closing.",
    )
    .plays(Scene(finish=_in_turn), DECLARED, timeout="8s", stable_for="3s")
    .ends("stale", "old-build", or_else=(("unhealthy", "flapping"),), result="updated"),
    story(
        "ready-now-and-then",
        "Readiness comes and goes behind a constant version",
        "The version address always names the new build; probes of the health check show that it does not stay healthy.",
    )
    .plays(Scene(finish=_ready_now_and_then), DECLARED, timeout="8s", stable_for="3s")
    .ends("unhealthy", "flapping", or_else=(("unhealthy", "never-ready"),), result="updated"),
    story(
        "cache-hides-that-it-is-gone",
        "A cache without cache headers responds for a service that is gone",
        "Watchtower claims an update and plain requests succeed; the request that opens the window gets past the cache.",
    )
    .plays(
        Scene(before=replace(V1, identity="hidden"), pushed=replace(V2, boot=3600), finish=_silent_cache),
        QUICK,
        openapi_path="off",
    )
    .ends("unhealthy", "cached", result="updated"),
    story(
        "instance-left-behind",
        "Two instances respond, and one keeps the old build",
        "With `instances: 2`, the window takes enough looks to find the old build.",
    )
    .plays(Scene(finish=_in_turn), DECLARED, timeout="8s", instances="2")
    .ends("stale", "old-build", or_else=(("unhealthy", "flapping"),), result="updated"),
    story(
        "nothing-behind-the-proxy",
        "The proxy's stock 503 page, and never a good response",
        "Three such pages over five seconds, at a falling request rate, are not a rate limit: nothing is behind the proxy.",
    )
    .plays(Scene(pushed=replace(V2, boot=3600), on_service=NothingBehind(LIMITED)), DECLARED, timeout="10s")
    .ends("unhealthy", "down", result="updated"),
    story("verify-wrong", "Verify: another build is live", "A healthy wrong build is reported after one window.")
    .plays(Scene(), VERIFY, expect_version=V2.git_sha)
    .ends("wrong-build", "wrong-version", result="none", triggers=0),
    story(
        "verify-down", "Verify: the service does not respond", "The wait for a healthy response ends at the deadline."
    )
    .plays(Scene(before=Build("v1", boot=3600)), VERIFY, expect_version=V2.git_sha)
    .ends("unhealthy", "down", result="none", triggers=0),
    story("cancelled-int", "The run is cancelled", "Outputs and summary are written within two seconds of SIGINT.")
    .plays(Scene(before=replace(V1, ignores_term=8.0)), DECLARED, timeout="20s")
    .ends("cancelled", interrupt=signal.SIGINT),
    story("cancelled-term", "The runner is shut down", "The same after SIGTERM.")
    .plays(Scene(before=replace(V1, ignores_term=8.0)), DECLARED, timeout="20s")
    .ends("cancelled", exit_code=143, interrupt=signal.SIGTERM),
)
