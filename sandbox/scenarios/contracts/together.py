"""Scenarios in which several checks decide together, in any mode, and in which the contract attacks the run."""

from dataclasses import replace

from sandbox.network.attacks import echo, echoed_document, echoed_item, hostile_item
from sandbox.network.faults import AtFirst, Instead, On
from sandbox.network.front import passing
from sandbox.scenarios.contracts.shared import BRISK, REFERENCE_YAML, WITHOUT_PROJECTS, standing_at
from sandbox.scenarios.scenario import DECLARED, VERIFY, story
from sandbox.server.builds import V1, V2
from sandbox.worlds import Scene, World

_STATIC = replace(V2, boot=0.0)
_HEADERS = "CF-Access-Client-Secret: {header-secret}"


def _echoed_document(world: World) -> None:
    world.front.on_service = On(
        frozenset({"/openapi.json"}),
        AtFirst(1, passing, then=Instead(echoed_document(world.token, world.header_secret))),
    )


def _echoed_answer(world: World) -> None:
    world.front.on_service = On(frozenset({"/api/items/7"}), Instead(echo(200, world.token, world.header_secret)))


def _echoed_late(world: World) -> None:
    world.front.on_service = On(frozenset({"/api/items/7"}), Instead(echoed_item(world.token)))


SCENARIOS = (
    story(
        "checks-of-all-kinds",
        "Routes, changes and smoke requests fail in one run",
        "The first kind is the reason, and all failures are reported.",
    )
    .plays(
        Scene(pushed=replace(WITHOUT_PROJECTS, operations=("GET /internal/debug",))),
        {
            **DECLARED,
            **BRISK,
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
    story("verify-checks", "Verify: routes and smoke requests pass", "The same checks run without a trigger.")
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
        "Verify: the expected build fails its checks",
        "The declared build runs, but a route is missing.",
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
        "Verify: compared with a file in the workspace",
        "Without a trigger, only a file can serve as the reference.",
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
        files={"openapi.yaml": REFERENCE_YAML},
        places=(("openapi.yaml", 9), ("openapi.yaml", 11)),
    ),
    story(
        "hostile-contract",
        "The new document tries to inject workflow commands",
        "Paths, the version and a response that does not match its schema stay plain text.",
    )
    .plays(
        Scene(
            pushed=replace(V2, document="hostile"),
            finish=standing_at("/api/items/7", lambda: Instead(hostile_item())),
        ),
        DECLARED,
        forbidden_routes="/**",
        smoke="GET /api/items/7 404",
    )
    .is_checked("checks-failed", "routes", failed=("forbidden-route /**", "smoke GET /api/items/7 404")),
    story(
        "hostile-contract-before",
        "The old document tries to inject workflow commands",
        "A removed operation becomes the name of a check, an annotation and an output.",
    )
    .plays(
        Scene(
            before=replace(V1, document="hostile"),
            finish=standing_at("/api/items/7", lambda: Instead(hostile_item())),
        ),
        {**DECLARED, **BRISK, "breaking-changes": "fail", "smoke": "GET /api/items/7"},
    )
    .is_checked("checks-failed", "breaking-change", failed=None),
    story(
        "echoed-contract",
        "The OpenAPI document contains the secrets",
        "They appear in the version and paths, in many encodings; none reaches the log, summary, outputs or annotations.",
    )
    .plays(Scene(finish=_echoed_document), DECLARED, headers=_HEADERS, forbidden_routes="/**", required_routes="/api/x")
    .is_checked("checks-failed", "routes", failed=("required-route /api/x", "forbidden-route /**")),
    story(
        "echoed-answer",
        "A smoke response contains the secrets",
        "The mismatch with the schema is reported without them.",
    )
    .plays(Scene(finish=_echoed_answer), {**DECLARED, **BRISK, "headers": _HEADERS, "smoke": "GET /api/items/7"})
    .is_checked("checks-failed", "smoke", failed=("smoke GET /api/items/7",)),
    story(
        "echoed-answer-cut",
        "A smoke response contains part of a secret",
        "The beginning of a secret is redacted too.",
    )
    .plays(Scene(finish=_echoed_late), {**DECLARED, **BRISK, "smoke": "GET /api/items/7"})
    .is_checked("checks-failed", "smoke", failed=("smoke GET /api/items/7",)),
    story(
        "downtime",
        "The service is down for longer than allowed",
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
