"""Scenarios in which GitHub gets a Deployment of the run."""

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
        "A deploy creates a Deployment",
        "It is created once the trigger is sent, and its last status matches the verdict.",
    )
    .plays(Scene(details=True), _RECORDED)
    .ends("deployed", proof="version", result="updated", records=("in_progress", "success")),
    story(
        "deployment-failure",
        "A Deployment of a rollout that fails",
        "The new build never becomes ready, and the Deployment says so.",
    )
    .plays(Scene(pushed=replace(V2, readiness="never")), _RECORDED, timeout="5s")
    .ends("unhealthy", "never-ready", result="updated", records=("in_progress", "failure")),
    story(
        "deployment-cancelled",
        "A Deployment of a run that is cancelled",
        "The final status is still written within the two seconds that are left.",
    )
    .plays(Scene(before=replace(V1, ignores_term=8.0)), _RECORDED, timeout="20s")
    .ends("cancelled", interrupt=signal.SIGINT, interrupt_after=3.0, records=("in_progress", "error")),
    story("deployment-cancelled-hung", "GitHub hangs while a run is cancelled", "The run does not wait for it.")
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
        "The run succeeds, and a warning has the block to paste.",
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
        "GitHub creates a Deployment and responds 502",
        "The run looks for it before it creates another, so there is only one.",
    )
    .plays(Scene(github={"create": [Mishap(BAD_GATEWAY, obeyed=True), None]}), _RECORDED)
    .ends("deployed", proof="version", result="updated", records=("in_progress", "success")),
    story(
        "deployment-refused-trigger",
        "A Deployment of an update that is rejected at once",
        "The run ends before GitHub's library is loaded, and the Deployment is still written.",
    )
    .plays(Scene(), _RECORDED, watchtower_token="another-token")
    .ends("trigger-failed", "auth", result="none", records=("in_progress", "failure")),
    story(
        "deployment-verify",
        "A Deployment in mode verify",
        "Without a rollout a Deployment is written, too, if the run has an environment.",
    )
    .plays(
        Scene(before=replace(V2, boot=0.0)),
        VERIFY,
        expect_version=V2.git_sha,
        deployment_environment="production",
    )
    .ends("verified", proof="version", result="none", triggers=0, records=("in_progress", "success")),
)
