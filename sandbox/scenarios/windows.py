"""Stories about how long and how closely a new build is watched, and what may hide that it is not there."""

from dataclasses import replace

from sandbox.network.faults import LIMITED, Adding, Cache, ComesAndGoes, Instead, InTurn, NothingBehind, On
from sandbox.network.front import Answer
from sandbox.scenarios.scenario import DECLARED, QUICK, Scenario
from sandbox.server.builds import V1, V2
from sandbox.worlds import Scene, World

_NO_DATABASE = Answer(503, b'{"status": "no database"}', "application/json")
_PAGE = {
    **QUICK,
    "health-path": "/",
    "health-expect": 'body contains "</html>" and body !contains "__next_error__"',
    "version-field": "meta:git-sha",
    "expect-version": V2.git_sha,
    "openapi-path": "off",
}


def _silent_cache(world: World) -> None:
    world.front.on_service = Cache(honours_query=True, silent=True)


def _ready_now_and_then(world: World) -> None:
    comes_and_goes = ComesAndGoes(Instead(_NO_DATABASE), well=1.6, ill=1.3)
    world.front.on_service = On(frozenset({"/api/ready"}), comes_and_goes)


def _left_behind(world: World) -> None:
    other = world.host.add("api-2", "registry.test/o/api:v1", V1, world.pool)
    other.wait_until_listening(10)
    world.front.on_service = InTurn(other.port)


SCENARIOS = (
    Scenario(
        "ready-now-and-then",
        "Readiness comes and goes behind a constant version",
        "The version address names the new build all along; health, watched beside it, shows that it does not stay well.",
        Scene(finish=_ready_now_and_then),
        {**DECLARED, "timeout": "8s", "stable-for": "3s"},
        "unhealthy",
        "flapping",
        or_else=(("unhealthy", "never-ready"),),
        result="updated",
    ),
    Scenario(
        "cache-hides-that-it-is-gone",
        "A silent cache answers for a service that is gone",
        "Watchtower claims an update and plain looks are good; the look that opens the window gets past the cache.",
        Scene(before=replace(V1, identity="hidden"), pushed=replace(V2, boot=3600), finish=_silent_cache),
        {**QUICK, "openapi-path": "off"},
        "unhealthy",
        "cached",
        result="updated",
    ),
    Scenario(
        "two-instances",
        "Two instances are said to answer, and all are new",
        "`instances: 2` takes seven looks at the address that names the build, each on a connection of its own.",
        Scene(),
        {**DECLARED, "timeout": "20s", "instances": "2"},
        "deployed",
        proof="version",
        result="updated",
    ),
    Scenario(
        "instance-left-behind",
        "Two instances answer, and one stays old",
        "Seven looks show it, also where each window would have been short.",
        Scene(finish=_left_behind),
        {**DECLARED, "timeout": "8s", "instances": "2"},
        "stale",
        "old-build",
        or_else=(("unhealthy", "flapping"),),
        result="updated",
    ),
    Scenario(
        "nothing-behind-the-proxy",
        "The proxy's stock 503 page, and never a good response",
        "Three over five seconds, asked for ever more slowly, are no rate limit: nothing is behind the proxy.",
        Scene(pushed=replace(V2, boot=3600), on_service=NothingBehind(LIMITED)),
        {**DECLARED, "timeout": "10s"},
        "unhealthy",
        "down",
        result="updated",
    ),
    Scenario(
        "next-js",
        "A Next.js front end goes live",
        "Its pages carry `x-nextjs-cache: HIT` in every container, since they were rendered when the image was built.",
        Scene(on_service=Adding(b"X-Powered-By: Next.js\r\nx-nextjs-cache: HIT")),
        _PAGE,
        "deployed",
        proof="version",
        result="updated",
        outputs={"version": V2.git_sha},
    ),
    Scenario(
        "static-site",
        "A static site goes live behind a CDN",
        "The CDN keeps the old page; asked past it, the server names the new build.",
        Scene(finish=lambda world: setattr(world.front, "on_service", Cache(honours_query=True))),
        _PAGE,
        "deployed",
        proof="version",
        result="updated",
        outputs={"version": V2.git_sha},
    ),
)
