"""Scenarios in which doctor examines the service, GitHub and the inputs."""

from dataclasses import replace

from sandbox.network.attacks import echo, echoed_document, hostile_document, hostile_page
from sandbox.network.faults import (
    Cache,
    Instead,
    On,
)
from sandbox.network.github import NO_PERMISSION, Mishap
from sandbox.scenarios.scenario import DOCTOR, story
from sandbox.server.builds import V1, V2
from sandbox.worlds import Scene, World

_STATUS = frozenset({"/api/dev/status"})
_IMAGE = "{registry}/o/api:latest"
_HIDDEN = replace(V1, identity="hidden")


def _crashed(world: World) -> None:
    world.host.service.stop(0.0)


def _cached(world: World) -> None:
    world.front.on_service = Cache(honours_query=True)


def _echoing(world: World) -> None:
    world.front.on_watchtower = Instead(echo(401, world.token, world.header_secret, world.update_url))
    world.front.on_service = Instead(echoed_document(world.token, world.header_secret))


SCENARIOS = (
    story("doctor-unhealthy", "The backend is not healthy", "All links before it are fine.")
    .plays(Scene(details=True, image=_IMAGE, before=replace(V1, readiness="never")), DOCTOR)
    .is_broken({"health": "never-ready"}),
    story("doctor-down", "The backend is not running", "nginx says so; the version and the document are not checked.")
    .plays(Scene(details=True, image=_IMAGE, finish=_crashed), DOCTOR)
    .is_broken({"health": "down"}),
    story("doctor-html", "Doctor gets a web page from the health check", "A placeholder page is not the backend.")
    .plays(Scene(details=True, image=_IMAGE, before=replace(V1, readiness="html")), DOCTOR)
    .is_broken({"health": "html"}),
    story("doctor-cached", "A cache is in front of the service", "Doctor gets past it with a unique query.")
    .plays(Scene(details=True, image=_IMAGE, finish=_cached), DOCTOR)
    .is_ready(),
    story(
        "doctor-no-version",
        "Nothing in the service names its build",
        "Doctor names the alternatives, and shows how to make the service name its commit.",
    )
    .plays(Scene(details=True, image=_IMAGE, before=_HIDDEN), DOCTOR)
    .is_ready({"version": "version-unnamed"}, says=("GIT_SHA", "expect-digest")),
    story(
        "doctor-noisy-version",
        "What looks like a version changes with every response",
        "A value that differs between two responses does not name a build; the constant one is the same in every image.",
    )
    .plays(Scene(details=True, image=_IMAGE, before=replace(V1, identity="noise")), DOCTOR)
    .is_ready({"version": "version-constant"}),
    story(
        "doctor-version-unavailable",
        "A version is declared, but the service names none",
        "A deploy could never be proven.",
    )
    .plays(Scene(details=True, image=_IMAGE, before=_HIDDEN), DOCTOR, expect_version=V2.git_sha)
    .is_broken({"version": "version-unavailable"}),
    story("doctor-missing-route", "A required route does not exist yet", "The next build may have it.")
    .plays(
        Scene(details=True, image=_IMAGE),
        DOCTOR,
        required_routes="GET /api/ready\nGET /api/search",
        forbidden_routes="/api/private",
    )
    .is_ready({"openapi": "routes"}, says=("missing: `GET /api/search`", "has forbidden routes: `/api/private`")),
    story("doctor-no-document", "Routes are required, but there is no document", "A deploy would fail its checks.")
    .plays(
        Scene(details=True, image=_IMAGE, before=replace(V1, document="html")),
        DOCTOR,
        required_routes="GET /api/ready",
    )
    .is_broken({"openapi": "openapi"}),
    story(
        "doctor-github-refuses",
        "The token may not see Deployments",
        "Doctor shows the block to paste; a deploy would keep its verdict.",
    )
    .plays(
        Scene(details=True, image=_IMAGE, github={"list": [Mishap(NO_PERMISSION)]}),
        DOCTOR,
        deployment_environment="production",
    )
    .is_ready(
        {"github": "deployments-refused"},
        says=("permissions:\n  deployments: write", "Resource not accessible by integration"),
    ),
    story("doctor-hostile", "The responses try to inject workflow commands", "Their text is not shown.")
    .plays(Scene(on_watchtower=Instead(hostile_page(500)), on_service=On(_STATUS, Instead(hostile_document()))), DOCTOR)
    .is_broken({"location": "misrouted"}),
    story("doctor-echo", "The responses repeat the secrets", "None of them is shown.")
    .plays(Scene(finish=_echoing), DOCTOR, headers="CF-Access-Client-Secret: {header-secret}")
    .is_broken({"location": "forbidden"}),
    story(
        "doctor-invalid-inputs",
        "Doctor gets invalid inputs",
        "No request is sent, and no link is checked.",
    )
    .plays(Scene(), DOCTOR, watchtower_token="", timeout="soon")
    .ends(
        "invalid-config",
        triggers=0,
        silent=True,
        failed=("inputs",),
        found={"inputs": "invalid-inputs"},
        says=("WATCHTOWER_HTTP_API_TOKEN", "duration"),
    ),
)
