"""Stories in which the update was asked for and the service is not what was hoped, or somebody stops the run."""

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
    story("wrong-build", "A third build goes live", "Somebody else pushed meanwhile.")
    .plays(Scene(pushed=V3), DECLARED, timeout="5s")
    .ends("wrong-build", "wrong-version", result="updated"),
    story("never-ready", "The new build is never ready", "It names itself rightly and answers 503 to the health check.")
    .plays(Scene(pushed=replace(V2, readiness="never")), DECLARED, timeout="5s")
    .ends("unhealthy", "never-ready", result="updated"),
    story("stays-down", "The new build never answers", "nginx's 502 page is all that is left.")
    .plays(Scene(pushed=replace(V2, boot=3600)), DECLARED, timeout="5s")
    .ends("unhealthy", "down", result="updated"),
    story(
        "crash-loop",
        "The new build crashes again and again",
        "It is up for a second and a half each time, and never gets through the window.",
    )
    .plays(Scene(pushed=replace(V2, crashes_after=1.5)), DECLARED, stable_for="3s", timeout="8s")
    .ends("unhealthy", "flapping", result="updated"),
    story("html-placeholder", "A placeholder page answers 200 everywhere", "HTML is no healthy answer.")
    .plays(Scene(pushed=replace(V2, readiness="html")), DECLARED, timeout="5s")
    .ends("unhealthy", "html", result="updated"),
    story("always-cached", "A cache that nothing gets past", "Old answers are counted as nothing, and it is said so.")
    .plays(Scene(finish=_always_cached), DECLARED, timeout="5s")
    .ends("unhealthy", "cached", result="updated"),
    story("throttled", "The proxy's limit is used up by others", "nginx's stock 503 page is no answer of the service.")
    .plays(Scene(on_service=Instead(LIMITED)), DECLARED, timeout="5s")
    .ends("unhealthy", "throttled", result="updated"),
    story(
        "service-behind-wall",
        "Cloudflare Access stands before the service",
        "Three samples over five seconds that show nothing but a login page are enough.",
    )
    .plays(Scene(two_origins=True, on_service=Instead(ACCESS_WALL)), DECLARED, base_url="{origin}", timeout="15s")
    .ends("unhealthy", "access-wall", result="updated"),
    story(
        "service-challenged", "Cloudflare challenges whoever looks", "A challenge before the service is named as such."
    )
    .plays(Scene(two_origins=True, on_service=Instead(CHALLENGE)), DECLARED, base_url="{origin}", timeout="15s")
    .ends("unhealthy", "challenge", result="updated"),
    story(
        "two-builds-in-turn",
        "The old and the new build take turns",
        "A replica that was forgotten keeps the window from closing.",
    )
    .plays(Scene(finish=_in_turn), DECLARED, timeout="8s", stable_for="3s")
    .ends("stale", "old-build", or_else=(("unhealthy", "flapping"),), result="updated"),
    story(
        "ready-now-and-then",
        "Readiness comes and goes behind a constant version",
        "The version address names the new build all along; health, watched beside it, shows that it does not stay well.",
    )
    .plays(Scene(finish=_ready_now_and_then), DECLARED, timeout="8s", stable_for="3s")
    .ends("unhealthy", "flapping", or_else=(("unhealthy", "never-ready"),), result="updated"),
    story(
        "cache-hides-that-it-is-gone",
        "A silent cache answers for a service that is gone",
        "Watchtower claims an update and plain looks are good; the look that opens the window gets past the cache.",
    )
    .plays(
        Scene(before=replace(V1, identity="hidden"), pushed=replace(V2, boot=3600), finish=_silent_cache),
        QUICK,
        openapi_path="off",
    )
    .ends("unhealthy", "cached", result="updated"),
    story(
        "instance-left-behind",
        "Two instances answer, and one stays old",
        "`instances: 2` shows it, also where each window would have been short.",
    )
    .plays(Scene(finish=_in_turn), DECLARED, timeout="8s", instances="2")
    .ends("stale", "old-build", or_else=(("unhealthy", "flapping"),), result="updated"),
    story(
        "nothing-behind-the-proxy",
        "The proxy's stock 503 page, and never a good response",
        "Three over five seconds, asked for ever more slowly, are no rate limit: nothing is behind the proxy.",
    )
    .plays(Scene(pushed=replace(V2, boot=3600), on_service=NothingBehind(LIMITED)), DECLARED, timeout="10s")
    .ends("unhealthy", "down", result="updated"),
    story("verify-wrong", "Verify: another build runs", "A healthy wrong build is told after one window.")
    .plays(Scene(), VERIFY, expect_version=V2.git_sha)
    .ends("wrong-build", "wrong-version", result="none", triggers=0),
    story("verify-down", "Verify: nobody answers", "The wait for health ends at the deadline.")
    .plays(Scene(before=Build("v1", boot=3600)), VERIFY, expect_version=V2.git_sha)
    .ends("unhealthy", "down", result="none", triggers=0),
    story("cancelled-int", "The run is cancelled", "Outputs and summary are written within two seconds of SIGINT.")
    .plays(Scene(before=replace(V1, ignores_term=8.0)), DECLARED, timeout="20s")
    .ends("cancelled", interrupt=signal.SIGINT),
    story("cancelled-term", "The runner is shut down", "The same after SIGTERM.")
    .plays(Scene(before=replace(V1, ignores_term=8.0)), DECLARED, timeout="20s")
    .ends("cancelled", exit_code=143, interrupt=signal.SIGTERM),
)
