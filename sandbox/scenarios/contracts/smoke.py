"""Scenarios about smoke requests, and about what the service requires of every request."""

from dataclasses import replace

from sandbox.network.faults import LIMITED, TOO_MANY, AtFirst, Instead, On
from sandbox.network.front import Answer, Exchange, passing
from sandbox.scenarios.contracts.shared import BRISK, STALE_COPY, standing_at
from sandbox.scenarios.scenario import DECLARED, QUICK, story
from sandbox.server.builds import V2
from sandbox.worlds import Scene, World

_ERROR = Answer(500, b"Internal Server Error", "text/plain; charset=utf-8")
_UNAUTHORISED = Answer(401, b'{"detail": "Not authenticated"}', "application/json", (("WWW-Authenticate", "Bearer"),))


def _throttled(world: World) -> None:
    limited = On(frozenset({"/api/search"}), AtFirst(1, Instead(LIMITED)))
    slowed = On(frozenset({"/api/projects"}), AtFirst(1, Instead(TOO_MANY)))
    world.front.on_service = lambda exchange: (slowed if exchange.request.path == "/api/projects" else limited)(
        exchange
    )


def _behind_a_token(world: World) -> None:
    def guarded(exchange: Exchange) -> bool:
        shown = [value for name, value in exchange.request.headers if name.lower() == "authorization"]
        return (passing if shown == [f"Bearer {world.header_secret}"] else Instead(_UNAUTHORISED))(exchange)

    world.front.on_service = guarded


SCENARIOS = (
    story(
        "smoke",
        "All smoke requests pass",
        "They expect single statuses and a class of statuses; one uses HEAD, and one is marked as unsafe.",
    )
    .plays(
        Scene(pushed=replace(V2, operations=("GET /api/search", "HEAD /api/search"))),
        {
            **DECLARED,
            **BRISK,
            "smoke": "GET /api/items/7\nGET /api/search?q=a 2xx\nGET /api/private 401\nHEAD /api/search\n"
            "!POST /api/cache/purge 202",
        },
    )
    .is_checked(
        "deployed", unremarked=True, asked={"GET /api/items/7": 1, "HEAD /api/search": 1, "POST /api/cache/purge": 1}
    ),
    story(
        "smoke-conditions",
        "Smoke requests with conditions on their responses",
        "Alternative statuses, conditions on headers, JSON and text; one line only warns, and one fails.",
    )
    .plays(
        Scene(),
        {
            **DECLARED,
            **BRISK,
            "smoke": "GET /api/private 401|403 detail contains Not\nGET /api/items/7 200 id = 7 and price = null\n"
            "?GET /api/projects 200 0.slug = deploy\nGET /api/projects header:content-type contains json and 1.slug = x",
        },
    )
    .is_checked(
        "checks-failed",
        "smoke",
        failed=("smoke GET /api/projects header:content-type contains json and 1.slug = x",),
        says=("`1.slug = x` does not hold: the field is missing", "only warns", "the value is `redeploy`"),
    ),
    story(
        "front-end",
        "A front end names its build in a meta tag",
        "The page is healthy if it has the expected content, and its commit is the declared one.",
    )
    .plays(
        Scene(),
        QUICK,
        health_path="/",
        health_expect='body contains "</html>"\nmeta:git-sha !matches unknown',
        version_field="meta:git-sha",
        expect_version=V2.git_sha,
        openapi_path="off",
    )
    .ends("deployed", proof="version", result="updated", outputs={"version": V2.git_sha}),
    story(
        "service-token",
        "The service requires its own token",
        "`service-headers` go to the service, and Watchtower still gets its own token.",
    )
    .plays(
        Scene(finish=_behind_a_token),
        {
            **DECLARED,
            **BRISK,
            "service-headers": "Authorization: Bearer {header-secret}",
            "smoke": "GET /api/projects",
        },
    )
    .is_checked("deployed", unremarked=True),
    story(
        "service-token-missing",
        "The health check is rejected because a token is missing",
        "The message names the input that sends one.",
    )
    .plays(Scene(finish=_behind_a_token), DECLARED)
    .ends("unhealthy", "never-ready", says=("service-headers",)),
    story("smoke-wrong-status", "A smoke request gets an unexpected status", "It is retried once before it fails.")
    .plays(Scene(), {**DECLARED, **BRISK, "smoke": "GET /api/private\nGET /api/items/seven\nGET /api/projects"})
    .is_checked(
        "checks-failed",
        "smoke",
        failed=("smoke GET /api/private", "smoke GET /api/items/seven"),
        says=("401", "422"),
        asked={"GET /api/private": 2, "GET /api/items/seven": 2, "GET /api/projects": 1},
    ),
    story(
        "smoke-broken-schema",
        "A response does not match the document",
        "The status is 200, but a number has become a string.",
    )
    .plays(
        Scene(pushed=replace(V2, unkept=("/api/items/{item_id}", "/api/projects"))),
        {**DECLARED, **BRISK, "smoke": "GET /api/items/7\nGET /api/projects"},
    )
    .is_checked(
        "checks-failed",
        "smoke",
        failed=("smoke GET /api/items/7", "smoke GET /api/projects"),
        says=("`$.id` is a string, not integer", "`$` is an object, not array"),
    ),
    story("smoke-flaky", "A smoke request fails once", "The retry succeeds, and that counts.")
    .plays(
        Scene(finish=standing_at("/api/projects", lambda: AtFirst(1, Instead(_ERROR)))),
        {**DECLARED, **BRISK, "smoke": "GET /api/projects\nGET /api/search"},
    )
    .is_checked("deployed", unremarked=True, asked={"GET /api/projects": 2, "GET /api/search": 1}),
    story(
        "smoke-fails",
        "A smoke request fails twice",
        "The new build is live and stable, but responds 500 to the smoke request.",
    )
    .plays(
        Scene(finish=standing_at("/api/projects", lambda: Instead(_ERROR))),
        {**DECLARED, **BRISK, "smoke": "GET /api/projects\nGET /api/search"},
    )
    .is_checked(
        "checks-failed", "smoke", failed=("smoke GET /api/projects",), says=("500",), asked={"GET /api/projects": 2}
    ),
    story("smoke-unsafe-fails", "An unsafe smoke request fails", "It is not retried.")
    .plays(
        Scene(finish=standing_at("/api/cache/purge", lambda: Instead(_ERROR))),
        {**DECLARED, **BRISK, "smoke": "!POST /api/cache/purge 202"},
    )
    .is_checked(
        "checks-failed", "smoke", failed=("smoke POST /api/cache/purge 202",), asked={"POST /api/cache/purge": 1}
    ),
    story(
        "smoke-throttled",
        "Smoke requests are throttled at first",
        "nginx's stock 503 and a 429 do not count as tries; Retry-After is honoured.",
    )
    .plays(
        Scene(finish=_throttled),
        {**DECLARED, **BRISK, "smoke": "GET /api/search\nGET /api/projects", "timeout": "15s"},
    )
    .is_checked("deployed", unremarked=True, asked={"GET /api/search": 2, "GET /api/projects": 2}),
    story("smoke-cached", "A smoke request gets a cached response", "A unique query gets past the cache.")
    .plays(
        Scene(finish=standing_at("/api/items/7", lambda: AtFirst(1, Instead(STALE_COPY)))),
        {**DECLARED, **BRISK, "smoke": "GET /api/items/7"},
    )
    .is_checked("deployed", unremarked=True, asked={"GET /api/items/7": 2}),
    story(
        "smoke-always-cached",
        "A smoke request never gets past a cache",
        "A response that may come from the old build does not pass.",
    )
    .plays(
        Scene(finish=standing_at("/api/items/7", lambda: Instead(STALE_COPY))),
        {**DECLARED, **BRISK, "smoke": "GET /api/items/7"},
    )
    .is_checked("checks-failed", "smoke", failed=("smoke GET /api/items/7",)),
    story(
        "smoke-many",
        "More smoke requests than the bucket holds",
        "The run sends at most 15 requests at once, and two a second after that.",
    )
    .plays(Scene(), DECLARED, request_rate="2/s", smoke="\n".join(f"GET /api/items/{number}" for number in range(16)))
    .is_checked("deployed", unremarked=True, asked={f"GET /api/items/{number}": 1 for number in range(16)}),
)
