"""A failure to report a run to GitHub never affects the run."""

import io

import pytest

from redeploy.app import Run
from redeploy.decision.verdict import Conclusion
from redeploy.github.record import DeploymentRecorder
from redeploy.github.reports import Reports
from redeploy.github.runner import Runner
from redeploy.report.results import RunResult
from redeploy.verdicts import Verdict
from sandbox.simulation import plan
from tests.unit.factories import commands


def break_down(*_: object, **__: object) -> None:
    raise KeyError("hunter2")


def test_a_defect_in_the_recording_is_a_warning_and_does_not_change_the_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, asked = io.StringIO(), {"GITHUB_ACTIONS": "true"}
    run, result = Run(asked, log), RunResult(conclusion=Conclusion(Verdict.DEPLOYED))
    made = plan(deployment_environment="production", issue_on_failure="It failed", github_token="ghs_abcdef")
    reports = Reports(made, asked, Runner(asked, log), str)
    monkeypatch.setattr("redeploy.github.record.DeploymentRecorder", break_down)
    monkeypatch.setattr("redeploy.github.issue_record.keep_issue", break_down)
    monkeypatch.setattr(run, "_reports", reports)
    reports.begin(lambda: result)
    assert run.close(result) == 0
    warnings = [data for name, _, data in commands(log.getvalue()) if name == "warning"]
    assert len(warnings) == 2
    assert all("KeyError" in each and "hunter2" not in each for each in warnings)


def test_a_run_interrupted_before_its_first_report_leaves_nothing_behind() -> None:
    made = plan(deployment_environment="production", github_token="ghs_abcdef")
    environment = {"GITHUB_API_URL": "http://127.0.0.1:9", "GITHUB_REPOSITORY": "o/r", "GITHUB_SHA": "a" * 40}
    recorder = DeploymentRecorder(made, environment, str)
    recorder.end(RunResult(conclusion=Conclusion(Verdict.CANCELLED, signal=2)), lambda: True, _NoChannel())


class _NoChannel:
    def say(self, text: str) -> None:
        raise AssertionError(text)

    def annotate(self, kind: str, title: str, message: str) -> None:
        raise AssertionError(message)
