"""Stories in which GitHub is told of the run, as a Deployment."""

import signal
from collections.abc import Mapping
from dataclasses import replace

from sandbox.network.github import BAD_GATEWAY, NO_PERMISSION, Mishap
from sandbox.scenarios.scenario import DECLARED, VERIFY, story
from sandbox.server.builds import V1, V2
from sandbox.worlds import Scene

_RECORDED: Mapping[str, str] = {**DECLARED, "deployment-environment": "production"}

SCENARIOS = (
    story(
        "deployment",
        "GitHub gets a Deployment",
        "It is created once the trigger is out, and its last status is the verdict's.",
    )
    .plays(Scene(details=True), _RECORDED)
    .ends("deployed", proof="version", result="updated", records=("in_progress", "success")),
    story(
        "deployment-failure",
        "A Deployment of a rollout that fails",
        "The new build is never ready, and the Deployment says so.",
    )
    .plays(Scene(pushed=replace(V2, readiness="never")), _RECORDED, timeout="5s")
    .ends("unhealthy", "never-ready", result="updated", records=("in_progress", "failure")),
    story(
        "deployment-cancelled",
        "A Deployment of a run that is cancelled",
        "The final status still gets out within the two seconds that there are.",
    )
    .plays(Scene(before=replace(V1, ignores_term=8.0)), _RECORDED, timeout="20s")
    .ends("cancelled", interrupt=signal.SIGINT, interrupt_after=3.0, records=("in_progress", "error")),
    story("deployment-cancelled-hung", "GitHub hangs while a run is cancelled", "Nobody waits for it.")
    .plays(
        Scene(
            before=replace(V1, ignores_term=8.0),
            github={"status": [None, Mishap(after=60.0, only_slow=True)]},
        ),
        _RECORDED,
        timeout="20s",
    )
    .ends(
        "cancelled",
        interrupt=signal.SIGINT,
        interrupt_after=3.0,
        records=("in_progress",),
        says=("final status of the Deployment",),
    ),
    story(
        "deployment-forbidden",
        "The token may not write Deployments",
        "The rollout is green, and a warning holds the block to paste.",
    )
    .plays(Scene(github={"create": [Mishap(NO_PERMISSION)]}), _RECORDED)
    .ends(
        "deployed",
        proof="version",
        result="updated",
        says=("permissions:\n  deployments: write", "Resource not accessible by integration"),
    ),
    story(
        "deployment-lost-answer",
        "GitHub creates a Deployment and answers 502",
        "It is looked for before it would be created again, so there is one.",
    )
    .plays(Scene(github={"create": [Mishap(BAD_GATEWAY, obeyed=True), None]}), _RECORDED)
    .ends("deployed", proof="version", result="updated", records=("in_progress", "success")),
    story(
        "deployment-refused-trigger",
        "A Deployment of an update that is refused at once",
        "The run is over before GitHub's library is even loaded, and is told all the same.",
    )
    .plays(Scene(), _RECORDED, watchtower_token="another-token")
    .ends("trigger-failed", "auth", result="none", records=("in_progress", "failure")),
    story(
        "deployment-verify",
        "A Deployment of a proof without a rollout",
        "Mode verify writes one too, where it is asked to.",
    )
    .plays(
        Scene(before=replace(V2, boot=0.0)),
        VERIFY,
        expect_version=V2.git_sha,
        deployment_environment="production",
    )
    .ends("verified", proof="version", result="none", triggers=0, records=("in_progress", "success")),
)
