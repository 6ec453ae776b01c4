"""Scenarios with another deployer: a step before it, a step after it, and what the second step proves."""

import urllib.request

from sandbox.scenarios.scenario import VERIFY, Earlier, story
from sandbox.server.builds import V1, V2
from sandbox.server.deployers import TOKEN
from sandbox.worlds import Scene, World

AFTER = {**VERIFY, "wait-for-build": "true", "baseline": "{baseline}", "timeout": "12s", "require-proof": "change"}


def _ask(world: World, method: str, path: str) -> str:
    if world.deployer is None:
        return ""
    request = urllib.request.Request(  # noqa: S310  a stand-in on loopback
        world.deployer.origin + path, method=method, headers={"Authorization": f"Bearer {TOKEN}", "Content-Length": "0"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        return f"{method} {path}\nHTTP {response.status} {response.read().decode()}".rstrip()


def _coolify(world: World) -> str:
    return _ask(world, "POST", "/api/v1/deploy?uuid=vgsco4o7w0k8")


def _portainer(world: World) -> str:
    return _ask(world, "POST", f"/api/stacks/webhooks/{TOKEN}")


SCENARIOS = (
    story(
        "after-coolify",
        "Coolify deploys, and the new build is proven by comparison with the build before",
        "Coolify responds before it has done anything; the run waits for a different build, and proves the change.",
    )
    .plays(Scene(deployer="coolify"), AFTER)
    .ends(
        "verified",
        proof="change",
        triggers=0,
        outputs={"version": V2.git_sha, "previous-version": V1.git_sha},
        earlier=(Earlier(VERIFY, _coolify),),
        unremarked=True,
    ),
    story(
        "after-coolify-skipped",
        "Coolify responds 200 and has skipped the request",
        "A deployment of the same commit is already queued, so this one never starts; its id does not exist.",
    )
    .plays(Scene(deployer="coolify", deployer_works=False), AFTER, expect_version=V2.git_sha, timeout="5s")
    .ends(
        "stale",
        "old-build",
        triggers=0,
        earlier=(Earlier(VERIFY, _coolify),),
        says=("skipped the request", "any-deployer.md"),
    ),
    story(
        "after-portainer-without-pull",
        "Portainer responds 204 and does not pull the tag again",
        "The webhook of a stack does nothing if the commit did not change, whichever image the tag points to.",
    )
    .plays(Scene(deployer="portainer", deployer_works=False), AFTER, timeout="5s")
    .ends(
        "unproven",
        "no-change",
        proof="none",
        exit_code=1,
        triggers=0,
        earlier=(Earlier(VERIFY, _portainer),),
        says=("not every tool pulls a tag again",),
    ),
    story(
        "after-a-first-deploy",
        "The step before saw nothing to compare with",
        "Without a build name from before the deploy, no change can be proven; the run says so at its start.",
    )
    .plays(Scene(deployer="coolify"), AFTER, require_proof="none", openapi_path="off")
    .ends(
        "unproven",
        "no-reference",
        proof="none",
        triggers=0,
        earlier=(Earlier({**VERIFY, "version-path": "/api/ready", "openapi-path": "off"}, _coolify),),
        says=("nothing to compare with", "saw no build"),
    ),
)
