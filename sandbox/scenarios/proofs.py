"""Stories about what tells one build from another, and what cannot."""

from dataclasses import replace

from sandbox.network.faults import Instead, On
from sandbox.network.front import Answer
from sandbox.scenarios.scenario import DECLARED, NAMED, QUICK, story
from sandbox.server.builds import V1, V2, V3, Build
from sandbox.worlds import CONTAINERS, Scene, World

# What the fork says where its engine does not answer, given here while updates work.
_CANNOT_LIST = Answer(500, b"failed to list containers", "text/plain; charset=utf-8")


_HIDDEN = Scene(before=replace(V1, identity="hidden"), pushed=Build("v2", identity="hidden"))


def _registry_down(world: World) -> None:
    world.host.registry.trouble = 500


SCENARIOS = (
    story(
        "change-by-names",
        "Nothing declared, build names tell",
        "A commit never seen before the trigger proves a change.",
    )
    .plays(Scene(), NAMED)
    .ends("deployed", proof="change", result="updated"),
    story(
        "change-by-start-time",
        "Nothing declared, only a start time tells",
        "A process that began after the trigger is a change.",
    )
    .plays(Scene(before=replace(V1, identity="start-time"), pushed=Build("v2", identity="start-time")), NAMED)
    .ends("deployed", proof="change", result="updated"),
    story(
        "change-by-digest",
        "Nothing declared, the running digest tells",
        "Where the service says nothing of itself, Watchtower's containers endpoint does.",
    )
    .plays(replace(_HIDDEN, details=True), QUICK)
    .ends("deployed", proof="change", result="updated"),
    story("claim", "Only Watchtower claims an update", "A summary that leaves nothing open is a proof, the weakest.")
    .plays(_HIDDEN, QUICK)
    .ends("deployed", proof="claim", result="updated"),
    story("digest", "A declared digest is met", "The running container reports the digest that the registry was given.")
    .plays(replace(_HIDDEN, details=True), QUICK, timeout="15s", expect_digest=V2.digest)
    .ends("deployed", proof="digest", result="updated", outputs={"digest": V2.digest, "previous-digest": V1.digest}),
    story("wrong-digest", "Another image runs than the declared one", "The containers endpoint names a third digest.")
    .plays(
        replace(_HIDDEN, pushed=Build("v3", identity="hidden"), details=True),
        QUICK,
        expect_digest=V2.digest,
        timeout="8s",
    )
    .ends("wrong-build", "wrong-digest", result="updated"),
    story(
        "digest-lost",
        "The containers endpoint fails all along",
        "One that merely fails is asked again, and decides at the end.",
    )
    .plays(
        replace(
            _HIDDEN,
            details=True,
            on_watchtower=On(frozenset({CONTAINERS}), Instead(_CANNOT_LIST)),
        ),
        QUICK,
        expect_digest=V2.digest,
    )
    .ends("wrong-build", "digest-unavailable", result="updated"),
    story(
        "digest-unavailable",
        "A digest is declared and nobody can tell it",
        "Without a containers endpoint the proof cannot be had, so nothing is triggered.",
    )
    .plays(Scene(variant="containrrr"), QUICK, expect_digest=V2.digest)
    .ends("not-started", "digest-unavailable", result="none", triggers=0),
    story(
        "version-missing", "The service does not report its build", "A declared version that cannot be read is not met."
    )
    .plays(_HIDDEN, DECLARED, timeout="5s")
    .ends("wrong-build", "version-unavailable", result="updated"),
    story(
        "constant-version",
        "A constant version beside the commit",
        "A version that never changes does not hide the commit that was declared.",
    )
    .plays(
        Scene(before=replace(V1, identity="constant-version"), pushed=replace(V2, identity="constant-version")),
        DECLARED,
    )
    .ends("deployed", proof="version", result="updated"),
    story(
        "short-version",
        "A short commit, as an image tag spells it",
        "A short commit and a `sha-` before it name the same build.",
    )
    .plays(Scene(before=V1, pushed=V3), NAMED, expect_version=f"sha-{V3.git_sha[:7]}")
    .ends("deployed", proof="version", result="updated"),
    story("nothing-declared", "Nothing tells the builds apart", "Healthy and unproven: green with a warning.")
    .plays(replace(_HIDDEN, variant="containrrr"), QUICK, timeout="20s")
    .ends("unproven", "no-identity", proof="none", result="accepted"),
    story(
        "no-change",
        "Nothing declared, and the same build answers",
        "A visible build name that stays is not counted as a deploy.",
    )
    .plays(Scene(variant="containrrr", finish=_registry_down), NAMED, timeout="20s")
    .ends("unproven", "no-change", proof="none", result="accepted"),
    story("nothing-to-do", "Nothing declared, nothing new", "Watchtower found nothing to do, and the service agrees.")
    .plays(Scene(pushed=None), NAMED, timeout="20s")
    .ends("unproven", "nothing-to-do", proof="none", result="nothing"),
    story(
        "noise",
        "Build names that move by themselves",
        "A clock under a build name, a random revision, and the word `local` prove nothing.",
    )
    .plays(Scene(before=replace(V1, identity="noise"), pushed=Build("v2", identity="noise")), NAMED, timeout="20s")
    .ends("unproven", "no-identity", proof="none", result="updated"),
    story(
        "dependency",
        "Only a dependency names another version",
        "The version of the service itself stayed the same; that of Redis beside it is not the service's.",
    )
    .plays(
        Scene(
            before=replace(V1, identity="neighbours"), pushed=Build("v2", identity="neighbours"), variant="containrrr"
        ),
        NAMED,
        timeout="20s",
    )
    .ends("unproven", "no-change", proof="none", result="accepted", outputs={"version": "0.1.0"}),
    story(
        "busy",
        "A job that starts over and over, and an uptime in percent",
        "Neither is the process's start, so the declared build is seen to stay.",
    )
    .plays(
        Scene(before=replace(V1, identity="busy"), pushed=replace(V2, identity="busy")),
        DECLARED,
        stable_for="4s",
        timeout="20s",
    )
    .ends("deployed", proof="version", result="updated"),
    story("weak-proof", "More proof is asked for than there is", "A claim does not pass where a change is required.")
    .plays(_HIDDEN, QUICK, timeout="20s", require_proof="change")
    .ends("unproven", "weak-proof", result="updated", exit_code=1),
)
