"""The kinds of worlds: what each changes in an ordinary world, taken from a scenario of the sandbox where possible.

An ordinary world: Watchtower works, the new build boots and stays, nginx passes everything on, and the service names its
commit, which the step declares. A world is a product line of Watchtower and at most one kind of each axis.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sandbox.network.attacks import slow_body, slow_headers
from sandbox.network.faults import On
from sandbox.scenarios import SCENARIOS
from sandbox.scenarios.scenario import NAMED
from sandbox.server.builds import V2, Build, Identity
from sandbox.server.registry import Ways
from sandbox.watchtower.variants import Variant
from sandbox.worlds import UPDATE, Scene, World

Axis = Literal["answer", "rollout", "proxy", "identity", "registry"]
AXES: Mapping[Axis, str] = {
    "answer": "What Watchtower does and says",
    "rollout": "What the builds do",
    "proxy": "What stands in between",
    "identity": "What the service says of itself",
    "registry": "What the registry says",
}
LINES: tuple[Variant, ...] = ("nicholas-fedor", "containrrr", "openserbia")
_FORK: tuple[Variant, ...] = ("nicholas-fedor",)
PUSH_ENDS = 1.5
"""Seconds after which a running push ends."""


@dataclass(frozen=True)
class Kind:
    """One value of an axis."""

    axis: Axis
    name: str
    description: str
    """What happens in such a world, in one sentence."""
    change: Callable[[Scene], Scene]
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Inputs of the step, in addition to those of every step."""
    lines: tuple[Variant, ...] = LINES
    """The product lines of Watchtower to which it applies."""
    declares: bool | None = None
    """Whether the step declares which build must go live; None: as in an ordinary world."""
    deploys: bool = True
    """Whether a request to update can have an effect at all."""


def from_scenario(name: str) -> Callable[[Scene], Scene]:
    """Return a change that adds a scenario's world: its fields, and its final changes after the others."""
    return lambda scene: with_scene(scene, SCENARIOS[name].scene)


def with_scene(scene: Scene, other: Scene) -> Scene:
    """Return a scene with the fields of both; `other` takes precedence, but the product line is kept."""
    plain = Scene()
    own = {
        name: value
        for name, value in vars(other).items()
        if value != getattr(plain, name) and name not in ("variant", "finish", "flags")
    }
    changed: Scene = replace(scene, flags={**scene.flags, **other.flags}, **own)
    touches = [each.finish for each in (scene, other) if each.finish is not plain.finish]
    return replace(changed, finish=_all(touches)) if touches else changed


def _all(touches: list[Callable[[World], object]]) -> Callable[[World], object]:
    def finish(world: World) -> None:
        for touch in touches:
            touch(world)

    return finish


def _answer(name: str, description: str, **more: object) -> Kind:
    return _taken("answer", name, description, more)


def _rollout(name: str, description: str, **more: object) -> Kind:
    return _taken("rollout", name, description, more)


def _proxy(name: str, description: str, **more: object) -> Kind:
    return _taken("proxy", name, description, more)


def _taken(axis: Axis, name: str, description: str, more: Mapping[str, object]) -> Kind:
    """Return the kind of a scenario's world; if the scenario watches the new build for longer, so does the step here."""
    watched = SCENARIOS[name].inputs["stable-for"]
    inputs = {} if watched == NAMED["stable-for"] else {"stable-for": watched}
    # The class itself rejects unknown names.
    return Kind(axis, name, description, from_scenario(name), inputs, **more)  # type: ignore[arg-type]


def _update_only(name: str, description: str) -> Kind:
    """Return the same kind with the fault limited to the update, which takes long, and to no other request."""

    def change(scene: Scene) -> Scene:
        return with_scene(scene, replace(own, on_watchtower=On(frozenset({UPDATE}), own.on_watchtower)))

    own = SCENARIOS[name].scene
    return Kind("proxy", name, description, change)


def _identity(name: str, identity: Identity, description: str, *, declares: bool, digest: bool = False) -> Kind:
    def change(scene: Scene) -> Scene:
        return replace(
            scene,
            before=replace(scene.before, identity=identity),
            pushed=scene.pushed and replace(scene.pushed, identity=identity),
            details=scene.details or digest,
        )

    inputs = {"expect-digest": V2.digest} if digest else {}
    return Kind("identity", name, description, change, inputs, _FORK if digest else LINES, declares)


def _registry(name: str, description: str, ways: Ways) -> Kind:
    """Return a kind for the fork only: the other lines match no image whose registry has a port, as a world's does."""

    def change(scene: Scene) -> Scene:
        return replace(scene, registry=ways, image="{registry}/o/api:latest")

    owner = (
        {"registry-username": "{registry-user}", "registry-password": "{registry-password}"}
        if ways.auth != "none"
        else {}
    )
    inputs = {"image": "{image}", **owner}
    return Kind("registry", name, description, change, inputs, _FORK)


def _pushed_late(scene: Scene) -> Scene:
    """Let the push of the new build end some time after the step begins."""
    late = scene.pushed or V2

    def finish(world: World) -> None:
        timer = threading.Timer(PUSH_ENDS, lambda: world.host.push(late))
        timer.daemon = True
        timer.start()

    return with_scene(replace(scene, pushed=None), Scene(image="{registry}/o/api:latest", details=True, finish=finish))


def _slow_boot(build: Build) -> Build:
    return replace(build, boot=2.0)


KINDS: tuple[Kind, ...] = (
    _answer("old-build", "The registry fails, Watchtower updates nothing, and the old build stays.", deploys=False),
    _answer("engine-unreachable", "Watchtower cannot reach its Docker engine, and updates nothing.", deploys=False),
    _answer("monitor-only-openserbia", "Watchtower is set to look only, and may report an update.", deploys=False),
    _answer("cooldown", "Watchtower waits until the image is older.", deploys=False),
    _answer("nothing-new", "The declared build was never pushed.", deploys=False),
    _answer("busy-for-good", "Another update never ends.", deploys=False),
    _answer("busy-then-done", "Another update runs first, for a few seconds."),
    _answer("rate-limited", "Watchtower's own rate limit is used up.", lines=_FORK, deploys=False),
    _answer("rate-limited-again", "Watchtower's rate limit refuses twice, and then lets the request in.", lines=_FORK),
    _answer("partial", "The update of a neighbour fails, and this service's works."),
    _answer("linked-container", "A container that depends on the service is restarted with it."),
    _answer("engine-pulls", "Watchtower's own look at the registry fails, and the engine's pull works."),
    _answer(
        "update-timeout", "The update takes longer than Watchtower allows, and leaves the service down.", lines=_FORK
    ),
    _answer("health-gated-rollback", "Watchtower puts the old image back after some seconds.", lines=("openserbia",)),
    Kind(
        "answer",
        "wrong-token",
        "The token is wrong.",
        lambda scene: scene,
        {"watchtower-token": "another-token"},
        deploys=False,
    ),
    _rollout("already-current", "The declared build runs already."),
    _rollout("service-down-before", "The service was down before."),
    _rollout("slow-stop", "The old build goes on answering for three seconds after the update has begun."),
    Kind(
        "rollout",
        "slow-boot",
        "The new build takes two seconds to listen.",
        lambda scene: replace(scene, pushed=_slow_boot(scene.pushed or V2)),
    ),
    Kind(
        "rollout",
        "ready-late",
        "The new build reports that it is not ready for a second.",
        lambda scene: replace(scene, pushed=replace(scene.pushed or V2, ready_after=1.0)),
    ),
    _rollout("start-failed", "The new image does not start, and nothing responds.", deploys=False),
    _rollout("never-ready", "The new build is never ready.", deploys=False),
    _rollout("stays-down", "The new build never listens.", deploys=False),
    _rollout(
        "crash-loop", "The new build crashes again and again, after a second and a half each time.", deploys=False
    ),
    _rollout("html-placeholder", "The new build answers every path with 200 and a page.", deploys=False),
    _rollout("wrong-build", "A third build goes live, since someone else pushed.", deploys=False),
    _proxy("cached", "A cache keeps old responses; a query gets past it."),
    _proxy("request-limit", "nginx allows 30 requests a minute, with a burst of 15."),
    _proxy("throttled-at-first", "The first two requests get a 429."),
    _update_only("slow-proxy", "nginx gives up waiting for Watchtower with a 504, and the update goes on."),
    _update_only("connection-cut", "The connection to Watchtower breaks, and the update goes on."),
    _update_only("cloudflare-524", "Cloudflare gives up waiting for Watchtower, and the update goes on."),
    _proxy("missing-location", "The proxy sends the trigger to the service, which answers 404.", deploys=False),
    _proxy("spa-fallback", "The site's own page answers the trigger with 200.", deploys=False),
    _proxy("nginx-not-found", "nginx answers the trigger with its 404 page.", deploys=False),
    _proxy("post-not-allowed", "nginx answers the trigger with 405.", deploys=False),
    _proxy("cloudflare-521", "Cloudflare finds the server down.", deploys=False),
    _proxy("cloudflare-522", "Cloudflare waits in vain for the server.", deploys=False),
    _proxy("cloudflare-525", "Cloudflare cannot agree on TLS with the server.", deploys=False),
    _proxy("access-wall", "Cloudflare Access answers the trigger with a redirect to its login page.", deploys=False),
    _proxy("challenge", "Cloudflare answers the trigger with a challenge for browsers.", deploys=False),
    _proxy("foreign-redirect", "The trigger is redirected to another host.", deploys=False),
    _proxy("watchtower-down-behind-nginx", "No Watchtower runs behind nginx.", deploys=False),
    _proxy("echoed-secrets", "The response to the trigger shows the token in many encodings.", deploys=False),
    _proxy("untrusted-ca", "The certificate is not signed by a trusted authority.", deploys=False),
    Kind(
        "proxy",
        "slow-headers",
        "The response to the trigger never ends, a header line at a time.",
        lambda scene: replace(scene, on_watchtower=slow_headers()),
        deploys=False,
    ),
    Kind(
        "proxy",
        "slow-body",
        "The service's responses never end, a byte at a time.",
        lambda scene: replace(scene, on_service=slow_body()),
        deploys=False,
    ),
    _proxy("always-cached", "A cache that no request gets past.", deploys=False),
    _proxy("throttled", "The proxy's limit is used up by others.", deploys=False),
    _proxy("service-behind-wall", "Cloudflare Access stands in front of the service.", deploys=False),
    _proxy("service-challenged", "Cloudflare challenges all requests to the service.", deploys=False),
    _proxy("two-builds-in-turn", "The old and the new build take turns.", deploys=False),
    _proxy("ready-now-and-then", "Readiness comes and goes behind a version that stays.", deploys=False),
    _identity(
        "constant-version", "constant-version", "A version that never changes stands beside the commit.", declares=True
    ),
    _identity("busy", "busy", "A job's start and an uptime in percent stand beside the commit.", declares=True),
    _identity(
        "digest",
        "hidden",
        "The service names no build; the step declares the image's digest.",
        declares=True,
        digest=True,
    ),
    Kind(
        "identity",
        "undeclared",
        "The service names its commit, and the step declares nothing.",
        lambda scene: scene,
        declares=False,
    ),
    _identity(
        "start-time",
        "start-time",
        "The service reports only its start time, and the step declares nothing.",
        declares=False,
    ),
    _identity("hidden", "hidden", "The service names no build, and the step declares nothing.", declares=False),
    _identity("noise", "noise", "Fields named like a build change with every response.", declares=False),
    _identity("neighbours", "neighbours", "A constant version stands beside that of a dependency.", declares=False),
    _registry("image-found", "The registry has the image.", Ways()),
    _registry("image-private", "The image is private; the registry asks for a token.", Ways(auth="token")),
    _registry("image-basic", "The image is private; the registry asks for a password.", Ways(auth="basic")),
    _registry("image-unreachable", "The registry cannot be reached from the runner.", Ways(serves=False)),
    _registry("image-slow", "The registry takes nine seconds to answer the runner.", Ways(after=9.0)),
    _registry("registry-page", "A login page answers for the registry.", Ways(misbehaviour="page")),
    _registry(
        "registry-wrong-digest",
        "The registry sends other bytes than its digest says.",
        Ways(misbehaviour="wrong-digest"),
    ),
    Kind(
        "registry",
        "image-awaited",
        "The push is still under way when the step begins.",
        _pushed_late,
        {"image": "{image}", "expect-digest": V2.digest},
        _FORK,
        declares=True,
    ),
)
"""Every kind, in the order of the page."""
