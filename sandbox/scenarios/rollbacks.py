"""Scenarios in which a previous image is put back under its tag, and in which it must not be."""

import signal
from collections.abc import Callable
from dataclasses import replace

from sandbox.network.faults import ACCESS_WALL, Instead
from sandbox.network.front import Exchange, passing
from sandbox.scenarios.scenario import DECLARED, NAMED, story
from sandbox.server.builds import V1, V2, V3, Build
from sandbox.server.registry import Ways
from sandbox.worlds import Scene, World

_SICK = replace(V2, readiness="never")
_SCENE = Scene(pushed=_SICK, details=True, image="{registry}/o/api:latest")
_ROLLBACK = {
    **DECLARED,
    "image": "{image}",
    "on-failure": "rollback",
    "timeout": "5s",
    "openapi-path": "off",
    "request-rate": "3/s",
}
_BUTTON = {
    **NAMED,
    "mode": "rollback",
    "image": "{image}",
    "timeout": "8s",
    "openapi-path": "off",
    "request-rate": "3/s",
}


def _pruned(world: World) -> None:
    world.host.registry.pruned.add("v1")


def _tagged(world: World) -> None:
    world.host.push(V1, f"{world.host.service.repository}:sha-{V1.git_sha[:7]}")


def _stable(build: Build) -> Callable[[World], None]:
    """Keep a build under its own tag."""
    return lambda world: world.host.push(build, f"{world.host.service.repository}:stable")


def _pushed_meanwhile(world: World) -> None:
    """Push a third build once the second one is live."""

    def push(exchange: Exchange) -> bool:
        if world.host.service.build.name == "v2":
            world.host.push(V3)
        return passing(exchange)

    world.front.on_service = push


def _restarts_late(world: World) -> None:
    world.host.service.restart_after = 60.0


SCENARIOS = (
    story(
        "rollback",
        "A build that is never ready is rolled back",
        "The previous image is put back under its tag, and proven live as in a deploy.",
    )
    .plays(replace(_SCENE, before=replace(V1, ignores_term=0.8)), _ROLLBACK)
    .ends(
        "rolled-back",
        "never-ready",
        proof="digest",
        result="updated",
        triggers=2,
        outputs={
            "rolled-back": "true",
            "version": V1.git_sha,
            "previous-version": V1.git_sha,
            "digest": V1.digest,
            "previous-digest": V1.digest,
        },
        shown=("Tag put back", "Old build again"),
    ),
    story(
        "rollback-by-version",
        "The previous image is found by its version",
        "Watchtower reports no digest, so the tag with the previous version names the image.",
    )
    .plays(replace(_SCENE, details=False, finish=_tagged), _ROLLBACK)
    .ends(
        "rolled-back",
        "never-ready",
        proof="version",
        result="updated",
        triggers=2,
        outputs={"rolled-back": "true", "version": V1.git_sha},
        shown=(f"sha-{V1.git_sha[:7]}",),
    ),
    story(
        "rollback-of-a-check",
        "A healthy build that lacks a route is rolled back",
        "The failure names the operations; after the rollback they are checked again, and the previous build has them.",
    )
    .plays(
        replace(_SCENE, pushed=replace(V2, lost=("GET /api/status/uptime",))),
        _ROLLBACK,
        openapi_path="",
        required_routes="GET /api/status/uptime",
        timeout="10s",
    )
    .ends(
        "rolled-back",
        "routes",
        proof="digest",
        triggers=2,
        outputs={"rolled-back": "true", "version": V1.git_sha},
        failed=("required-route GET /api/status/uptime",),
    ),
    story(
        "rollback-of-a-check-that-fails-for-good",
        "A route that the previous build lacks, too",
        "The previous build is proven live, but fails the same check: that is not a success.",
    )
    .plays(
        replace(_SCENE, pushed=V2),
        _ROLLBACK,
        openapi_path="",
        required_routes="GET /api/billing",
        timeout="10s",
    )
    .ends(
        "rollback-failed",
        "routes",
        triggers=2,
        outputs={"rolled-back": "false", "version": V1.git_sha},
        failed=("required-route GET /api/billing",),
        says=("the checks that failed the deploy fail on the live build, too", "docker compose up -d"),
    ),
    story(
        "rollback-of-a-crash-loop",
        "A crashing build that Watchtower can still see is rolled back",
        "With restarting containers included, Watchtower finds the one that keeps crashing.",
    )
    .plays(
        replace(_SCENE, pushed=replace(V2, crashes_after=0.3), flags={"include_restarting": True}),
        _ROLLBACK,
        timeout="6s",
    )
    .ends(
        "rolled-back",
        "flapping",
        or_else=(("rolled-back", "down"),),
        triggers=2,
        outputs={"rolled-back": "true", "digest": V1.digest},
    ),
    story(
        "rollback-out-of-reach",
        "A crashing build that Watchtower does not see",
        "A restarting container is not on its list: the tag is put back, and the message has the commands for the rest.",
    )
    .plays(replace(_SCENE, pushed=replace(V2, crashes_after=0.3), finish=_restarts_late), _ROLLBACK, timeout="5s")
    .ends(
        "rollback-failed",
        "flapping",
        or_else=(("rollback-failed", "down"),),
        triggers=2,
        outputs={"rolled-back": "false"},
        says=("does not reach", "WATCHTOWER_INCLUDE_RESTARTING", "docker compose up -d"),
    ),
    story(
        "rollback-of-what-never-started",
        "A container that could not be started",
        "It was only created, so Watchtower does not see it any more.",
    )
    .plays(replace(_SCENE, pushed=replace(V2, starts=False)), _ROLLBACK)
    .ends(
        "rollback-failed",
        "update-failed",
        result="failed",
        triggers=2,
        outputs={"rolled-back": "false"},
        says=("does not reach", "docker compose up -d"),
    ),
    story(
        "rollback-pruned",
        "The previous image is no longer in the registry",
        "That was known before the trigger; the failure stays, and the message says how to go back.",
    )
    .plays(replace(_SCENE, finish=_pruned), _ROLLBACK)
    .ends(
        "rollback-failed",
        "never-ready",
        outputs={"rolled-back": "false", "version": V2.git_sha},
        says=("Nothing was put back", "docker image ls --digests"),
    ),
    story(
        "rollback-would-not-be-possible",
        "A deploy continues although a rollback is not possible",
        "A warning says so, and how to fix it.",
    )
    .plays(replace(_SCENE, pushed=V2, finish=_pruned), _ROLLBACK, timeout="15s")
    .ends("deployed", proof="version", says=("could not have been rolled back", "`rollback-to`")),
    story(
        "rollback-tag-moved",
        "Another push came in between",
        "A tag that has moved since the trigger is left alone.",
    )
    .plays(replace(_SCENE, finish=_pushed_meanwhile), _ROLLBACK)
    .ends("rollback-failed", "never-ready", says=("another push moved the tag", "imagetools")),
    story(
        "rollback-read-only",
        "A read-only registry",
        "The tag stays where it is, and the error says what is missing.",
    )
    .plays(replace(_SCENE, registry=Ways(read_only=True)), _ROLLBACK)
    .ends("rollback-failed", "never-ready", says=("Nothing was put back", "read-only")),
    story(
        "rollback-in-a-private-registry",
        "A registry that asks for tokens",
        "A user with push rights gets a token that can move the tag, and no other server gets the password.",
    )
    .plays(
        replace(_SCENE, registry=Ways(auth="token")),
        _ROLLBACK,
        registry_username="{registry-user}",
        registry_password="{registry-password}",
    )
    .ends("rolled-back", "never-ready", proof="digest", triggers=2, outputs={"rolled-back": "true"}),
    story(
        "rollback-of-no-use",
        "A failure that no image can fix",
        "A login page in front of the service stays there, whichever image is running.",
    )
    .plays(
        replace(_SCENE, two_origins=True, on_service=Instead(ACCESS_WALL)),
        _ROLLBACK,
        base_url="{origin}",
        timeout="15s",
    )
    .ends(
        "unhealthy",
        "access-wall",
        outputs={"rolled-back": "false"},
        says=("No rollback was tried: the responses come from something in front of the service",),
    ),
    story(
        "rollback-to-another-sick-build",
        "The image that was put back is unhealthy, too",
        "That is not a success, and both failures are reported.",
    )
    .plays(replace(_SCENE, finish=_stable(replace(V3, readiness="never"))), _ROLLBACK, rollback_to="stable")
    .ends(
        "rollback-failed",
        "never-ready",
        triggers=2,
        outputs={"rolled-back": "false", "digest": V3.digest},
        says=("not proven live", "docker compose up -d"),
    ),
    story(
        "rollback-cancelled",
        "The run is cancelled during a rollback",
        "It reports that the tag has already been put back.",
    )
    .plays(_SCENE, _ROLLBACK, timeout="4s")
    .ends("cancelled", triggers=2, interrupt=signal.SIGINT, interrupt_after=5.5, says=("during the rollback", "again")),
    story(
        "rollback-deployment",
        "A rollback in the Deployment",
        "The status of the Deployment is a failure, and names the live build.",
    )
    .plays(_SCENE, _ROLLBACK, deployment_environment="production")
    .ends("rolled-back", "never-ready", triggers=2, records=("in_progress", "failure")),
    story("rollback-button", "A rollback to an earlier image on request", "The image is put back, and proven live.")
    .plays(replace(_SCENE, before=V2, pushed=None, finish=_stable(V1)), _BUTTON, rollback_to="stable")
    .ends(
        "deployed",
        proof="digest",
        result="updated",
        outputs={"rolled-back": "true", "version": V1.git_sha, "previous-version": V2.git_sha},
        unremarked=True,
    ),
    story(
        "rollback-button-stays",
        "A push that must not go live",
        "Without `rollback-to`, the running image is put back under its tag.",
    )
    .plays(_SCENE, _BUTTON)
    .ends("already-current", proof="digest", outputs={"rolled-back": "true", "digest": V1.digest}),
    story("rollback-button-there", "The image is already in place", "No tag is written, and the image is proven live.")
    .plays(replace(_SCENE, pushed=None), _BUTTON, rollback_to=V1.digest)
    .ends("already-current", proof="digest", outputs={"rolled-back": "false"}),
    story(
        "rollback-button-impossible",
        "Nothing says which image to put back",
        "The running image is the one under the tag, so nothing is triggered.",
    )
    .plays(replace(_SCENE, pushed=None), _BUTTON)
    .ends("not-started", "rollback-impossible", result="none", triggers=0, says=("`rollback-to`",)),
)
