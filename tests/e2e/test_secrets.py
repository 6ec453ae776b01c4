"""Secrets on a real engine: containers that use a changed one are recreated, and the others are left alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from sandbox.server.builds import V1, V2
from tests.deploy_files import ROOT
from tests.e2e.conftest import Action
from tests.e2e.parts.registry import Registry
from tests.e2e.parts.stack import Stack, standing

FIRST = "the first"
SECOND = 'p$a ss#w"ord'
SERVICES = ("backend", "nginx", "watchtower")


@pytest.fixture(scope="module")
def stack(client: docker.DockerClient, hub: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that was set up by `env`, and whose backend gets a password from an additional compose file."""
    with standing(client, hub, tmp_path_factory.mktemp("portfolio")) as one:
        one.overlay("smtp.yml", {"services": {"backend": {"environment": {"SMTP_PASSWORD": "${SMTP_PASSWORD}"}}}})
        one.set(WATCHTOWER_HTTP_API_TOKEN="", SMTP_PASSWORD="")
        one.settings.rename(template(one))
        one.settings.write_text("")
        bring(one)
        yield one


def template(stack: Stack) -> Path:
    """The template."""
    return stack.folder / "deploy" / ".env.production.example"


def bring(stack: Stack, password: str = FIRST, *, apply: bool = True) -> str:
    """Render the secrets as the nightly workflow does, and return the log without masks."""
    command = [sys.executable, "-m", "redeploy", "env", "--template", str(template(stack))]
    command += ["--output", str(stack.settings)]
    own = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ}
    secrets = {"SECRET_WATCHTOWER_HTTP_API_TOKEN": stack.token, "SECRET_SMTP_PASSWORD": password}
    ran = subprocess.run(
        [*command, *(["--", *stack.alias(), "up", "-d", "--timeout", "1"] if apply else [])],
        cwd=stack.folder, env={**own, **secrets, "PYTHONPATH": str(ROOT)},
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    output = ran.stdout + ran.stderr
    assert ran.returncode == 0, output
    # The commands that mask secrets contain them, and only the runner reads these.
    log = "".join(line for line in output.splitlines() if not line.startswith("::add-mask::"))
    assert not any(secret in log for secret in (stack.token, password))
    stack.wait_for_watchtower()
    stack.wait_for_service()
    return log


def password_of(stack: Stack) -> str:
    """The password in the service's container."""
    environment = dict(one.split("=", 1) for one in stack.container().attrs["Config"]["Env"])
    return str(environment["SMTP_PASSWORD"])


def containers(stack: Stack) -> dict[str, str | None]:
    """The current containers of the stack."""
    return {service: stack.container(service).id for service in SERVICES}


def test_a_changed_secret_recreates_only_the_containers_that_use_it(stack: Stack) -> None:
    bring(stack)
    before = containers(stack)
    assert password_of(stack) == FIRST
    assert "changed (SMTP_PASSWORD)" in bring(stack, SECOND)
    assert password_of(stack) == SECOND
    assert [name for name, one in containers(stack).items() if one != before[name]] == ["backend"]


def test_unchanged_secrets_leave_everything_alone(stack: Stack) -> None:
    bring(stack)
    before = containers(stack)
    assert "unchanged" in bring(stack)
    assert containers(stack) == before


def test_watchtower_copies_the_old_environment_and_compose_does_not(stack: Stack, action: Action) -> None:
    stack.serve(V1)
    bring(stack)
    after = stack.push(V2)
    bring(stack, SECOND, apply=False)
    action(stack, ("deployed", ""), expect_version=V2.git_sha)
    assert stack.runs(after)
    assert password_of(stack) == FIRST
    stack.up("--timeout", "1", "backend")
    assert stack.runs(after)
    assert password_of(stack) == SECOND
