"""Failures are reported with their cause and the build that then runs; the same stack recovers from all of them."""

import json
import signal
import time
from dataclasses import replace

import pytest

from sandbox.runner.runner import Interrupt
from sandbox.server.builds import V1, V2, V3
from tests.e2e.conftest import Action
from tests.e2e.parts.registry import BASIC, PASSWORDS, READER, Pushed
from tests.e2e.parts.stack import LINE, Stack

FORK = LINE == "nicholas-fedor"
SHORT = "12s"


@pytest.fixture
def before(stack: Stack) -> Pushed:
    """Run the old build."""
    return stack.serve(V1)


def test_a_wrong_token_updates_nothing(stack: Stack, action: Action, before: Pushed) -> None:
    stack.push(V2)
    action(stack, ("trigger-failed", "auth"), watchtower_token="not-the-token", expect_version=V2.git_sha)
    assert stack.runs(before)


def test_a_url_that_leads_to_the_backend_is_misrouted(stack: Stack, action: Action, before: Pushed) -> None:
    stack.push(V2)
    past_nginx = f"http://127.0.0.1:{stack.ports['BACKEND_PORT']}/ops/watchtower/update"
    action(stack, ("trigger-failed", "misrouted"), watchtower_url=past_nginx, expect_version=V2.git_sha)
    assert stack.runs(before)


def test_nginx_without_the_location_is_misrouted(stack: Stack, action: Action, before: Pushed) -> None:
    stack.push(V2)
    ours, theirs = "include snippets/watchtower.conf;", "location /ops/ { proxy_pass http://$backend; }"
    stack.edit("snippets/portfolio.conf", ours, theirs)
    try:
        action(stack, ("trigger-failed", "misrouted"), expect_version=V2.git_sha)
    finally:
        stack.edit("snippets/portfolio.conf", theirs, ours)
    assert stack.runs(before)


def test_a_build_that_crashes_at_its_start_fails_and_the_next_one_fixes_it(
    stack: Stack, action: Action, before: Pushed
) -> None:
    stack.push(replace(V2, boot=0.0, crashes_after=0.0))
    action(stack, ("unhealthy", "down"), ("unhealthy", "flapping"), expect_version=V2.git_sha, timeout=SHORT)
    assert stack.container().attrs["RestartCount"] > 0
    fixed = stack.push(V3)
    action(stack, ("deployed", ""), expect_version=V3.git_sha)
    assert stack.runs(fixed)


def test_a_build_that_is_never_ready_is_red(stack: Stack, action: Action, before: Pushed) -> None:
    after = stack.push(replace(V2, readiness="never"))
    action(stack, ("unhealthy", "never-ready"), expect_version=V2.git_sha, timeout=SHORT)
    assert stack.runs(after)


def test_a_build_that_never_listens_is_red(stack: Stack, action: Action, before: Pushed) -> None:
    after = stack.push(replace(V2, boot=3600))
    action(stack, ("unhealthy", "down"), expect_version=V2.git_sha, timeout=SHORT)
    assert stack.runs(after)


def test_a_build_without_a_route_is_red(stack: Stack, action: Action, before: Pushed) -> None:
    after = stack.push(replace(V2, lost=("GET /api/projects",)))
    run = action(
        stack,
        ("checks-failed", "routes"),
        expect_version=V2.git_sha,
        required_routes="GET /api/ready\nGET /api/projects",
    )
    assert json.loads(run.outputs["removed-routes"]) == ["GET /api/projects"]
    assert stack.runs(after)


def test_another_build_than_the_declared_one_is_red(stack: Stack, action: Action, before: Pushed) -> None:
    after = stack.push(V3)
    action(stack, ("wrong-build", "wrong-version"), expect_version=V2.git_sha, timeout=SHORT)
    assert stack.runs(after)


def test_an_image_that_cannot_be_started_is_red(stack: Stack, action: Action, before: Pushed) -> None:
    stack.push(replace(V2, starts=False))
    ends = ("trigger-failed", "update-failed") if FORK else ("unhealthy", "down")
    action(stack, ends, expect_version=V2.git_sha, timeout=SHORT)
    assert stack.container().status == "created"


def test_a_registry_that_is_down_is_red_and_the_old_build_stays(stack: Stack, action: Action, before: Pushed) -> None:
    stack.push(V2)
    stack.registry.stop()
    try:
        ends = ("trigger-failed", "update-blocked") if FORK else ("stale", "old-build")
        action(stack, ends, expect_version=V2.git_sha, timeout=SHORT)
    finally:
        stack.registry.start()
    assert stack.runs(before)


def test_a_registry_that_requires_credentials_gets_them_from_the_mounted_folder(
    stack: Stack, action: Action, before: Pushed
) -> None:
    after = stack.push(V2)
    ends = ("trigger-failed", "update-blocked") if FORK else ("stale", "old-build")
    with stack.registry.set_up(PASSWORDS, auth=BASIC):
        action(stack, ends, expect_version=V2.git_sha, timeout=SHORT)
        assert stack.runs(before)
        stack.log_in(READER)
        action(stack, ("deployed", ""), expect_version=V2.git_sha)
    assert stack.runs(after)


def test_a_cancelled_run_ends_at_once_and_the_update_continues(stack: Stack, action: Action) -> None:
    stack.serve(replace(V1, ignores_term=6.0))
    after = stack.push(V2)
    with stack.seen_stopping() as stopping:
        interrupt = Interrupt(0.0, signal.SIGINT, stopping.is_set)
        action(stack, ("cancelled", ""), interrupt=interrupt, expect_version=V2.git_sha)
    _wait_until_it_runs(stack, after)


def _wait_until_it_runs(stack: Stack, pushed: Pushed) -> None:
    deadline = time.monotonic() + 60
    while not stack.runs(pushed):
        assert time.monotonic() < deadline
        time.sleep(0.2)
