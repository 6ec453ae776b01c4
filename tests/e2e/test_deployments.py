"""A new build goes live through the shipped compose file and nginx, on a real engine."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from docker.models.containers import Container

from sandbox.server.builds import V1, V2, V3
from tests.e2e.conftest import Action
from tests.e2e.parts.registry import SANDBOX
from tests.e2e.parts.stack import LINE, Stack

FORK = LINE == "nicholas-fedor"
DEPLOYED = ("deployed", "")


def test_a_new_build_is_proven_live(stack: Stack, action: Action) -> None:
    before = stack.serve(V1)
    after = stack.push(V2)
    run = action(stack, DEPLOYED, expect_version=V2.git_sha)
    assert stack.runs(after)
    assert (run.outputs["proof"], run.outputs["watchtower-result"]) == ("version", "updated" if FORK else "accepted")
    assert (run.outputs["version"], run.outputs["previous-version"]) == (V2.git_sha, V1.git_sha)
    digests = (run.outputs["digest"], run.outputs["previous-digest"])
    assert digests == ((after.digest, before.digest) if FORK else ("", ""))
    assert "GET /api/search" in json.loads(run.outputs["added-routes"])


def test_a_pushed_digest_is_proven_to_run(stack: Stack, action: Action) -> None:
    before = stack.serve(V1)
    after = stack.push(V2)
    ends = DEPLOYED if FORK else ("not-started", "digest-unavailable")
    run = action(stack, ends, image=stack.image, expect_digest=after.digest)
    assert stack.runs(after if FORK else before)
    assert run.outputs["proof"] == ("digest" if FORK else "none")


def test_a_change_is_proven_where_nothing_is_declared(stack: Stack, action: Action) -> None:
    stack.serve(V1)
    after = stack.push(V2)
    assert action(stack, DEPLOYED).outputs["proof"] == "change"
    assert stack.runs(after)


def test_the_expected_build_is_running_already(stack: Stack, action: Action) -> None:
    pushed = stack.serve(V2)
    born = stack.container().attrs["Created"]
    run = action(stack, ("already-current", ""), expect_version=V2.git_sha)
    assert run.outputs["watchtower-result"] == ("nothing" if FORK else "accepted")
    run = action(stack, ("unproven", "nothing-to-do" if FORK else "no-change"))
    assert run.messages("warning")
    assert stack.runs(pushed)
    assert stack.container().attrs["Created"] == born


def test_the_action_waits_for_a_large_image(stack: Stack, action: Action) -> None:
    stack.serve(V1)
    after = stack.push(V2, megabytes=300)
    action(stack, DEPLOYED, expect_version=V2.git_sha, timeout="3m")
    assert stack.runs(after)


def test_an_update_continues_after_nginx_times_out(stack: Stack, action: Action) -> None:
    stack.serve(replace(V1, ignores_term=4.0))
    after = stack.push(V2)
    stack.edit("snippets/watchtower.conf", "proxy_read_timeout 31m;", "proxy_read_timeout 2s;")
    try:
        run = action(stack, DEPLOYED, expect_version=V2.git_sha)
    finally:
        stack.edit("snippets/watchtower.conf", "proxy_read_timeout 2s;", "proxy_read_timeout 31m;")
    assert run.outputs["watchtower-result"] == "unknown"
    assert "504" in run.log
    assert stack.runs(after)


def test_an_update_of_nginx_itself_cuts_only_the_trigger(stack: Stack, action: Action) -> None:
    stack.serve(V1)
    stack.set(NGINX_WATCHED="true")
    stack.up("nginx")
    stack.wait_for_service()
    after, nginx = stack.push(V2), stack.push_nginx("v2")
    try:
        run = action(stack, DEPLOYED, expect_version=V2.git_sha, timeout="90s")
        assert stack.runs(nginx, "nginx")
    finally:
        stack.set(NGINX_WATCHED="false")
        stack.up("nginx")
        stack.wait_for_service()
    assert run.outputs["watchtower-result"] == "unknown"
    assert stack.runs(after)


@pytest.fixture
def neighbour(stack: Stack) -> Iterator[Container]:
    """Another service in the backend's network, which responds as another build."""
    command = ["python3", "-m", "sandbox.server.backend", "--host", "0.0.0.0", "--port", "8000", "--build", V3.dump()]
    network = f"{stack.name}_default"
    one = stack.client.containers.run(SANDBOX, command, detach=True, name=f"{stack.name}-neighbour", network=network)
    yield one
    one.remove(force=True)


def test_two_containers_that_swap_addresses_are_distinguished(
    stack: Stack, action: Action, neighbour: Container
) -> None:
    stack.serve(V1)
    network = stack.client.networks.get(f"{stack.name}_default")
    pair = [stack.container(), neighbour]
    addresses = [_address(one, str(network.name)) for one in pair]
    for one in pair:
        network.disconnect(one)
    network.connect(pair[0], ipv4_address=addresses[1], aliases=["backend"])
    network.connect(pair[1], ipv4_address=addresses[0])
    assert [_address(one, str(network.name)) for one in pair] == addresses[::-1]
    time.sleep(2.5)  # as long as the resolver may cache
    action(stack, ("verified", ""), mode="verify", expect_version=V1.git_sha)
    after = stack.push(V2)
    action(stack, DEPLOYED, expect_version=V2.git_sha)
    assert stack.runs(after)


def _address(container: Container, network: str) -> str:
    container.reload()
    return str(container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"])


def test_the_rate_limits_of_nginx_are_kept(stack: Stack, action: Action) -> None:
    before = stack.serve(V1)
    stack.compose("up", "-d", "--force-recreate", "--no-deps", "nginx")
    stack.wait_for_service()
    # Without the client header, all requests count for one address. No new build comes, so the run lasts to its deadline.
    run = action(
        stack, ("stale", "old-build"), headers="", expect_version=V2.git_sha, timeout="40s", stable_for="30s",
        smoke="GET /api/projects\nGET /api/items/1\n",
    )  # fmt: skip
    assert stack.runs(before)
    log = stack.log("nginx")
    assert log.count('"GET /api/') >= 15, log
    assert '" 429 ' not in log
    assert '" 503 ' not in log
    assert run.outputs["watchtower-result"] == ("nothing" if FORK else "accepted")


def test_watchtower_polls_by_itself(stack: Stack, action: Action) -> None:
    stack.serve(V1)
    files = stack.files
    stack.overlay("polls.yml", {"services": {"watchtower": {"environment": {"WATCHTOWER_POLL_INTERVAL": "2"}}}})
    stack.up("watchtower")
    stack.wait_for_watchtower()
    after = stack.push(V2)
    try:
        deadline = time.monotonic() + 60
        while not stack.runs(after):
            assert time.monotonic() < deadline, stack.log("watchtower")
            time.sleep(0.2)
    finally:
        stack.files = files
        stack.up("watchtower")
        stack.wait_for_watchtower()
    stack.wait_for_service()
    action(stack, ("already-current", ""), expect_version=V2.git_sha)
