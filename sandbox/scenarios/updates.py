"""Stories about Watchtower's own work: what it finds, skips, fails at, and says of it."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from sandbox.network.front import Exchange, passing
from sandbox.scenarios.scenario import DECLARED, NAMED, QUICK, story
from sandbox.server.builds import V1, V2, V3, Build
from sandbox.watchtower.fork import NicholasFedor
from sandbox.worlds import Scene, World

_FAILED_START = replace(V2, starts=False)
_FIRST, _LAST = sorted((replace(V1, identity="hidden", attested=each) for each in "ab"), key=lambda build: build.digest)
"""One image with two attestations, by the alphabet of their digests."""


def _busy(world: World) -> None:
    world.watchtower.occupy(4.5)  # longer than the action takes to start, however slow the machine


def _busy_for_good(world: World) -> None:
    world.watchtower.occupy(3600)


def _engine_gone(world: World) -> None:
    world.host.engine_reachable = False


def _neighbour(world: World) -> None:
    broken = "registry.test/o/worker:latest"
    world.host.add("worker", broken, V1)
    world.host.push(Build("v2", starts=False), broken)


def _used_up(world: World) -> None:
    """Others use up Watchtower's rate limit at the moment of the first trigger."""
    tower = cast("NicholasFedor[Build]", world.watchtower)
    others = iter(range(tower.settings.rate_limit + 1))

    def fault(exchange: Exchange) -> bool:
        for _ in others:
            tower.limiter.count("", time.monotonic())
        return passing(exchange)

    world.front.on_watchtower = fault


def _linked(world: World) -> None:
    world.host.add("worker", "registry.test/o/worker:latest", V1).links = ("api",)


def _plain_registry(world: World) -> None:
    world.host.registry.https_trouble = "http: server gave HTTP response to HTTPS client"


def _built_on_the_host(world: World) -> None:
    world.host.store.tags[world.host.service.image] = V3


def _registry(status: int) -> Callable[[World], None]:
    def finish(world: World) -> None:
        world.host.registry.trouble = status

    return finish


def _registry_down(world: World) -> None:
    world.host.registry.trouble = 500


SCENARIOS = (
    story(
        "engine-unreachable",
        "The fork cannot reach its engine",
        "A summary of zeros scanned nothing, and is no success.",
    )
    .plays(Scene(flags={"engine_patience": 0.5}, finish=_engine_gone), DECLARED, timeout="12s")
    .ends("trigger-failed", "nothing-scanned", result="unknown"),
    story(
        "engine-unreachable-containrrr",
        "containrrr cannot reach its engine",
        "The connection closes without a byte, and nothing happens until the deadline.",
    )
    .plays(Scene(variant="containrrr", finish=_engine_gone), NAMED, timeout="4s")
    .ends("trigger-failed", "no-answer", result="unknown"),
    story(
        "engine-unreachable-openserbia",
        "openserbia cannot reach its engine",
        "A completed scan of nothing is no success.",
    )
    .plays(Scene(variant="openserbia", flags={"engine_patience": 0.5}, finish=_engine_gone), NAMED, timeout="12s")
    .ends("trigger-failed", "nothing-scanned", result="unknown"),
    story(
        "nothing-scanned",
        "The image is spelled otherwise on the server",
        "An update narrowed to what does not run matches nothing.",
    )
    .plays(Scene(), DECLARED, image="localhost/o/other", timeout="12s")
    .ends("trigger-failed", "nothing-scanned", result="unknown"),
    story(
        "registry-trouble",
        "The registry answers 429",
        "What Watchtower skipped is blocked, and its check endpoint says why.",
    )
    .plays(Scene(details=True, finish=_registry(429)), DECLARED, timeout="12s")
    .ends("trigger-failed", "update-blocked", result="blocked", says=("429",)),
    story(
        "cooldown",
        "The new image is too young for Watchtower",
        "A cooldown skips exactly the image that was just pushed.",
    )
    .plays(Scene(flags={"cooldown": True}), NAMED, timeout="12s")
    .ends("trigger-failed", "update-blocked", result="blocked"),
    story("start-failed", "The new image does not start", "Watchtower says that it failed, and the old build is gone.")
    .plays(Scene(pushed=_FAILED_START), DECLARED, timeout="12s")
    .ends("trigger-failed", "update-failed", result="failed"),
    story(
        "partial",
        "A neighbour's new image does not start",
        "What failed elsewhere is told, and the declared build is live all the same.",
    )
    .plays(Scene(finish=_neighbour), DECLARED)
    .ends("deployed", proof="version", result="partial"),
    story(
        "partial-undeclared",
        "One of two updates failed, nothing declared",
        "A failure is believed where nothing declared says otherwise.",
    )
    .plays(Scene(finish=_neighbour), NAMED, timeout="12s")
    .ends("trigger-failed", "update-failed", result="partial"),
    story(
        "health-gated-rollback",
        "Watchtower puts the old image back",
        "A new build that answers well for seconds is not proven while Watchtower still judges it.",
    )
    .plays(
        Scene(
            variant="openserbia",
            pushed=replace(V2, passes_health_check=False),
            flags={"health_gated": True, "gate_timeout": 3.0},
        ),
        DECLARED,
        timeout="20s",
    )
    .ends("trigger-failed", "update-failed", result="failed"),
    story(
        "container-unsupported",
        "containrrr does not know container=",
        "It would update everything, so nothing is triggered.",
    )
    .plays(Scene(variant="containrrr"), DECLARED, container="api")
    .ends("not-started", "unsupported", result="none", triggers=0),
    story(
        "container-narrowed",
        "One container by its name",
        "A Watchtower that understands container= is asked for that one only.",
    )
    .plays(Scene(finish=_neighbour), DECLARED, container="api")
    .ends("deployed", proof="version", result="updated"),
    story(
        "image-narrowed",
        "One image by its reference",
        "The tag is not sent on, for two lines of three would match nothing.",
    )
    .plays(Scene(variant="containrrr", finish=_neighbour, image="localhost/o/api:latest"), DECLARED, image="{image}")
    .ends("deployed", proof="version", result="accepted"),
    story(
        "busy-and-current",
        "What was asked for runs already, and Watchtower is busy",
        "Where nothing is to be gained, a busy Watchtower is answer enough.",
    )
    .plays(Scene(before=replace(V2, boot=0.0), finish=_busy_for_good), DECLARED)
    .ends("already-current", proof="version", result="busy"),
    story("busy-then-done", "Somebody else's update runs first", "A busy Watchtower is waited for and asked again.")
    .plays(Scene(variant="openserbia", finish=_busy), DECLARED, timeout="15s")
    .ends("deployed", proof="version", result="updated", triggers=2),
    story("busy-for-good", "Another update never ends", "A Retry-After beyond the deadline fails now.")
    .plays(Scene(finish=_busy_for_good), DECLARED)
    .ends("trigger-failed", "busy", result="busy"),
    story("rate-limited", "Watchtower's rate limit is used up", "Its 429 is told from the one that says busy.")
    .plays(Scene(flags={"rate_limit": 0}), DECLARED)
    .ends("trigger-failed", "rate-limited", result="none"),
    story(
        "rate-limited-again",
        "Watchtower's rate limit refuses again after the time that it named",
        "Its window slides: what others asked before still counts. Only the third trigger runs.",
    )
    .plays(Scene(flags={"rate_limit": 3, "rate_window": 2}, finish=_used_up), DECLARED, timeout="20s")
    .ends("deployed", proof="version", result="updated", triggers=3),
    story(
        "linked-container",
        "A container that depends on the service is restarted with it",
        "What was restarted is counted beside what was updated.",
    )
    .plays(Scene(finish=_linked), DECLARED)
    .ends("deployed", proof="version", result="updated", shown=("restarted 1",)),
    story(
        "engine-pulls",
        "Watchtower's own look at the registry fails, and the engine's pull does not",
        "The update works all the same.",
    )
    .plays(Scene(details=True, finish=_plain_registry), DECLARED, expect_digest=V2.digest)
    .ends("deployed", proof="digest", result="updated"),
    story(
        "local-tag-decides",
        "An image that somebody built on the host goes live",
        "The registry's digest runs already, so nothing is pulled, and what the host's own tag points to takes its place.",
    )
    .plays(Scene(pushed=None, finish=_built_on_the_host), NAMED, expect_version=V1.git_sha)
    .ends("wrong-build", "wrong-version", result="updated"),
    story(
        "update-timeout",
        "The update takes longer than Watchtower allows",
        "The old container was stopped and nothing was started: a 408 that leaves the service down.",
    )
    .plays(Scene(before=replace(V1, ignores_term=1.5), flags={"update_timeout": 1.0}), DECLARED, timeout="5s")
    .ends("unhealthy", "down", result="unknown"),
    story(
        "monitor-only-openserbia",
        "openserbia only looks, and says updated",
        "A claim counts for nothing where the service shows the old build.",
    )
    .plays(Scene(variant="openserbia", flags={"monitor_only": True}), DECLARED, timeout="4s")
    .ends("stale", "old-build", result="updated"),
    story(
        "nothing-new", "The registry has nothing new", "What was declared was never pushed, and the old build answers."
    )
    .plays(Scene(pushed=None), DECLARED, timeout="12s")
    .ends("stale", "old-build", result="nothing"),
    story(
        "pushed-anew",
        "The same image is pushed again with another attestation",
        "Watchtower tells another digest of what runs, and nothing was replaced: that is no change.",
    )
    .plays(Scene(details=True, before=_LAST, pushed=_FIRST), QUICK)
    .ends("unproven", "nothing-to-do", proof="none", result="nothing"),
    story(
        "old-build",
        "Watchtower answers 200, and nothing happens",
        "The old build goes on answering, and the run is red: what everybody else calls green.",
    )
    .plays(Scene(variant="containrrr", finish=_registry_down), DECLARED, timeout="4s")
    .ends("stale", "old-build", result="accepted"),
    story(
        "old-build-without-answer",
        "Watchtower's answer is lost, and nothing happens",
        "With a version declared, the service alone decides.",
    )
    .plays(Scene(watchtower_listens=False), DECLARED, timeout="4s")
    .ends("stale", "old-build", result="unknown"),
)
