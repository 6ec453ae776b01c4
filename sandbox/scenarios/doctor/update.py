"""Scenarios in which doctor examines whether there would be an update: containers, registry, check."""

from dataclasses import replace

from sandbox.scenarios.scenario import DOCTOR, story
from sandbox.server.builds import V1, V2
from sandbox.server.registry import Ways
from sandbox.worlds import CONTAINERS, Scene, World

_IMAGE = "{registry}/o/api:latest"


def _unlabelled(world: World) -> None:
    world.host.service.watched = False


def _untagged(world: World) -> None:
    world.host.registry.tags.clear()


def _neighbour(world: World) -> None:
    world.host.push(V2, world.host.service.image.replace("/api:", "/web:"))


def _throttled(world: World) -> None:
    world.host.registry.trouble = 429


def _unreachable_engine(world: World) -> None:
    world.host.engine_reachable = False


def _monitored(world: World) -> None:
    world.host.service.monitor_only = True


def _pinned(world: World) -> None:
    world.host.service.image = f"{world.host.service.image.rpartition(':')[0]}@{V1.digest}"


def _plain_registry(world: World) -> None:
    world.host.registry.https_trouble = "http: server gave HTTP response to HTTPS client"


def _realm_refuses(world: World) -> None:
    world.host.registry.trouble, world.host.registry.of_realm = 403, True


def _unpulled(world: World) -> None:
    world.host.service.no_pull = True


def _without_containers(world: World) -> None:
    del world.front.locations[CONTAINERS]


SCENARIOS = (
    story("doctor-not-watched", "The label is missing", "Watchtower watches none of the running containers.")
    .plays(Scene(details=True, image=_IMAGE, finish=_unlabelled), DOCTOR)
    .is_broken({"containers": "not-watched"}),
    story("doctor-another-image", "The configured image is not the running one", "Doctor names the watched container.")
    .plays(Scene(details=True, image=_IMAGE, finish=_neighbour), DOCTOR, image="{registry}/o/web")
    .is_broken({"containers": "not-watched"}, shown=("watched: `api`",)),
    story("doctor-engine-silent", "Watchtower cannot reach the engine", "Its containers endpoint says so.")
    .plays(
        Scene(details=True, image=_IMAGE, metrics=True, flags={"engine_patience": 0.0}, finish=_unreachable_engine),
        DOCTOR,
    )
    .is_broken({"containers": "engine-silent"}),
    story(
        "doctor-image-missing",
        "The tag is gone from the registry",
        "So doctor does not say whether there would be an update.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_untagged), DOCTOR, image="{image}")
    .is_broken({"registry": "image-missing"}),
    story(
        "doctor-image-missing-there",
        "Watchtower does not find the tag in the registry",
        "Doctor has no access to the registry; Watchtower's own error says that the tag is missing.",
    )
    .plays(Scene(details=True, image=_IMAGE, registry=Ways(auth="basic"), finish=_untagged), DOCTOR)
    .is_broken({"update": "image-missing", "registry": "registry-silent"}, shown=("404 Not Found",)),
    story("doctor-update-blocked", "The registry rejects Watchtower", "The registry's error is reported as plain text.")
    .plays(Scene(details=True, image=_IMAGE, finish=_throttled), DOCTOR)
    .is_broken({"update": "update-blocked", "registry": "registry-silent"}, shown=("rate limited",)),
    story(
        "doctor-private-image",
        "Watchtower has access to the registry, doctor does not",
        "What counts is whether Watchtower has access.",
    )
    .plays(Scene(details=True, image=_IMAGE, registry=Ways(auth="token")), DOCTOR)
    .is_ready(shown=("Watchtower itself has access",)),
    story(
        "doctor-up-to-date",
        "The running image is the one the tag points to",
        "An update would find nothing new, and that is not an error.",
    )
    .plays(Scene(details=True, image=_IMAGE, pushed=None), DOCTOR, image="{image}", expect_version=V1.git_sha)
    .is_ready(shown=("would find nothing newer in the registry", "the expected version is live already")),
    story(
        "doctor-monitor-only",
        "Watchtower only monitors the container",
        "A newer image exists, but no update would deploy it.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_monitored), DOCTOR)
    .is_broken({"update": "monitor-only"}, says=("com.centurylinklabs.watchtower.monitor-only",)),
    story(
        "doctor-no-pull",
        "Watchtower pulls no image for the container",
        "A push is never noticed; only an image that is already on the server can be deployed.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_unpulled), DOCTOR)
    .is_ready({"update": "no-pull"}),
    story(
        "doctor-realm-refuses", "The registry's token server rejects both Watchtower and doctor", "Its error is quoted."
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_realm_refuses), DOCTOR)
    .is_broken(
        {"update": "update-blocked", "registry": "registry-silent"},
        shown=("bearer token request: status 403 Forbidden",),
    ),
    story("doctor-monitor-only-flag", "Watchtower runs with --monitor-only", "No update would replace anything.")
    .plays(Scene(details=True, image=_IMAGE, flags={"monitor_only": True}), DOCTOR)
    .is_broken({"update": "monitor-only"}),
    story("doctor-pinned", "The container was created with a digest", "A push never changes what a digest refers to.")
    .plays(Scene(details=True, image=_IMAGE, finish=_pinned), DOCTOR)
    .is_broken({"update": "pinned-by-digest"}),
    story(
        "doctor-no-digest-but-check",
        "Only the check endpoint is routed, and a digest is declared",
        "A deploy reads the running digest only from the containers endpoint, so it would not be started.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_without_containers), DOCTOR, expect_digest=V2.digest)
    .is_broken({"containers": "digest-unavailable"}),
    story(
        "doctor-engine-pulls",
        "Watchtower cannot read the registry, so doctor compares the images itself",
        "The error is quoted but does not matter: the update falls back to a pull by the engine.",
    )
    .plays(Scene(details=True, image=_IMAGE, finish=_plain_registry), DOCTOR)
    .is_ready(shown=("would replace `api`", "server gave HTTP response to HTTPS client", "the engine pulls")),
    story(
        "doctor-manifest-list",
        "The check endpoint always takes a Docker manifest list for another image",
        "The running image is the one the tag points to: an update would find nothing newer.",
    )
    .plays(Scene(details=True, image=_IMAGE, pushed=None, before=replace(V1, manifest_list=True)), DOCTOR)
    .is_ready(shown=("would find nothing newer in the registry",)),
    story("doctor-no-digest", "A digest is declared, but Watchtower reports none", "A deploy would not be started.")
    .plays(Scene(), DOCTOR, expect_digest=V2.digest)
    .is_broken({"containers": "digest-unavailable"}, triggers=1),
)
