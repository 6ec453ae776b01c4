"""What a run reports to GitHub."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.decision.verdict import Conclusion
from redeploy.github import deployment
from redeploy.github.deployment import Place, State
from redeploy.github.retry import Trouble
from redeploy.report.results import NOT_REPORTED, Change, RunResult
from redeploy.text.secret import Secret, redactor
from redeploy.verdicts import Proof, Reason, Verdict

RUNNER = {
    "GITHUB_API_URL": "https://github.example/api/v3/",
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_SHA": "a" * 40,
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
}
RUN = "https://github.example/o/r/actions/runs/7/attempts/2"
PLACE = Place("https://github.example/api/v3", "o/r", "a" * 40, RUN, "7-2")
D1 = "sha256:" + "1" * 64


def outcome(
    verdict: Verdict = Verdict.DEPLOYED,
    reason: Reason = Reason.NONE,
    version: Change = NOT_REPORTED,
    digest: Change = NOT_REPORTED,
) -> RunResult:
    conclusion = Conclusion(verdict, reason)
    return RunResult(conclusion=conclusion, url="https://api.example.com", version=version, digest=digest)


def test_the_repository_and_the_run_are_read_from_the_runners_variables() -> None:
    assert deployment.place_of(RUNNER) == PLACE


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_SHA"])
@pytest.mark.parametrize("value", ["", "  ", None])
def test_without_a_repository_nothing_is_written(name: str, value: str | None) -> None:
    variables = {key: text for key, text in RUNNER.items() if key != name}
    assert deployment.place_of(variables if value is None else {**variables, name: value}) is None


@pytest.mark.parametrize(("name", "value"), [("GITHUB_API_URL", "ftp://x"), ("GITHUB_REPOSITORY", "o/r/../x")])
def test_an_invalid_repository_is_not_used(name: str, value: str) -> None:
    assert deployment.place_of({**RUNNER, name: value}) is None


def test_a_run_without_an_attempt_or_a_number_is_linked_as_far_as_possible() -> None:
    place = deployment.place_of({**RUNNER, "GITHUB_RUN_ATTEMPT": ""})
    assert place is not None
    assert place.run_url == "https://github.example/o/r/actions/runs/7"
    place = deployment.place_of({**RUNNER, "GITHUB_RUN_ID": ""})
    assert place is not None
    assert place.run_url == ""


def test_a_deployment_says_what_was_declared_and_what_ran_before() -> None:
    known = replace(outcome(version=Change("v2", before="v1"), digest=Change(D1)), mode="deploy")
    made = deployment.deployment_of(known, PLACE, "production", "f00d", str)
    assert (made.ref, made.environment) == ("a" * 40, "production")
    assert made.description == "Redeploy through Watchtower, declared version v2"
    assert made.mark == "7-2-f00d"
    assert made.payload == {
        "by": "redeploy-action",
        "mark": "7-2-f00d",
        "run": RUN,
        "mode": "deploy",
        "version": {"declared": "v2", "before": "v1"},
        "digest": {"declared": D1, "before": ""},
    }


def test_a_verification_without_a_rollout_is_described_as_a_proof() -> None:
    made = deployment.deployment_of(replace(outcome(), mode="verify"), PLACE, "production", "f00d", str)
    assert made.description == "Proof of what runs"


def test_a_run_under_way_replaces_nothing_yet() -> None:
    status = deployment.begun(outcome(), PLACE, str)
    assert (status.state, status.auto_inactive) == (State.IN_PROGRESS, False)
    assert (status.environment_url, status.log_url) == ("https://api.example.com", RUN)


def test_the_final_status_says_what_is_live() -> None:
    status = deployment.ended(outcome(version=Change(live="b" * 40), digest=Change(live=D1)), PLACE, str)
    assert status.description == f"deployed: The new build is live; version {'b' * 40}; sha256:111111111111"
    assert (status.state, status.auto_inactive) == (State.SUCCESS, True)


@pytest.mark.parametrize("verdict", Verdict)
def test_the_state_follows_the_exit_code_of_the_verdict(verdict: Verdict) -> None:
    state = deployment.state_of(outcome(verdict))
    if verdict in (Verdict.CANCELLED, Verdict.INTERNAL_ERROR):
        assert state is State.ERROR
    else:
        assert state is (State.FAILURE if outcome(verdict).conclusion.exit_code else State.SUCCESS)


@pytest.mark.parametrize(("suffices", "state"), [(True, State.SUCCESS), (False, State.FAILURE)])
def test_require_proof_decides_the_state_of_an_unproven_build(suffices: bool, state: State) -> None:
    found = RunResult(conclusion=Conclusion(Verdict.UNPROVEN, Reason.WEAK_PROOF, Proof.NONE, suffices))
    assert deployment.state_of(found) is state


def test_only_a_success_makes_earlier_deployments_inactive() -> None:
    found = {verdict: deployment.ended(outcome(verdict), PLACE, str) for verdict in Verdict}
    assert all(status.auto_inactive == (status.state is State.SUCCESS) for status in found.values())


@given(st.text(), st.text(), st.sampled_from([*Reason]))
def test_descriptions_are_always_one_short_line(version: str, digest: str, reason: Reason) -> None:
    known = outcome(Verdict.STALE, reason, Change(expected=version, live=version), Change(live=digest))
    made = deployment.deployment_of(known, PLACE, "production", "f00d", str)
    for text in (made.description, deployment.ended(known, PLACE, str).description):
        assert 0 < len(text) <= 140
        assert text.isprintable()


def test_no_secret_is_reported() -> None:
    secret = "hunter2-hunter2"
    redact = redactor([Secret(secret)])
    named = Change(secret, secret, secret)
    known = replace(outcome(version=named, digest=named), url=f"https://{secret}.example.com")
    made = deployment.deployment_of(known, PLACE, "production", "f00d", redact)
    final = deployment.ended(known, PLACE, redact)
    assert secret not in f"{made.description} {json.dumps(made.payload)} {final}"
    assert final.environment_url == "", "half a URL is none"


@pytest.mark.parametrize("status", [403, 404])
def test_a_missing_permission_is_reported_with_the_block_to_paste(status: int) -> None:
    text = deployment.warning("create the Deployment", Trouble(status, "Resource not accessible by integration"))
    assert text.startswith(f"Could not create the Deployment. GitHub responded with {status}")
    assert "\npermissions:\n  deployments: write\n" in text
    assert "`Resource not accessible by integration`" in text
    assert "verdict of this run does not depend on it" in text


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (Trouble(403, "API rate limit exceeded", rate_limited=True, wait=900.0), "asks for 900 s"),
        (Trouble(429, "", rate_limited=True), "rate limit"),
        (Trouble(401, "Bad credentials"), "`github-token`"),
        (Trouble(422, "No ref found for: abc"), "refused it: 422 `No ref found for: abc`"),
        (Trouble(409, ""), "refused it: 409."),
        (Trouble(502, ""), "failed: 502"),
        (Trouble(0, "ReadTimeout"), "no usable response: ReadTimeout"),
        (Trouble(), "took too long"),
    ],
)
def test_any_other_error_is_reported_as_it_is(trouble: Trouble, says: str) -> None:
    text = deployment.warning("create the Deployment", trouble)
    assert says in text
    assert "permissions" not in text
