"""Scenarios about what distinguishes builds, and what does not."""

from dataclasses import replace

from sandbox.network.faults import Instead, On
from sandbox.network.front import Answer
from sandbox.scenarios.scenario import DECLARED, NAMED, QUICK, story
from sandbox.server.builds import V1, V2, V3, Build
from sandbox.worlds import CONTAINERS, Scene, World

# The fork's response when its engine does not respond, sent here although updates work.
_CANNOT_LIST = Answer(500, b"failed to list containers", "text/plain; charset=utf-8")


_HIDDEN = Scene(before=replace(V1, identity="hidden"), pushed=Build("v2", identity="hidden"))


def _registry_down(world: World) -> None:
    world.host.registry.trouble = 500


SCENARIOS = (
    story(
        "change-by-names",
        "Nothing is declared, build names show the change",
        "A commit that was not seen before the trigger proves the change.",
    )
    .plays(Scene(), NAMED)
    .ends("deployed", proof="change", result="updated"),
    story(
        "change-by-start-time",
        "Nothing is declared, only a start time shows the change",
        "A process that started after the trigger proves the change.",
    )
    .plays(Scene(before=replace(V1, identity="start-time"), pushed=Build("v2", identity="start-time")), NAMED)
    .ends("deployed", proof="change", result="updated"),
    story(
        "change-by-digest",
        "Nothing is declared, the running digest shows the change",
        "The service does not name its build, but Watchtower's containers endpoint does.",
    )
    .plays(replace(_HIDDEN, details=True), QUICK)
    .ends("deployed", proof="change", result="updated"),
    story("claim", "Only Watchtower claims an update", "An unambiguous summary is the weakest proof.")
    .plays(_HIDDEN, QUICK)
    .ends("deployed", proof="claim", result="updated"),
    story("digest", "The declared digest is running", "Watchtower reports the pushed digest for the running container.")
    .plays(replace(_HIDDEN, details=True), QUICK, timeout="15s", expect_digest=V2.digest)
    .ends("deployed", proof="digest", result="updated", outputs={"digest": V2.digest, "previous-digest": V1.digest}),
    story(
        "wrong-digest", "The running image is not the declared one", "The containers endpoint reports a third digest."
    )
    .plays(
        replace(_HIDDEN, pushed=Build("v3", identity="hidden"), details=True),
        QUICK,
        expect_digest=V2.digest,
        timeout="8s",
    )
    .ends("wrong-build", "wrong-digest", result="updated"),
    story(
        "digest-lost",
        "The containers endpoint keeps failing",
        "The endpoint is retried until the deadline; only then does the run fail because of it.",
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
        "A digest is declared, but nothing reports digests",
        "Without a containers endpoint there is no proof, so nothing is triggered.",
    )
    .plays(Scene(variant="containrrr"), QUICK, expect_digest=V2.digest)
    .ends("not-started", "digest-unavailable", result="none", triggers=0),
    story(
        "version-missing",
        "The service does not report its build",
        "A declared version that cannot be read is not proven.",
    )
    .plays(_HIDDEN, DECLARED, timeout="5s")
    .ends("wrong-build", "version-unavailable", result="updated"),
    story(
        "constant-version",
        "A constant version beside the commit",
        "A version that never changes does not hide the declared commit.",
    )
    .plays(
        Scene(before=replace(V1, identity="constant-version"), pushed=replace(V2, identity="constant-version")),
        DECLARED,
    )
    .ends("deployed", proof="version", result="updated"),
    story(
        "short-version",
        "A short commit, as in an image tag",
        "A short commit and one with the prefix `sha-` name the same build.",
    )
    .plays(Scene(before=V1, pushed=V3), NAMED, expect_version=f"sha-{V3.git_sha[:7]}")
    .ends("deployed", proof="version", result="updated"),
    story(
        "nothing-declared", "Nothing distinguishes the builds", "Healthy but unproven: the run succeeds with a warning."
    )
    .plays(replace(_HIDDEN, variant="containrrr"), QUICK, timeout="20s")
    .ends("unproven", "no-identity", proof="none", result="accepted"),
    story(
        "no-change",
        "Nothing is declared, and the same build responds",
        "A build name that stays the same does not count as a deploy.",
    )
    .plays(Scene(variant="containrrr", finish=_registry_down), NAMED, timeout="20s")
    .ends("unproven", "no-change", proof="none", result="accepted"),
    story(
        "nothing-to-do",
        "Nothing is declared, and nothing is new",
        "Watchtower found nothing to do, and the service did not change.",
    )
    .plays(Scene(pushed=None), NAMED, timeout="20s")
    .ends("unproven", "nothing-to-do", proof="none", result="nothing"),
    story(
        "noise",
        "Build names that change by themselves",
        "A clock in a build field, a random revision and the word `local` prove nothing.",
    )
    .plays(Scene(before=replace(V1, identity="noise"), pushed=Build("v2", identity="noise")), NAMED, timeout="20s")
    .ends("unproven", "no-identity", proof="none", result="updated"),
    story(
        "dependency",
        "Only a dependency reports another version",
        "The version of the service stayed the same; the version of Redis is not the service's.",
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
        "A job that restarts repeatedly, and an uptime in percent",
        "Neither is the start of the process, so the declared build counts as stable.",
    )
    .plays(
        Scene(before=replace(V1, identity="busy"), pushed=replace(V2, identity="busy")),
        DECLARED,
        stable_for="4s",
        timeout="20s",
    )
    .ends("deployed", proof="version", result="updated"),
    story("weak-proof", "The run requires more proof than there is", "A claim does not pass if a change is required.")
    .plays(_HIDDEN, QUICK, timeout="20s", require_proof="change")
    .ends("unproven", "weak-proof", result="updated", exit_code=1),
)
