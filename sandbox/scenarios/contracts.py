"""Stories about what a live build offers: its OpenAPI document, its routes, what changed, smoke requests."""

from collections.abc import Callable
from dataclasses import replace

from sandbox.network.attacks import echo, echoed_document, echoed_item, hostile_item
from sandbox.network.faults import LIMITED, TOO_MANY, AtFirst, Instead, On
from sandbox.network.front import Answer, Exchange, Fault, passing
from sandbox.scenarios.scenario import DECLARED, QUICK, VERIFY, Scenario, story
from sandbox.server.builds import V1, V2, Document
from sandbox.worlds import Scene, World

_WITHOUT_PROJECTS = replace(V2, lost=("GET /api/projects",))
_BRISK = {"request-rate": "5/s"}
_STATIC = replace(V2, boot=0.0)
_ERROR = Answer(500, b"Internal Server Error", "text/plain; charset=utf-8")
_UNAUTHORISED = Answer(401, b'{"detail": "Not authenticated"}', "application/json", (("WWW-Authenticate", "Bearer"),))
_STALE_COPY = Answer(200, b'{"ok": true}', "application/json", (("Age", "61"), ("X-Cache", "HIT")))
_HEADERS = "CF-Access-Client-Secret: {header-secret}"

_REFERENCE_YAML = """\
openapi: 3.1.0
info: {title: portfolio, version: 0.1.0}
paths:
  /api/ready:
    get:
      responses: {"200": {description: Ready}}
  /api/projects:
    summary: The list that the front page shows
    get:
      responses: {"200": {description: All projects}}
    post:
      responses: {"201": {description: A new one}}
"""
_REFERENCE_JSON = """\
{
  "openapi": "3.0.3",
  "info": {"title": "portfolio", "version": "0.1.0"},
  "paths": {
    "/api/items/{id}": {
      "get": {"responses": {"200": {"description": "One item"}}},
      "delete": {
        "responses": {"204": {"description": "It is gone"}}
      }
    }
  }
}
"""


def _standing_at(path: str, fault: Callable[[], Fault]) -> Callable[[World], None]:
    """Puts a fault in the way of one path, made anew for each world."""

    def finish(world: World) -> None:
        world.front.on_service = On(frozenset({path}), fault())

    return finish


def _cached_document(world: World) -> None:
    def cached(exchange: Exchange) -> bool:
        return (passing if "?" in exchange.request.target else Instead(_STALE_COPY))(exchange)

    world.front.on_service = On(frozenset({"/openapi.json"}), cached)


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


def _echoed_document(world: World) -> None:
    world.front.on_service = On(
        frozenset({"/openapi.json"}),
        AtFirst(1, passing, then=Instead(echoed_document(world.token, world.header_secret))),
    )


def _echoed_answer(world: World) -> None:
    world.front.on_service = On(frozenset({"/api/items/7"}), Instead(echo(200, world.token, world.header_secret)))


def _echoed_late(world: World) -> None:
    world.front.on_service = On(frozenset({"/api/items/7"}), Instead(echoed_item(world.token)))


def _unread(document: Document, title: str, shows: str, says: str) -> Scenario:
    """A new build whose document cannot be read while routes are asked for."""
    return (
        story(f"openapi-{document}", title, shows)
        .plays(Scene(pushed=replace(V2, document=document)), DECLARED, required_routes="GET /api/ready")
        .is_checked("checks-failed", "openapi", failed=("openapi",), says=(says,))
    )


_DOCUMENTS = (
    _unread(
        "html",
        "A web page where the OpenAPI document should be",
        "A single-page application answers 200 to every path, and that is no document.",
        "a web page came",
    ),
    _unread(
        "none",
        "The OpenAPI document is gone",
        "A 404 where routes are asked for is a failed check.",
        "404",
    ),
    _unread(
        "other",
        "JSON that is no OpenAPI",
        "What stands at the document's place has no version of OpenAPI at its top.",
        "it is not an OpenAPI document",
    ),
    _unread(
        "truncated",
        "The OpenAPI document breaks off",
        "Half a document is told from a broken one.",
        "it breaks off",
    ),
    _unread(
        "deep",
        "An OpenAPI document nested two hundred thousand deep",
        "It is refused in one sentence.",
        "nested too deeply",
    ),
    _unread(
        "huge",
        "An OpenAPI document beyond the cap",
        "It is read up to 16 MiB and no further.",
        "larger than 16 MiB",
    ),
    story(
        "openapi-gone-unasked",
        "The OpenAPI document is gone, and no route is required",
        "Every operation that was there counts as removed: a warning, as without any input.",
    )
    .plays(Scene(pushed=replace(V2, document="none")), DECLARED)
    .is_checked("deployed", says=("The OpenAPI document that was live before the trigger is gone",)),
    story(
        "openapi-gone-strict",
        "The OpenAPI document is gone, and breaking changes fail",
        "Each operation that was there is a failed check.",
    )
    .plays(Scene(pushed=replace(V2, document="none")), DECLARED, breaking_changes="fail")
    .is_checked("checks-failed", "breaking-change", failed=None, says=("is gone, as the document is",)),
    story(
        "openapi-yaml",
        "The new build sends its document as YAML",
        "It is read like JSON: routes are found, and an answer is held against its schema.",
    )
    .plays(
        Scene(pushed=replace(V2, document="yaml", unkept=("/api/items/{item_id}",))),
        {**DECLARED, **_BRISK, "required-routes": "GET /api/search", "smoke": "GET /api/items/7"},
    )
    .is_checked(
        "checks-failed", "smoke", failed=("smoke GET /api/items/7",), says=("`$.id` is a string, not integer",)
    ),
    story(
        "openapi-odd",
        "The OpenAPI document has oddities that no check needs",
        "Null operations, null servers, a numeric version and a path without a slash are passed over and noted.",
    )
    .plays(
        Scene(pushed=replace(V2, document="odd")),
        DECLARED,
        required_routes="GET /api/ready",
        forbidden_routes="/internal/**",
    )
    .is_checked(
        "deployed",
        unremarked=True,
        shown=("`pets` does not begin with a slash", "`POST /api/ready` is null", "only in part"),
    ),
    story(
        "openapi-cached-before",
        "A cache answers for the document before the trigger",
        "It is asked for past the cache, so that the operation that is gone is found.",
    )
    .plays(Scene(pushed=_WITHOUT_PROJECTS, finish=_cached_document), DECLARED, breaking_changes="fail")
    .is_checked("checks-failed", "breaking-change", failed=("removed-route GET /api/projects",)),
)

_ROUTES = (
    story(
        "missing-route",
        "The new build lost a route",
        "It is live and healthy, and the run is red: a required route is missing, and the near miss is named.",
    )
    .plays(
        Scene(pushed=replace(V2, lost=("POST /api/cache/purge",), operations=("GET /api/cache/purge",))),
        DECLARED,
        required_routes="GET /api/ready\nPOST /api/cache/purge\n/api/items/{id}",
    )
    .is_checked(
        "checks-failed",
        "routes",
        failed=("required-route POST /api/cache/purge",),
        says=("`POST /api/cache/purge` is missing; the document has `GET /api/cache/purge`",),
    ),
    story(
        "forbidden-route",
        "The new build shows what it should not",
        "A debug route that slipped in is found by its pattern.",
    )
    .plays(
        Scene(pushed=replace(V2, operations=("GET /internal/debug/vars",))),
        DECLARED,
        required_routes="GET /api/*/status",
        forbidden_routes="/internal/**  # never public",
    )
    .is_checked(
        "checks-failed", "routes", failed=("forbidden-route /internal/**",), says=("`GET /internal/debug/vars`",)
    ),
    story("routes-there", "All routes are there", "Wildcards, any method and a parameter of another name.")
    .plays(
        Scene(),
        DECLARED,
        required_routes="GET /api/search\n/api/items/{id}\nPOST /api/cache/**\nGET /api/*/status",
        forbidden_routes="/internal/**\nDELETE /api/**",
    )
    .is_checked("deployed", unremarked=True, outputs={"added-routes": '["GET /api/search"]', "removed-routes": "[]"}),
)

_CHANGES = (
    story(
        "route-removed",
        "An operation is gone, and that is worth a warning",
        "Without any input, what was live before the trigger is the reference.",
    )
    .plays(Scene(pushed=_WITHOUT_PROJECTS), DECLARED)
    .is_checked(
        "deployed",
        says=("`GET /api/projects`",),
        outputs={"removed-routes": '["GET /api/projects"]', "added-routes": '["GET /api/search"]'},
    ),
    story("breaking-change", "An operation is gone, and that fails", "`breaking-changes: fail` makes it red.")
    .plays(Scene(pushed=_WITHOUT_PROJECTS), DECLARED, breaking_changes="fail")
    .is_checked(
        "checks-failed",
        "breaking-change",
        failed=("removed-route GET /api/projects",),
        outputs={"removed-routes": '["GET /api/projects"]'},
    ),
    story("route-removed-ignored", "An operation is gone, and nobody minds", "It is still an output.")
    .plays(Scene(pushed=_WITHOUT_PROJECTS), DECLARED, breaking_changes="ignore")
    .is_checked("deployed", unremarked=True, outputs={"removed-routes": '["GET /api/projects"]'}),
    story(
        "method-changed",
        "An operation has another method",
        "A path that stays with another method breaks its clients all the same.",
    )
    .plays(
        Scene(pushed=replace(_WITHOUT_PROJECTS, operations=("POST /api/projects",))), DECLARED, breaking_changes="fail"
    )
    .is_checked(
        "checks-failed",
        "breaking-change",
        failed=("removed-route GET /api/projects",),
        outputs={"removed-routes": '["GET /api/projects"]', "added-routes": '["POST /api/projects"]'},
    ),
    story(
        "reference-yaml",
        "A YAML file of the workspace has more than the service",
        "The annotation stands at the line of the operation that is gone.",
    )
    .plays(Scene(pushed=_WITHOUT_PROJECTS), DECLARED, breaking_changes="fail", openapi_reference="api/openapi.yaml")
    .is_checked(
        "checks-failed",
        "breaking-change",
        failed=("removed-route GET /api/projects", "removed-route POST /api/projects"),
        files={"api/openapi.yaml": _REFERENCE_YAML},
        places=(("api/openapi.yaml", 9), ("api/openapi.yaml", 11)),
    ),
    story(
        "reference-json",
        "A JSON file of the workspace has more than the service",
        "With `warn`, the run is green and the line is annotated.",
    )
    .plays(Scene(), DECLARED, openapi_reference="openapi.json")
    .is_checked(
        "deployed",
        says=("`DELETE /api/items/{id}`",),
        outputs={"removed-routes": '["DELETE /api/items/{id}"]'},
        files={"openapi.json": _REFERENCE_JSON},
        places=(("openapi.json", 7),),
    ),
    story(
        "change-by-contract",
        "Nothing declared, only the contract tells",
        "A service that says nothing of itself has another document after the trigger.",
    )
    .plays(Scene(before=replace(V1, identity="hidden"), pushed=replace(V2, identity="hidden")), QUICK)
    .ends("deployed", proof="change", result="updated", outputs={"added-routes": '["GET /api/search"]'}),
)

_SMOKE = (
    story(
        "smoke",
        "Smoke requests are answered as they should be",
        "Statuses, a class of them, HEAD, and an unsafe request that is marked as such.",
    )
    .plays(
        Scene(pushed=replace(V2, operations=("GET /api/search", "HEAD /api/search"))),
        {
            **DECLARED,
            **_BRISK,
            "smoke": "GET /api/items/7\nGET /api/search?q=a 2xx\nGET /api/private 401\nHEAD /api/search\n"
            "!POST /api/cache/purge 202",
        },
    )
    .is_checked(
        "deployed", unremarked=True, asked={"GET /api/items/7": 1, "HEAD /api/search": 1, "POST /api/cache/purge": 1}
    ),
    story(
        "smoke-conditions",
        "Smoke requests whose responses must say something",
        "Alternatives, conditions on header, JSON and text; one line only warns, and one fails.",
    )
    .plays(
        Scene(),
        {
            **DECLARED,
            **_BRISK,
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
        "A page is healthy where it says what it must, and its commit is the declared one.",
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
        "The service wants a token of its own",
        "`service-headers` goes to the service, and Watchtower's own token still reaches Watchtower.",
    )
    .plays(
        Scene(finish=_behind_a_token),
        {
            **DECLARED,
            **_BRISK,
            "service-headers": "Authorization: Bearer {header-secret}",
            "smoke": "GET /api/projects",
        },
    )
    .is_checked("deployed", unremarked=True),
    story(
        "service-token-missing",
        "The health check is refused for want of a token",
        "The message names the input that carries one.",
    )
    .plays(Scene(finish=_behind_a_token), DECLARED)
    .ends("unhealthy", "never-ready", says=("service-headers",)),
    story("smoke-wrong-status", "A smoke request gets another status", "It is tried once more, and then it counts.")
    .plays(Scene(), {**DECLARED, **_BRISK, "smoke": "GET /api/private\nGET /api/items/seven\nGET /api/projects"})
    .is_checked(
        "checks-failed",
        "smoke",
        failed=("smoke GET /api/private", "smoke GET /api/items/seven"),
        says=("401", "422"),
        asked={"GET /api/private": 2, "GET /api/items/seven": 2, "GET /api/projects": 1},
    ),
    story(
        "smoke-broken-schema", "An answer is not what the document says", "Status 200, and a number that became a text."
    )
    .plays(
        Scene(pushed=replace(V2, unkept=("/api/items/{item_id}", "/api/projects"))),
        {**DECLARED, **_BRISK, "smoke": "GET /api/items/7\nGET /api/projects"},
    )
    .is_checked(
        "checks-failed",
        "smoke",
        failed=("smoke GET /api/items/7", "smoke GET /api/projects"),
        says=("`$.id` is a string, not integer", "`$` is an object, not array"),
    ),
    story("smoke-flaky", "A smoke request fails once", "The second try counts.")
    .plays(
        Scene(finish=_standing_at("/api/projects", lambda: AtFirst(1, Instead(_ERROR)))),
        {**DECLARED, **_BRISK, "smoke": "GET /api/projects\nGET /api/search"},
    )
    .is_checked("deployed", unremarked=True, asked={"GET /api/projects": 2, "GET /api/search": 1}),
    story(
        "smoke-fails", "A smoke request fails twice", "The new build is live, stable and answers 500 where it matters."
    )
    .plays(
        Scene(finish=_standing_at("/api/projects", lambda: Instead(_ERROR))),
        {**DECLARED, **_BRISK, "smoke": "GET /api/projects\nGET /api/search"},
    )
    .is_checked(
        "checks-failed", "smoke", failed=("smoke GET /api/projects",), says=("500",), asked={"GET /api/projects": 2}
    ),
    story("smoke-unsafe-fails", "An unsafe smoke request fails", "It is not sent a second time.")
    .plays(
        Scene(finish=_standing_at("/api/cache/purge", lambda: Instead(_ERROR))),
        {**DECLARED, **_BRISK, "smoke": "!POST /api/cache/purge 202"},
    )
    .is_checked(
        "checks-failed", "smoke", failed=("smoke POST /api/cache/purge 202",), asked={"POST /api/cache/purge": 1}
    ),
    story(
        "smoke-throttled",
        "Smoke requests are throttled at first",
        "nginx's stock 503 and a 429 are no tries; a Retry-After is honoured.",
    )
    .plays(
        Scene(finish=_throttled),
        {**DECLARED, **_BRISK, "smoke": "GET /api/search\nGET /api/projects", "timeout": "15s"},
    )
    .is_checked("deployed", unremarked=True, asked={"GET /api/search": 2, "GET /api/projects": 2}),
    story("smoke-cached", "A smoke request is answered from a cache", "A query of its own gets past the cache.")
    .plays(
        Scene(finish=_standing_at("/api/items/7", lambda: AtFirst(1, Instead(_STALE_COPY)))),
        {**DECLARED, **_BRISK, "smoke": "GET /api/items/7"},
    )
    .is_checked("deployed", unremarked=True, asked={"GET /api/items/7": 2}),
    story(
        "smoke-always-cached",
        "A smoke request never gets past a cache",
        "What an old build may have answered is no pass.",
    )
    .plays(
        Scene(finish=_standing_at("/api/items/7", lambda: Instead(_STALE_COPY))),
        {**DECLARED, **_BRISK, "smoke": "GET /api/items/7"},
    )
    .is_checked("checks-failed", "smoke", failed=("smoke GET /api/items/7",)),
    story(
        "smoke-many",
        "More smoke requests than the bucket holds",
        "A bucket of 15 and two requests a second after that are never overdrawn.",
    )
    .plays(Scene(), DECLARED, request_rate="2/s", smoke="\n".join(f"GET /api/items/{number}" for number in range(16)))
    .is_checked("deployed", unremarked=True, asked={f"GET /api/items/{number}": 1 for number in range(16)}),
)


def _older(document: Document, title: str) -> tuple[Scenario, ...]:
    """A document of an earlier version, whose paths begin behind its prefix; once kept, once not."""
    before = replace(V1, document=document)
    inputs = {
        **_BRISK,
        "required-routes": "GET /api/items/{item_id}\nGET /ready",
        "smoke": "GET /api/items/7\nGET /api/projects",
    }
    return (
        story(
            f"openapi-{document}",
            f"A document of {title}",
            "Routes are found with and without its prefix, and answers fit its schemas.",
        )
        .plays(Scene(before=before, pushed=replace(V2, document=document)), {**DECLARED, **inputs})
        .is_checked("deployed", unremarked=True),
        story(
            f"openapi-{document}-broken",
            f"Answers that depart from a document of {title}",
            "Its schemas are found through the prefix.",
        )
        .plays(
            Scene(before=before, pushed=replace(V2, document=document, unkept=("/api/items/{item_id}",))),
            {**DECLARED, **inputs},
        )
        .is_checked("checks-failed", "smoke", failed=("smoke GET /api/items/7",)),
    )


SCENARIOS = (
    *_DOCUMENTS,
    *_older("2.0", "OpenAPI 2.0"),
    *_older("3.0", "OpenAPI 3.0"),
    *_ROUTES,
    *_CHANGES,
    *_SMOKE,
    story(
        "checks-of-all-kinds",
        "Routes, changes and smoke fail at once",
        "The first kind is the reason, and all are told.",
    )
    .plays(
        Scene(pushed=replace(_WITHOUT_PROJECTS, operations=("GET /internal/debug",))),
        {
            **DECLARED,
            **_BRISK,
            "breaking-changes": "fail",
            "required-routes": "GET /api/projects\nGET /api/ready",
            "forbidden-routes": "/internal/*",
            "smoke": "GET /api/projects\nGET /api/ready",
        },
    )
    .is_checked(
        "checks-failed",
        "routes",
        failed=(
            "required-route GET /api/projects",
            "forbidden-route /internal/*",
            "removed-route GET /api/projects",
            "smoke GET /api/projects",
        ),
    ),
    story("verify-checks", "Verify: routes and smoke hold", "The same checks without a trigger.")
    .plays(
        Scene(before=_STATIC),
        VERIFY,
        required_routes="GET /api/search",
        smoke="GET /api/items/7",
        expect_version=V2.git_sha,
    )
    .ends("verified", proof="version", result="none", triggers=0, unremarked=True),
    story(
        "verify-checks-failed",
        "Verify: the right build answers wrongly",
        "What runs is as declared, and does not do what it should.",
    )
    .plays(
        Scene(before=replace(_STATIC, lost=("GET /api/projects",))),
        VERIFY,
        required_routes="GET /api/projects",
        smoke="GET /api/projects",
        expect_version=V2.git_sha,
    )
    .ends(
        "checks-failed",
        "routes",
        proof="version",
        result="none",
        triggers=0,
        failed=("required-route GET /api/projects", "smoke GET /api/projects"),
    ),
    story(
        "verify-reference",
        "Verify: compared with a file of the workspace",
        "Without a trigger, only a file can be compared with.",
    )
    .plays(
        Scene(before=replace(_STATIC, lost=("GET /api/projects",))),
        VERIFY,
        openapi_reference="openapi.yaml",
        breaking_changes="fail",
    )
    .ends(
        "checks-failed",
        "breaking-change",
        result="none",
        triggers=0,
        failed=("removed-route GET /api/projects", "removed-route POST /api/projects"),
        files={"openapi.yaml": _REFERENCE_YAML},
        places=(("openapi.yaml", 9), ("openapi.yaml", 11)),
    ),
    story(
        "hostile-contract",
        "The new document attacks the log",
        "Paths and version stay text, and so does an answer that departs from its schema.",
    )
    .plays(
        Scene(
            pushed=replace(V2, document="hostile"),
            finish=_standing_at("/api/items/7", lambda: Instead(hostile_item())),
        ),
        DECLARED,
        forbidden_routes="/**",
        smoke="GET /api/items/7 404",
    )
    .is_checked("checks-failed", "routes", failed=("forbidden-route /**", "smoke GET /api/items/7 404")),
    story(
        "hostile-contract-before",
        "The old document attacks the log",
        "What is gone becomes the name of a check, an annotation and an output.",
    )
    .plays(
        Scene(
            before=replace(V1, document="hostile"),
            finish=_standing_at("/api/items/7", lambda: Instead(hostile_item())),
        ),
        {**DECLARED, **_BRISK, "breaking-changes": "fail", "smoke": "GET /api/items/7"},
    )
    .is_checked("checks-failed", "breaking-change", failed=None),
    story(
        "echoed-contract",
        "The OpenAPI document shows the secrets",
        "As version and paths, in many forms; none reaches log, summary, outputs or annotations.",
    )
    .plays(Scene(finish=_echoed_document), DECLARED, headers=_HEADERS, forbidden_routes="/**", required_routes="/api/x")
    .is_checked("checks-failed", "routes", failed=("required-route /api/x", "forbidden-route /**")),
    story(
        "echoed-answer",
        "A smoke request's answer shows the secrets",
        "What departs from the schema is told without them.",
    )
    .plays(Scene(finish=_echoed_answer), {**DECLARED, **_BRISK, "headers": _HEADERS, "smoke": "GET /api/items/7"})
    .is_checked("checks-failed", "smoke", failed=("smoke GET /api/items/7",)),
    story(
        "echoed-answer-cut",
        "A smoke request's answer shows a secret that is cut off",
        "The beginning of a secret is one, too.",
    )
    .plays(Scene(finish=_echoed_late), {**DECLARED, **_BRISK, "smoke": "GET /api/items/7"})
    .is_checked("checks-failed", "smoke", failed=("smoke GET /api/items/7",)),
    story(
        "downtime",
        "The service is gone for longer than it may be",
        "The unhealthy responses alone span more than `max-downtime` allows.",
    )
    .plays(Scene(pushed=replace(V2, boot=3.0)), DECLARED, timeout="10s", request_rate="5/s", max_downtime="1s")
    .ends(
        "checks-failed",
        "downtime",
        proof="version",
        result="updated",
        failed=("max-downtime",),
        says=("`max-downtime` allows 1 s",),
    ),
)
