"""Scenarios in which the run looks up the image in the registry before the trigger."""

from collections.abc import Mapping
from dataclasses import replace

from sandbox.scenarios.scenario import NAMED, QUICK, VERIFY, Scenario, story
from sandbox.server.builds import V1, V2, V3, Build
from sandbox.server.registry import Misbehaviour, Ways
from sandbox.worlds import Scene

_SCENE = Scene(image="{registry}/o/api:latest", details=True)
_HIDDEN = replace(_SCENE, before=replace(V1, identity="hidden"), pushed=Build("v2", identity="hidden"))
_IMAGE: Mapping[str, str] = {**NAMED, "image": "{image}", "timeout": "20s"}
_DIGEST: Mapping[str, str] = {**QUICK, "image": "{image}", "expect-digest": V2.digest, "timeout": "20s"}
_OWNER: Mapping[str, str] = {"registry-username": "{registry-user}", "registry-password": "{registry-password}"}


def _hostile(misbehaviour: Misbehaviour, title: str) -> Scenario:
    return (
        story(
            f"registry-{misbehaviour}",
            title,
            "The run does not trust such a registry, sends no password to its token server, and continues without it.",
        )
        .plays(replace(_SCENE, registry=Ways(misbehaviour=misbehaviour)), {**_IMAGE, **_OWNER})
        .ends("deployed", proof="change", result="updated", unremarked=True, shown=("The registry",))
    )


SCENARIOS = (
    story(
        "image-found",
        "The image is looked up before the trigger",
        "The registry has it, and the run shows the commit in its label.",
    )
    .plays(_SCENE, _IMAGE)
    .ends("deployed", proof="change", result="updated", unremarked=True, shown=(V2.digest, V2.git_sha)),
    story(
        "image-awaited",
        "The push is still under way",
        "The tag points to the old build at first; the trigger waits for the declared digest.",
    )
    .plays(replace(_HIDDEN, pushed=None, registry=Ways(arrives=(2, replace(V2, identity="hidden")))), _DIGEST)
    .ends("deployed", proof="digest", result="updated", outputs={"digest": V2.digest, "previous-digest": V1.digest}),
    story("image-missing", "The declared image never arrives", "Nothing is triggered, and both digests are reported.")
    .plays(replace(_HIDDEN, pushed=Build("v3", identity="hidden")), _DIGEST, timeout="5s")
    .ends("not-started", "image-missing", result="none", triggers=0, says=(V2.digest, V3.digest)),
    story(
        "image-no-tag",
        "The tag is not in the registry",
        "The run waits for a tag that was never pushed, and then names it.",
    )
    .plays(_SCENE, _IMAGE, image="{registry}/o/api:2.0", timeout="5s")
    .ends(
        "not-started",
        "image-missing",
        result="none",
        triggers=0,
        says=("has no `o/api:2.0` (404 MANIFEST_UNKNOWN)", "imagetools inspect"),
    ),
    story(
        "image-private",
        "A private image, with a password",
        "The token is for this repository only; the blob store gets neither the token nor the password.",
    )
    .plays(replace(_SCENE, registry=Ways(auth="token")), {**_IMAGE, **_OWNER, "expect-version": "image"})
    .ends("deployed", proof="version", result="updated", unremarked=True, outputs={"version": V2.git_sha}),
    story(
        "image-basic",
        "A registry with password authentication",
        "It asks for user name and password, so it gets them.",
    )
    .plays(replace(_SCENE, registry=Ways(auth="basic")), {**_IMAGE, **_OWNER, "expect-version": "image"})
    .ends("deployed", proof="version", result="updated", unremarked=True),
    story(
        "image-refused",
        "A private image, without a password",
        "The refusal becomes a note, and the run continues.",
    )
    .plays(replace(_SCENE, registry=Ways(auth="token")), _IMAGE)
    .ends(
        "deployed",
        proof="change",
        result="updated",
        unremarked=True,
        shown=("Set `registry-username` and `registry-password`",),
    ),
    story(
        "image-unreachable",
        "The registry does not respond",
        "An unreachable registry becomes a note, and the run continues.",
    )
    .plays(replace(_SCENE, registry=Ways(serves=False)), _IMAGE)
    .ends("deployed", proof="change", result="updated", unremarked=True, shown=("the connection was refused",)),
    story(
        "image-slow",
        "The registry is slow",
        "The run waits for it no longer than for the other requests before the trigger.",
    )
    .plays(replace(_SCENE, registry=Ways(after=9.0)), _IMAGE)
    .ends("deployed", proof="change", result="updated", unremarked=True),
    story(
        "image-platform",
        "The container was pulled by its platform's manifest",
        "The registry shows that the running digest and the declared one belong to the same image.",
    )
    .plays(replace(_HIDDEN, pushed=Build("v2", identity="hidden", by_platform=True)), _DIGEST)
    .ends(
        "deployed",
        proof="digest",
        result="updated",
        outputs={"digest": V2.image.platform.digest},
        unremarked=True,
        shown=("are one image",),
    ),
    story(
        "image-current",
        "The image under the tag is already running",
        "With nothing declared and nothing new, the registry confirms that the running image is the current one.",
    )
    .plays(replace(_SCENE, pushed=None), _IMAGE)
    .ends("already-current", proof="none", result="nothing", unremarked=True),
    story(
        "image-unlabelled",
        "The image does not name its commit",
        "The expected version is unknown, so nothing is triggered.",
    )
    .plays(replace(_SCENE, pushed=replace(V2, labelled=False)), _IMAGE, expect_version="image")
    .ends(
        "not-started",
        "image-missing",
        result="none",
        triggers=0,
        says=("has no label `org.opencontainers.image.revision`",),
    ),
    story(
        "image-verified",
        "The live build is the image's commit",
        "Mode verify takes the expected version from the registry.",
    )
    .plays(
        replace(_SCENE, before=replace(V2, boot=0.0), pushed=None),
        VERIFY,
        image="{image}",
        expect_version="image",
    )
    .ends("verified", proof="version", result="none", triggers=0, outputs={"version": V2.git_sha}),
    _hostile("redirect", "A registry that redirects requests for manifests to another host"),
    _hostile("wrong-digest", "A registry whose manifest does not match its digest"),
    _hostile("endless", "A registry whose manifest never ends"),
    _hostile("realm", "A registry that asks for the password over plain HTTP"),
    _hostile("page", "A login page in front of the registry"),
)
