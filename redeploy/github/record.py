"""The Deployment of a run: created once the run is under way, finished with it, and no obstacle to it."""

import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

from redeploy.github import deployment
from redeploy.github.client import DeploymentClient
from redeploy.report.results import Result
from redeploy.settings.plan import Plan
from redeploy.text.untrusted import code

TITLE = "GitHub Deployment"
NOWHERE = (
    "No Deployment was written: GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_SHA are not set. A runner sets them "
    "for every step; outside of one, leave `deployment-environment` empty."
)


class Channel(Protocol):
    """Where a run writes."""

    def say(self, text: str) -> None:
        """Write a line."""

    def annotate(self, kind: str, title: str, message: str) -> None:
        """Write an annotation."""


class DeploymentRecorder:
    """Writes the Deployment of one run; it never changes the verdict."""

    def __init__(self, plan: Plan, environment: Mapping[str, str], redact: Callable[[str], str]) -> None:
        self._environment = plan.deployment_environment
        self._redact = redact
        self._place = deployment.place_of(environment)
        self._client = DeploymentClient(self._place, plan.github_token, redact=redact) if self._place else None

    def begin(self, known: Result) -> None:
        """Create the Deployment in parallel to the run, from what is known so far."""
        if self._client is None or self._place is None or self._client.begun:
            return
        place, redact = self._place, self._redact
        made = deployment.deployment_of(known, place, self._environment, secrets.token_hex(8), redact)
        self._client.begin(made, deployment.begun(known, place, redact))

    def end(self, result: Result, hurried: Callable[[], bool], channel: Channel) -> None:
        """Write the final status; problems become warnings."""
        if self._client is None or self._place is None:
            channel.annotate("warning", TITLE, NOWHERE)
            return
        final = deployment.ended(result, self._place, self._redact)
        if not self._client.begun:
            if final.state is deployment.State.ERROR:
                return  # cut short before there was anything to report
            self.begin(result)
        record = self._client.end(final, hurried)
        if record.number is not None:
            states = " -> ".join(record.states) or "without a status"
            channel.say(f"GitHub Deployment {record.number} for {code(self._environment)}: {states}")
        if record.warning:
            channel.annotate("warning", TITLE, record.warning)
