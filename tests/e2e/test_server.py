"""The server as docs/server.md describes it: each way to run nginx, and the commands of the page unchanged."""

import re
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import trustme

from sandbox.server.builds import V1, V2
from tests.e2e.conftest import Action
from tests.e2e.parts.certificates import issue
from tests.e2e.parts.registry import Registry
from tests.e2e.parts.stack import COMPOSES, LINE, PAGE, Stack, compose, documented, standing, works
from tests.ports import free_port

FORK = LINE == "nicholas-fedor"
DEPLOYED = ("deployed", "")


def adapted(text: str, stack: Stack) -> str:
    """Commands of the page, with this stack's names instead of the portfolio's."""
    ports = {"8001": "BACKEND_PORT", "8082": "NGINX_PORT", "8083": "WATCHTOWER_PORT"}
    for usual, name in ports.items():
        text = text.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{stack.ports[name]}")
    return text.replace("portfolio-", f"{stack.name}-").replace("https://api.leoklemet.com", stack.origin)


def with_alias(text: str, stack: Stack) -> str:
    """Commands that may use the page's alias `portfolio`."""
    return f'portfolio() {{ {" ".join(stack.alias())} "$@"; }}\n{text}'


def test_all_services_are_healthy_by_the_checks_of_the_compose_file(stack: Stack) -> None:
    for service in ("backend", "nginx", "watchtower"):
        stack.wait_until_healthy(service)


def test_the_check_step_returns_the_statuses_that_the_page_says(stack: Stack) -> None:
    [asking] = documented("**6. Check.**")
    # There is a separate test for nginx on the host.
    asking = "".join(line for line in asking.splitlines(keepends=True) if "http://127.0.0.1/" not in line)
    statuses = re.findall(r"# (\d{3}):", asking)
    assert len(statuses) == 3
    assert stack.shell(adapted(asking, stack)).split() == statuses


def test_the_maintenance_commands_of_the_page_work_unchanged(stack: Stack) -> None:
    pushed = stack.serve(V1)
    server, digest, view, anywhere = (adapted(block, stack) for block in documented("## Look after it"))
    assert "--tail=50 -f\n" in server  # which would never end
    output = stack.shell(server.replace(" -f\n", "\n"))
    for service in ("backend", "nginx", "watchtower"):
        assert f"{stack.container_name(service)} Up" in output
    assert pushed.image_id in output
    assert f"portfolio/backend@{pushed.digest}" in stack.shell(digest)
    if FORK:
        output = stack.shell(view)
        assert f'"{pushed.digest}"' in output
        assert '"update_available": false' in output
        assert "watchtower_scans_total" in output
    assert '"ok":true' in stack.shell(anywhere)


def test_an_update_by_hand_and_a_new_token_work_as_the_page_says(stack: Stack, action: Action) -> None:
    stack.serve(V1)
    after = stack.push(V2)
    page = PAGE.read_text(encoding="utf-8")
    [by_hand] = re.findall(r"^\| update by hand \| `(.*?)`", page, re.MULTILINE)
    stack.shell(with_alias(by_hand, stack))
    assert stack.runs(after)
    old, stack.token = stack.token, "another-token-of-a-decent-length"
    stack.set(WATCHTOWER_HTTP_API_TOKEN=stack.token)
    [up] = re.findall(r"^\| change a setting or the token \| .*?`(portfolio .*?)`", page, re.MULTILINE)
    stack.shell(with_alias(up, stack))
    stack.wait_for_watchtower()
    action(stack, ("trigger-failed", "auth"), watchtower_token=old)
    action(stack, ("already-current", ""), expect_version=V2.git_sha)


@pytest.fixture
def host_nginx(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """nginx on the host, on its own port: in the host's network, with `nginx.prod.conf` where the page copies it."""
    port = free_port()
    text = (stack.folder / "deploy" / "nginx" / "nginx.prod.conf").read_text()
    (tmp_path / "portfolio.conf").write_text(stack.with_ports(text, port))
    mounts = {
        str(tmp_path / "portfolio.conf"): {"bind": "/etc/nginx/conf.d/default.conf", "mode": "ro"},
        str(stack.folder / "deploy" / "nginx" / "snippets"): {"bind": "/etc/nginx/snippets", "mode": "ro"},
    }
    one = stack.client.containers.run(
        "nginx:1.28", detach=True, network_mode="host", volumes=mounts, name=f"{stack.name}-host-nginx"
    )
    stack.wait_for(f"http://127.0.0.1:{port}/healthz")
    yield f"http://127.0.0.1:{port}"
    one.remove(force=True)


def test_nginx_on_the_host_reaches_service_and_watchtower(stack: Stack, action: Action, host_nginx: str) -> None:
    stack.serve(V1)
    after = stack.push(V2)
    action(stack, DEPLOYED, watchtower_url=f"{host_nginx}/ops/watchtower/update", expect_version=V2.git_sha)
    assert stack.runs(after)


@pytest.fixture
def secure(client: docker.DockerClient, hub: Registry, tmp_path: Path) -> Iterator[Stack]:
    """A stack whose nginx terminates TLS itself, with a certificate of a private authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    issue(authority, tmp_path / "certs")
    with standing(
        client, hub, tmp_path / "portfolio", "docker-compose.tls.yml",
        authority=tmp_path / "authority.pem", TLS_CERTS=str(tmp_path / "certs"),
    ) as one:  # fmt: skip
        yield one


def test_a_private_authority_is_trusted_when_it_is_an_input(secure: Stack, action: Action) -> None:
    assert secure.authority
    after = secure.push(V2)
    action(secure, ("trigger-failed", "tls"), expect_version=V2.git_sha)
    action(secure, DEPLOYED, ca_certificate=secure.authority.read_text(), expect_version=V2.git_sha)
    assert secure.runs(after)


@pytest.mark.parametrize("command", COMPOSES, ids=" ".join)
def test_each_compose_version_starts_the_stack(
    command: tuple[str, ...],
    client: docker.DockerClient,
    hub: Registry,
    tmp_path: Path,
    action: Action,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not works(command):
        pytest.skip(f"`{' '.join(command)}` is not installed")
    monkeypatch.setenv("E2E_COMPOSE", " ".join(command))
    assert compose() == command
    with standing(client, hub, tmp_path / "portfolio") as one:
        after = one.push(V2)
        action(one, DEPLOYED, expect_version=V2.git_sha)
        assert one.runs(after)
