"""Scenarios about Watchtower's own work: what it finds, what it skips, how it fails, and what it reports."""

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
"""One image with two attestations; the letter is that of their digests."""


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
    """Let others use up Watchtower's rate limit at the moment of the first trigger."""
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
        "A summary of zeros means that nothing was scanned, which is not a success.",
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
        "A completed scan of nothing is not a success.",
    )
    .plays(Scene(variant="openserbia", flags={"engine_patience": 0.5}, finish=_engine_gone), NAMED, timeout="12s")
    .ends("trigger-failed", "nothing-scanned", result="unknown"),
    story(
        "nothing-scanned",
        "The image has another name on the server",
        "An update of an image that is not running matches nothing.",
    )
    .plays(Scene(), DECLARED, image="localhost/o/other", timeout="12s")
    .ends("trigger-failed", "nothing-scanned", result="unknown"),
    story(
        "registry-trouble",
        "The registry responds 429",
        "Watchtower skipped the container, and its check endpoint says why.",
    )
    .plays(Scene(details=True, finish=_registry(429)), DECLARED, timeout="12s")
    .ends("trigger-failed", "update-blocked", result="blocked", says=("429",)),
    story(
        "cooldown",
        "The new image is too young for Watchtower",
        "A cooldown skips the image that was just pushed.",
    )
    .plays(Scene(flags={"cooldown": True}), NAMED, timeout="12s")
    .ends("trigger-failed", "update-blocked", result="blocked"),
    story("start-failed", "The new image does not start", "Watchtower reports the failure, and the old build is gone.")
    .plays(Scene(pushed=_FAILED_START), DECLARED, timeout="12s")
    .ends("trigger-failed", "update-failed", result="failed"),
    story(
        "partial",
        "A neighbour's new image does not start",
        "The failure of the neighbour is reported, and the declared build is live.",
    )
    .plays(Scene(finish=_neighbour), DECLARED)
    .ends("deployed", proof="version", result="partial"),
    story(
        "partial-undeclared",
        "One of two updates failed, and nothing is declared",
        "With nothing declared, a reported failure fails the run.",
    )
    .plays(Scene(finish=_neighbour), NAMED, timeout="12s")
    .ends("trigger-failed", "update-failed", result="partial"),
    story(
        "health-gated-rollback",
        "Watchtower puts the old image back",
        "A new build that is healthy for seconds is not proven while Watchtower may still roll it back.",
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
        "containrrr does not support container=",
        "It would update every container, so nothing is triggered.",
    )
    .plays(Scene(variant="containrrr"), DECLARED, container="api")
    .ends("not-started", "unsupported", result="none", triggers=0),
    story(
        "container-narrowed",
        "One container by its name",
        "A Watchtower that supports container= is asked to update only that one.",
    )
    .plays(Scene(finish=_neighbour), DECLARED, container="api")
    .ends("deployed", proof="version", result="updated"),
    story(
        "image-narrowed",
        "One image by its reference",
        "The tag is not sent, because two of the three variants would match nothing.",
    )
    .plays(Scene(variant="containrrr", finish=_neighbour, image="localhost/o/api:latest"), DECLARED, image="{image}")
    .ends("deployed", proof="version", result="accepted"),
    story(
        "busy-and-current",
        "The declared build is already live, and Watchtower is busy",
        "No retry is needed, because an update would change nothing.",
    )
    .plays(Scene(before=replace(V2, boot=0.0), finish=_busy_for_good), DECLARED)
    .ends("already-current", proof="version", result="busy"),
    story("busy-then-done", "Another update is running", "The run waits for a busy Watchtower, and retries.")
    .plays(Scene(variant="openserbia", finish=_busy), DECLARED, timeout="15s")
    .ends("deployed", proof="version", result="updated", triggers=2),
    story(
        "busy-for-good",
        "Another update never ends",
        "The run fails at once, because Retry-After is beyond the deadline.",
    )
    .plays(Scene(finish=_busy_for_good), DECLARED)
    .ends("trigger-failed", "busy", result="busy"),
    story(
        "rate-limited", "Watchtower's rate limit is used up", "Its 429 is distinguished from the one that means busy."
    )
    .plays(Scene(flags={"rate_limit": 0}), DECLARED)
    .ends("trigger-failed", "rate-limited", result="none"),
    story(
        "rate-limited-again",
        "Watchtower's rate limit rejects the retry that it asked for",
        "Its window slides, so earlier requests of others still count. Only the third trigger runs.",
    )
    .plays(Scene(flags={"rate_limit": 3, "rate_window": 2}, finish=_used_up), DECLARED, timeout="20s")
    .ends("deployed", proof="version", result="updated", triggers=3),
    story(
        "linked-container",
        "A container that depends on the service is restarted with it",
        "Restarted containers are counted beside updated ones.",
    )
    .plays(Scene(finish=_linked), DECLARED)
    .ends("deployed", proof="version", result="updated", shown=("restarted 1",)),
    story(
        "engine-pulls",
        "Watchtower cannot read the registry, but the engine can pull",
        "The update still works.",
    )
    .plays(Scene(details=True, finish=_plain_registry), DECLARED, expect_digest=V2.digest)
    .ends("deployed", proof="digest", result="updated"),
    story(
        "local-tag-decides",
        "An image that was built on the host goes live",
        "The registry's digest is already running, so nothing is pulled; the image under the host's own tag replaces it.",
    )
    .plays(Scene(pushed=None, finish=_built_on_the_host), NAMED, expect_version=V1.git_sha)
    .ends("wrong-build", "wrong-version", result="updated"),
    story(
        "update-timeout",
        "The update takes longer than Watchtower allows",
        "Watchtower stopped the old container, started no new one and responds 408, so the service is down.",
    )
    .plays(Scene(before=replace(V1, ignores_term=1.5), flags={"update_timeout": 1.0}), DECLARED, timeout="5s")
    .ends("unhealthy", "down", result="unknown"),
    story(
        "monitor-only-openserbia",
        "openserbia only monitors, but reports an update",
        "The claim does not count, because the service still shows the old build.",
    )
    .plays(Scene(variant="openserbia", flags={"monitor_only": True}), DECLARED, timeout="4s")
    .ends("stale", "old-build", result="updated"),
    story(
        "nothing-new",
        "The registry has nothing new",
        "The declared build was never pushed, and the old build responds.",
    )
    .plays(Scene(pushed=None), DECLARED, timeout="12s")
    .ends("stale", "old-build", result="nothing"),
    story(
        "pushed-again",
        "The same image is pushed again with another attestation",
        "Watchtower reports another digest for the same running image: that is not a change.",
    )
    .plays(Scene(details=True, before=_LAST, pushed=_FIRST), QUICK)
    .ends("unproven", "nothing-to-do", proof="none", result="nothing"),
    story(
        "old-build",
        "Watchtower responds 200, and nothing happens",
        "The old build keeps responding, and the run fails where a plain trigger would succeed.",
    )
    .plays(Scene(variant="containrrr", finish=_registry_down), DECLARED, timeout="4s")
    .ends("stale", "old-build", result="accepted"),
    story(
        "old-build-without-answer",
        "Watchtower's response is lost, and nothing happens",
        "With a declared version, the service alone decides.",
    )
    .plays(Scene(watchtower_listens=False), DECLARED, timeout="4s")
    .ends("stale", "old-build", result="unknown"),
)
