"""A failed deploy is rolled back where possible, and the run reports the build and tag that result."""

import re
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

import docker
import pytest

from sandbox.runner.results import Run
from sandbox.server.builds import V1, V2, V3
from tests.e2e.conftest import Action
from tests.e2e.parts.realm import realm
from tests.e2e.parts.registry import BASIC, PASSWORDS, READER, SANDBOX, Manifest, Pushed, registry
from tests.e2e.parts.stack import LINE, Stack, standing

FORK = LINE == "nicholas-fedor"
SHORT = "8s"
ENOUGH = "16s"
"""A `timeout` in which even a busy machine puts the image back, replaces the container and sees it start."""
OWNER = {"username": "owner", "password": "another-password"}
READ_ONLY = {"filesystem": {"rootdirectory": "/var/lib/registry"}, "maintenance": {"readonly": {"enabled": True}}}
ROUTE = "GET /api/projects"
LOST = replace(V2, lost=(ROUTE,))
"""A build that fails its check at once, so that tests do not wait."""


@pytest.fixture(scope="module")
def stack(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with its own registry, since these tests move tags and delete manifests."""
    with (
        registry(client, bare=True) as one,
        standing(client, one, tmp_path_factory.mktemp("portfolio")) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def old(stack: Stack) -> tuple[Pushed, Manifest]:
    """The old build in the engine, and in the registry."""
    return stack.serve(V1), stack.registry.manifest(stack.image)


@pytest.fixture
def before(stack: Stack, old: tuple[Pushed, Manifest]) -> Pushed:
    """Run the old build, which the registry has under its tag and under that of its commit."""
    pushed, manifest = old
    for reference in (stack.image, of_commit(stack)):
        stack.registry.point(reference, manifest)
    if not stack.runs(pushed):
        stack.follow_tag()
    stack.wait_for_service()
    return pushed


def of_commit(stack: Stack) -> str:
    """The tag that docker/metadata-action gives to the old build."""
    return stack.image.replace(":latest", f":sha-{V1.git_sha[:7]}")


def deploy(
    action: Action,
    stack: Stack,
    *ends: tuple[str, str],
    timeout: str = "60s",
    required_routes: str = "",
    login: Mapping[str, str] = MappingProxyType({"username": "", "password": ""}),
) -> Run:
    """Deploy the second build with rollback on failure."""
    return action(
        stack, *ends, image=stack.image, expect_version=V2.git_sha, on_failure="rollback", timeout=timeout,
        stable_for="1s", required_routes=required_routes,
        registry_username=login["username"], registry_password=login["password"],
    )  # fmt: skip


def is_back(stack: Stack, before: Pushed, run: Run) -> bool:
    """Whether the old build runs, its tag points to it, and the run reports both."""
    points = stack.registry.manifest(stack.image).digest
    reported = (run.outputs["rolled-back"], run.outputs["version"])
    return stack.runs(before) and points == before.digest and reported == ("true", V1.git_sha)


def by_hand(stack: Stack, run: Run) -> None:
    """Run the commands that a failed rollback prints for a person on the server."""
    block = re.search(r"^\*\*By hand\.\*\*.*?^```sh\n(.*?)^```$", run.summary, re.MULTILINE | re.DOTALL)
    assert block, run.summary
    stack.shell(block[1].replace("docker compose", shlex.join(stack.alias())).replace("your-service", "backend"))
    stack.wait_for_service()


@contextmanager
def meanwhile(stack: Stack, do: Callable[[], object]) -> Iterator[None]:
    """Do something once the engine signals the old container to stop."""
    with stack.seen_stopping() as stopping:
        doing = threading.Thread(target=lambda: stopping.wait(60) and do())
        doing.start()
        yield
        doing.join()


def test_a_build_that_is_never_ready_is_rolled_back(stack: Stack, action: Action, before: Pushed) -> None:
    failed = stack.push(replace(V2, readiness="never"))
    run = deploy(action, stack, ("rolled-back", "never-ready"), timeout=ENOUGH)
    assert is_back(stack, before, run)
    assert run.outputs["proof"] == ("digest" if FORK else "version")
    digests = (run.outputs["digest"], run.outputs["previous-digest"])
    assert digests == ((before.digest, before.digest) if FORK else ("", ""))
    [error] = run.messages("error")
    assert f"docker run --rm {stack.image.removesuffix(':latest')}@{failed.digest}" in error
    action(stack, ("already-current", ""), expect_version=V1.git_sha)
    assert stack.runs(before)


def test_a_build_that_crashes_at_its_start_is_rolled_back(stack: Stack, action: Action, before: Pushed) -> None:
    """The looks for the new build use up requests; if nginx then still asks an old address, the window takes longer."""
    stack.push(replace(V2, boot=0.0, crashes_after=0.0))
    run = deploy(action, stack, ("rolled-back", "down"), ("rolled-back", "flapping"), timeout="40s")
    assert is_back(stack, before, run)


def test_a_container_that_the_engine_no_longer_restarts_is_left_to_a_person(
    stack: Stack, action: Action, before: Pushed
) -> None:
    files = stack.files
    stack.overlay("thrice.yml", {"services": {"backend": {"restart": "on-failure:3"}}})
    stack.up("backend")
    stack.wait_for_service()
    failed = stack.registry.push(stack.image, SANDBOX, 'ENTRYPOINT ["false"]')
    try:
        run = deploy(action, stack, ("rollback-failed", "down"), timeout=SHORT)
    finally:
        stack.files = files
    left = stack.container()
    assert (left.status, left.attrs["Image"]) == ("exited", failed.image_id)
    assert stack.registry.manifest(stack.image).digest == before.digest
    assert run.outputs["rolled-back"] == "false"
    [error] = run.messages("error")
    assert "does not reach" in error
    by_hand(stack, run)
    assert stack.runs(before)


def test_a_container_that_was_only_created_is_left_to_a_person(stack: Stack, action: Action, before: Pushed) -> None:
    stack.push(replace(V2, starts=False))
    run = deploy(action, stack, ("rollback-failed", "update-failed" if FORK else "down"), timeout=SHORT)
    assert stack.container().status == "created"
    assert stack.registry.manifest(stack.image).digest == before.digest
    assert run.outputs["rolled-back"] == "false"
    [error] = run.messages("error")
    assert "does not reach" in error
    by_hand(stack, run)
    assert stack.runs(before)


def test_an_image_that_was_deleted_cannot_be_put_back(stack: Stack, action: Action, before: Pushed) -> None:
    stays = stack.push(LOST)
    stack.registry.prune(stack.image, before.digest)
    run = deploy(action, stack, ("rollback-failed", "routes"), required_routes=ROUTE)
    assert stack.runs(stays)
    assert stack.registry.manifest(stack.image).digest == stays.digest
    assert run.outputs["rolled-back"] == "false"
    [error] = run.messages("error")
    assert "the registry has no image under" in error


def test_a_concurrent_push_is_left_alone(stack: Stack, action: Action, before: Pushed) -> None:
    theirs = stack.push(V3)
    push = stack.registry.manifest(stack.image)
    stays = stack.push(LOST)
    with meanwhile(stack, lambda: stack.registry.point(stack.image, push)):
        run = deploy(action, stack, ("rollback-failed", "routes"), required_routes=ROUTE)
    assert stack.runs(stays)
    assert stack.registry.manifest(stack.image).digest == theirs.digest
    [error] = run.messages("error")
    assert "another push moved the tag" in error


def test_a_read_only_registry_keeps_its_tag(stack: Stack, action: Action, before: Pushed) -> None:
    stays = stack.push(LOST)
    with stack.registry.set_up(storage=READ_ONLY):
        run = deploy(action, stack, ("rollback-failed", "routes"), required_routes=ROUTE)
    assert stack.runs(stays)
    assert stack.registry.manifest(stack.image).digest == stays.digest
    [error] = run.messages("error")
    assert "read-only" in error


@pytest.mark.parametrize("name", ["digest", "tag"])
def test_mode_rollback_puts_an_earlier_image_back(name: str, stack: Stack, action: Action, before: Pushed) -> None:
    stack.serve(V2)
    earlier = before.digest if name == "digest" else of_commit(stack).rpartition(":")[2]
    run = action(stack, ("deployed", ""), mode="rollback", image=stack.image, rollback_to=earlier)
    assert is_back(stack, before, run)
    assert run.outputs["proof"] == ("digest" if FORK else "change")
    assert run.outputs["previous-version"] == V2.git_sha


def test_mode_rollback_takes_back_a_push_that_is_not_live_yet(stack: Stack, action: Action, before: Pushed) -> None:
    pushed = stack.push(V2)
    ends = ("already-current", "") if FORK else ("not-started", "rollback-impossible")
    run = action(stack, ends, mode="rollback", image=stack.image)
    assert stack.runs(before)
    assert is_back(stack, before, run) == FORK
    assert stack.registry.manifest(stack.image).digest == (before if FORK else pushed).digest


def test_the_expected_version_is_read_from_the_image(stack: Stack, action: Action, before: Pushed) -> None:
    after = stack.push(V2)
    run = action(stack, ("deployed", ""), image=stack.image, expect_version="image")
    assert stack.runs(after)
    assert (run.outputs["proof"], run.outputs["version"]) == ("version", V2.git_sha)


@pytest.mark.skipif(not FORK, reason="containrrr/watchtower reports no digests")
def test_the_action_waits_until_a_digest_is_pushed(stack: Stack, action: Action, before: Pushed) -> None:
    after = stack.push(V2)
    push = stack.registry.manifest(stack.image)
    stack.registry.point(stack.image, stack.registry.manifest(of_commit(stack)))
    seen: list[bool] = []

    def finish(line: str) -> None:
        if "Waiting for it" in line:
            seen.append(stack.runs(before))
            stack.registry.point(stack.image, push)

    run = action(stack, ("deployed", ""), on_line=finish, image=stack.image, expect_digest=after.digest)
    assert seen == [True]
    assert stack.runs(after)
    assert run.outputs["proof"] == "digest"


def test_a_rollback_sends_the_password_that_the_registry_requires(stack: Stack, action: Action, before: Pushed) -> None:
    stack.push(LOST)
    with stack.registry.set_up(PASSWORDS, auth=BASIC):
        stack.log_in(READER)
        run = deploy(action, stack, ("rolled-back", "routes"), required_routes=ROUTE, login=READER)
    assert is_back(stack, before, run)


def test_a_user_who_may_only_read_cannot_roll_back(stack: Stack, action: Action, before: Pushed) -> None:
    stays = stack.push(LOST)
    with realm(READER, OWNER) as tokens, stack.registry.set_up(tokens.files, auth=tokens.settings):
        run = deploy(action, stack, ("rollback-failed", "routes"), required_routes=ROUTE, login=READER)
        assert stack.runs(stays)
        [error] = run.messages("error")
        assert "does not let" in error
        run = action(
            stack, ("deployed", ""), mode="rollback", image=stack.image, rollback_to=before.digest,
            registry_username=OWNER["username"], registry_password=OWNER["password"],
        )  # fmt: skip
    assert is_back(stack, before, run)


@pytest.mark.skipif(FORK, reason="nicholas-fedor/watchtower finds such an image")
def test_containrrr_finds_no_image_of_a_registry_with_a_port(stack: Stack, action: Action) -> None:
    named = replace(stack, registry=replace(stack.registry, address=f"{stack.registry.address}:80"))
    named.set(BACKEND_IMAGE=named.image)
    before = named.serve(V1)
    named.push(LOST)
    try:
        run = deploy(action, named, ("stale", "old-build"), timeout=SHORT)
        assert named.runs(before)
        assert "No rollback was tried" in run.log
    finally:
        stack.set(BACKEND_IMAGE=stack.image)
        stack.follow_tag()
        named.registry.forget()
