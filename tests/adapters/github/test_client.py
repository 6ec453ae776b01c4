"""Deployments over a real socket, with a GitHub server that follows its API description or fails."""

import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from redeploy.github.client import Bounds, DeploymentClient, Record, look
from redeploy.github.deployment import Deployment, Place, State, Status
from redeploy.text.secret import Secret
from sandbox.network.front import Answer
from sandbox.network.github import BAD_GATEWAY, NO_PERMISSION, NOT_FOUND, GitHub, Mishap, problem, unicorn
from tests.adapters.conftest import Serve, http
from tests.adapters.github.conftest import RUN, TOKEN, Start

SHA = "a" * 40
MADE = Deployment(
    ref=SHA,
    environment="production",
    description="Redeploy through Watchtower",
    payload={"mark": "7-1-f00d", "version": {"declared": "v2", "before": "v1"}},
    mark="7-1-f00d",
)
SOON = Bounds(creation=8.0, whole=8.0, hurried=0.6)


def status(state: State) -> Status:
    success = state is State.SUCCESS
    return Status(
        state=state,
        description="deployed: The new build is live",
        environment_url="https://api.example.com",
        log_url=RUN,
        auto_inactive=success,
    )


UNDER_WAY, LIVE, BROKEN = map(status, (State.IN_PROGRESS, State.SUCCESS, State.ERROR))
BOTH = (State.IN_PROGRESS, State.SUCCESS)


def deployment_client(api_url: str, bounds: Bounds = SOON) -> DeploymentClient:
    return DeploymentClient(Place(api_url, "o/r", SHA, RUN, "7-1"), Secret(TOKEN), bounds)


def written(one: GitHub, bounds: Bounds = SOON, final: Status = LIVE) -> Record:
    """The record of a run that ends at once."""
    writing = deployment_client(one.api_url, bounds)
    writing.begin(MADE, UNDER_WAY)
    return writing.end(final, lambda: False)


def kinds(one: GitHub) -> list[str]:
    return [f"{request.method} {request.path.rpartition('/')[2]}" for request in one.seen]


def test_one_deployment_and_its_two_statuses_are_written(github: Start) -> None:
    one = github()
    assert written(one) == Record(2_000_000_001, BOTH, "")
    [made] = one.deployments
    asked = one.talks[0].asked
    assert asked == {
        "ref": SHA,
        "auto_merge": False,
        "required_contexts": [],
        "payload": MADE.payload,
        "environment": "production",
        "description": "Redeploy through Watchtower",
    }
    assert made.states == ["in_progress", "success"]
    assert [each["log_url"] for each in made.statuses] == [RUN, RUN]
    assert [each["environment_url"] for each in made.statuses] == ["https://api.example.com"] * 2
    assert kinds(one) == ["POST deployments", "POST statuses", "POST statuses"]


def test_every_request_carries_the_token_and_our_user_agent(github: Start) -> None:
    one = github()
    written(one)
    for request in one.seen:
        assert (request.header("Authorization") or "").endswith(f" {TOKEN}")
        assert (request.header("User-Agent") or "").startswith("redeploy-action/")


def test_the_first_status_does_not_wait_for_the_end(github: Start) -> None:
    one = github()
    writing = deployment_client(one.api_url)
    writing.begin(MADE, UNDER_WAY)
    _until(lambda: len(one.talks) == 2)
    assert one.deployments[0].states == ["in_progress"]
    assert writing.end(BROKEN, lambda: False).states == (State.IN_PROGRESS, State.ERROR)


def test_a_success_replaces_what_was_rolled_out_before_and_a_failure_does_not(github: Start) -> None:
    one = github()
    place = Place(one.api_url, "o/r", SHA, RUN, "7-1")
    staging = Deployment(
        ref=SHA, environment="staging", description="", payload={"mark": "a"}, mark="a"
    )  # GitHub leaves production unchanged
    for final in (LIVE, BROKEN, LIVE):
        writing = DeploymentClient(place, Secret(TOKEN), SOON)
        writing.begin(staging, UNDER_WAY)
        writing.end(final, lambda: False)
        if final is BROKEN:
            assert one.deployments[0].states[-1] == "success"
    assert one.deployments[0].states[-1] == "inactive"


@pytest.mark.parametrize("mishap", [Mishap(BAD_GATEWAY, obeyed=True), Mishap(unicorn(504), obeyed=True)])
def test_a_deployment_that_was_created_although_github_failed_is_found(mishap: Mishap, github: Start) -> None:
    one = github({"create": [mishap, None]})
    assert written(one) == Record(2_000_000_001, BOTH, "")
    assert len(one.deployments) == 1
    assert kinds(one)[:2] == ["POST deployments", "GET deployments"]


def test_a_deployment_that_was_created_before_the_connection_broke_is_found(github: Start) -> None:
    one = github({"create": [Mishap(obeyed=True), None]})
    assert written(one) == Record(2_000_000_001, BOTH, "")
    assert len(one.deployments) == 1


def test_the_deployment_of_another_run_for_the_same_commit_is_not_mistaken_for_ours(github: Start) -> None:
    one = github({"create": [None, Mishap(BAD_GATEWAY, obeyed=True), None]})
    other = deployment_client(one.api_url)
    other.begin(Deployment(ref=SHA, environment="production", description="", payload={"mark": "x"}, mark="x"), LIVE)
    other.end(LIVE, lambda: False)
    assert written(one).number == 2_000_000_002
    assert one.deployments[0].states == ["success", "success"]
    assert one.deployments[1].states == ["in_progress", "success"]


def test_a_deployment_is_created_again_only_once_it_is_certain_that_there_is_none(github: Start) -> None:
    one = github({"create": [Mishap(BAD_GATEWAY), None]})
    assert written(one) == Record(2_000_000_001, BOTH, "")
    assert len(one.deployments) == 1
    assert kinds(one)[:2] == ["POST deployments", "GET deployments"]
    assert kinds(one).count("POST deployments") == 2


def test_while_deployments_cannot_be_listed_none_is_created_again(github: Start) -> None:
    one = github({"create": [Mishap(BAD_GATEWAY, obeyed=True), None], "list": [Mishap(BAD_GATEWAY)]})
    record = written(one, Bounds(creation=3.5))
    assert record.number is None
    assert "Could not create the Deployment. GitHub failed: 502" in record.warning
    assert kinds(one).count("POST deployments") == 1


def test_a_status_whose_response_was_lost_is_not_written_twice(github: Start) -> None:
    one = github({"status": [None, Mishap(BAD_GATEWAY, obeyed=True), None]})
    assert written(one) == Record(2_000_000_001, BOTH, "")
    assert one.deployments[0].states == ["in_progress", "success"]


def test_a_failed_first_status_does_not_matter_once_the_last_is_written(github: Start) -> None:
    one = github({"status": [Mishap(problem(422, "Validation Failed")), None]})
    assert written(one) == Record(2_000_000_001, (State.SUCCESS,), "")


@pytest.mark.parametrize("answer", [NO_PERMISSION, NOT_FOUND])
def test_a_missing_permission_is_reported_with_the_block_to_paste_after_one_request(
    answer: Answer, github: Start
) -> None:
    one = github({"create": [Mishap(answer)]})
    record = written(one)
    assert (record.number, record.states) == (None, ())
    assert "permissions:\n  deployments: write" in record.warning
    assert len(one.seen) == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (problem(401, "Bad credentials"), "`github-token`"),
        (problem(409, "Conflict: Commit status checks failed for main."), "Commit status checks failed"),
        (
            problem(422, "Validation Failed", errors=[{"code": "custom", "message": "No ref found for: abc"}]),
            "Validation Failed: No ref found for: abc",
        ),
    ],
)
def test_a_refusal_is_reported_with_githubs_message(answer: Answer, says: str, github: Start) -> None:
    one = github({"create": [Mishap(answer)]})
    record = written(one)
    assert says in record.warning
    assert "permissions" not in record.warning
    assert len(one.seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        problem(429, "Too many requests", ("Retry-After", "1")),
        problem(403, "You have exceeded a secondary rate limit.", ("Retry-After", "1")),
        problem(
            403,
            "API rate limit exceeded for installation.",
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", str(int(time.time()))),
        ),
    ],
)
def test_the_client_waits_for_a_short_rate_limit(answer: Answer, github: Start) -> None:
    one = github({"create": [Mishap(answer), None]})
    assert written(one) == Record(2_000_000_001, BOTH, "")
    assert one.seen[1].at - one.seen[0].at >= 1.0


@pytest.mark.parametrize(
    "answer",
    [
        problem(429, "Too many requests", ("Retry-After", "3600")),
        problem(403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."),
        problem(
            403,
            "API rate limit exceeded for installation.",
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", str(int(time.time()) + 1800)),
        ),
    ],
)
def test_the_client_does_not_wait_for_a_long_rate_limit(answer: Answer, github: Start) -> None:
    one = github({"create": [Mishap(answer)]})
    began = time.monotonic()
    record = written(one)
    assert time.monotonic() - began < 2.0
    assert "rate limit" in record.warning
    assert "permissions" not in record.warning
    assert len(one.seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>sign in</html>"),
        Answer(201, b"[1, 2]", "application/json"),
        Answer(201, b"{", "application/json"),
        Answer(307, b'{"message": "Moved Permanently"}', "application/json", (("Location", "http://127.0.0.2:9/"),)),
    ],
)
def test_a_response_that_is_not_githubs_does_not_count(answer: Answer, github: Start) -> None:
    one = github({"create": [Mishap(answer)]})
    record = written(one, Bounds(creation=2.5))
    assert record.number is None
    assert "no usable response" in record.warning
    assert kinds(one).count("POST deployments") == 1


def test_no_one_waits_for_a_github_that_hangs(github: Start) -> None:
    one = github({"create": [Mishap(after=30.0)]})
    began = time.monotonic()
    record = written(one, Bounds(creation=1.0))
    assert 1.0 <= time.monotonic() - began < 1.5
    assert "may still be carried out" in record.warning


def test_a_signal_shortens_the_wait(github: Start) -> None:
    one = github({"status": [None, Mishap(after=30.0)]})
    writing = deployment_client(one.api_url, Bounds(creation=20.0, whole=20.0, hurried=0.5))
    writing.begin(MADE, UNDER_WAY)
    _until(lambda: len(one.talks) == 2)
    began = time.monotonic()
    record = writing.end(LIVE, lambda: time.monotonic() - began > 1.0)
    assert 1.5 <= time.monotonic() - began < 2.3
    assert "final status" in record.warning


def test_a_cancelled_run_creates_no_deployment(github: Start) -> None:
    one = github()
    writing = deployment_client(one.api_url)
    writing._hurry(hurried=True)
    writing.begin(MADE, UNDER_WAY)
    assert writing.end(BROKEN, lambda: True) == Record(None, (), "")
    assert one.seen == []


def test_an_unreachable_github_is_reported() -> None:
    writing = deployment_client("http://127.0.0.1:9/api/v3", Bounds(creation=1.5))
    writing.begin(MADE, UNDER_WAY)
    assert "no usable response: ConnectionError" in writing.end(LIVE, lambda: False).warning


def test_an_unexpected_exception_is_only_a_warning(github: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise KeyError("hunter2")

    monkeypatch.setattr(DeploymentClient, "_write_all", break_down)
    record = written(github())
    assert "KeyError" in record.warning
    assert "hunter2" not in record.warning


def test_a_netrc_file_changes_nothing(github: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    one = github()
    written(one)
    assert all((each.header("Authorization") or "").endswith(TOKEN) for each in one.seen)


def test_proxies_are_honoured(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(http("403 Forbidden", b'{"message": "a proxy"}', Content_Type="application/json"))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    writing = deployment_client("http://github.example/api/v3")
    writing.begin(MADE, UNDER_WAY)
    assert "a proxy" in writing.end(LIVE, lambda: False).warning
    assert proxy.requests[0].startswith("POST http://github.example:80/api/v3/repos/o/r/deployments ")


def test_an_untrusted_certificate_is_refused_and_a_private_authority_can_be_trusted(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = serve(http("403 Forbidden", b'{"message": "it is me"}', Content_Type="application/json"), context)
    for bundle, says in (("", "REQUESTS_CA_BUNDLE"), (str(tmp_path / "ca.pem"), "it is me")):
        if bundle:
            authority.cert_pem.write_to_path(bundle)
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
        writing = deployment_client(server.url)
        writing.begin(MADE, UNDER_WAY)
        assert says in writing.end(LIVE, lambda: False).warning
    assert all(TOKEN in head for head in server.requests)
    # A read may follow, where the connection ends without a response; nothing is written twice.
    assert sum(head.startswith("POST ") for head in server.requests) == 1


def test_pygithubs_own_log_is_silent(
    serve: Serve, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    import github as pygithub

    pygithub.set_log_level(logging.DEBUG)  # by default, it logs redirects from INFO on, to stderr
    elsewhere = "/api/v3/x\r::error::hunter2"
    server = serve(http("301 Moved Permanently", b"{}", Location=f"http://localhost:1{elsewhere}"))
    writing = deployment_client(f"{server.url}/api/v3", Bounds(creation=1.5))
    writing.begin(MADE, UNDER_WAY)
    writing.end(LIVE, lambda: False)
    assert len(server.requests) > 1, "it was redirected"
    assert [each for each in caplog.records if each.name.startswith("github")] == []
    assert capfd.readouterr() == ("", "")


def _until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_lookup_reads_the_environments_deployments_and_writes_nothing(github: Start) -> None:
    one = github()
    assert look(Place(one.api_url, "o/r", SHA, RUN, "7-1"), Secret(TOKEN), "production") is None
    [request] = one.seen
    assert (request.method, request.query["environment"]) == ("GET", ["production"])
    assert one.deployments == []


@pytest.mark.parametrize(
    ("mishap", "status"), [(Mishap(NO_PERMISSION), 403), (Mishap(NOT_FOUND), 404), (Mishap(None), 0)]
)
def test_a_refused_lookup_reports_the_status(github: Start, mishap: Mishap, status: int) -> None:
    one = github({"list": [mishap]})
    found = look(Place(one.api_url, "o/r", SHA, RUN, "7-1"), Secret(TOKEN), "production")
    assert found is not None
    assert (found.status, bool(found.message)) == (status, True)
