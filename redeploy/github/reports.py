"""What a run reports to GitHub: a Deployment once it is under way, an issue at its end. Neither can change the verdict."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from redeploy import ISSUES
from redeploy.github.runner import Runner
from redeploy.report.results import Result
from redeploy.settings.plan import Plan

if TYPE_CHECKING:  # few runs write a Deployment
    from redeploy.github.record import DeploymentRecorder


class Reports:
    """What one run reports, as far as the inputs ask for it."""

    def __init__(
        self, plan: Plan, environment: Mapping[str, str], runner: Runner, redact: Callable[[str], str]
    ) -> None:
        self._plan = plan
        self._environment = environment
        self._runner = runner
        self._redact = redact
        self._recorder: DeploymentRecorder | None = None

    def begin(self, known: Callable[[], Result]) -> None:
        """Create the Deployment, from what is `known` so far."""
        with self._as_warning("GitHub Deployment"):
            if recorder := self._recording():
                recorder.begin(known())

    def end(self, result: Result, hurried: Callable[[], bool], *, started: bool, now: float) -> None:
        """Finish the Deployment, and open, update or close the issue.

        Args:
            result: how the run ended.
            hurried: says whether a signal has come.
            started: whether the run got as far as looking at a service.
            now: our clock, in seconds since 1970.
        """
        with self._as_warning("GitHub Deployment"):
            if recorder := self._recording() if started else self._recorder:
                recorder.end(result, hurried, self._runner)
        with self._as_warning("GitHub issue"):
            if not self._plan.issue_on_failure:
                return
            from redeploy.github.issue_record import keep_issue

            keep_issue(
                result, self._plan, self._environment, self._runner, hurried=hurried, redact=self._redact, now=now
            )

    def _recording(self) -> "DeploymentRecorder | None":
        if self._recorder is None and self._plan.deployment_environment:
            from redeploy.github.record import DeploymentRecorder

            self._recorder = DeploymentRecorder(self._plan, self._environment, self._redact)
        return self._recorder

    @contextlib.contextmanager
    def _as_warning(self, what: str) -> Iterator[None]:
        """Turn a defect into a warning."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - shown without its text, which may quote a secret
            defect = f"{type(error).__name__} in the action itself, while this was to be written. Please report it at"
            self._runner.annotate("warning", what, f"{defect} {ISSUES}.")
