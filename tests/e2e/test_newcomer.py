"""A new user's first redeploy on a real engine: the steps that `init` prints, pasted one by one."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker
import pytest
import trustme

from sandbox.runner.results import Run
from sandbox.server.builds import V1, V2
from tests.e2e.conftest import Action
from tests.e2e.parts.certificates import issue
from tests.e2e.parts.registry import Registry
from tests.e2e.parts.stack import LINE, Stack, compose
from tests.first_run import Newcomer
from tests.ports import free_port

pytestmark = pytest.mark.skipif(LINE == "containrrr", reason="init sets up nicholas-fedor/watchtower")

DOMAIN = "api.example.com"
NAME = "shop"


@dataclass
class Server:
    """The new user's server on this machine, with its folders below a temporary one, and its own names and ports."""

    stack: Stack
    etc: Path
    programs: Path
    """The folder of programs that take precedence over the machine's own."""
    answers: tuple[str, ...] = ()
    """The flags for `init` that say where nginx runs."""
    port: int = field(default_factory=free_port)
    """The port on which nginx on the host listens."""

    @property
    def origin(self) -> str:
        """The origin that the domain leads to."""
        return self.stack.origin if self.stack.authority else f"http://127.0.0.1:{self.port}"

    def move(self) -> None:
        """Change the copied files to other ports, as an administrator does when the usual ones are taken."""
        self.stack.stand_apart()
        self.stack.set(NGINX_IMAGE="nginx:1.28", TLS_CERTS=str(self.stack.folder / "certs"))
        for file in (self.stack.folder / "deploy" / "nginx").glob("*.conf"):
            file.write_text(self.stack.with_ports(file.read_text(), self.port))

    def paste(self, commands: str, folder: Path) -> str:
        """Run printed commands, with this server's folders, names and address, and return their output."""
        for usual, ours in (
            (f"/opt/{NAME}", str(self.stack.folder)),
            ("/etc/", f"{self.etc}/"),
            (f"{NAME}-nginx", self.stack.container_name("nginx")),
            (f"https://{DOMAIN}", self.origin),
        ):
            commands = commands.replace(usual, ours)
        own = {name: os.environ[name] for name in ("HOME", "DOCKER_HOST") if name in os.environ}
        own["GIT_CONFIG_GLOBAL"] = os.devnull
        own |= {"CURL_CA_BUNDLE": str(self.stack.authority)} if self.stack.authority else {}
        ran = subprocess.run(
            ["/bin/sh", "-ec", commands],
            cwd=folder, env={**own, **_WHO, "PATH": f"{self.programs}:{os.environ['PATH']}"}, stdin=subprocess.DEVNULL,
            check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert ran.returncode == 0, f"{commands}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def run(self, action: Action, inputs: dict[str, str], secrets: dict[str, str]) -> Run:
        """Run the action with the inputs of a workflow."""
        given = {name: text.replace(f"https://{DOMAIN}", self.origin) for name, text in inputs.items()}
        if self.stack.authority:
            given["ca-certificate"] = self.stack.authority.read_text()
        return action.runner.run(given, secrets=[secrets["WATCHTOWER_HTTP_API_TOKEN"], given["watchtower-url"]])


_DOCKER = """\
if [ "$1" = compose ]; then
  shift
  for word in "$@"; do
    shift
    if [ "$word" = up ]; then set -- "$@" -f deploy/own.yml; fi
    set -- "$@" "$word"
  done
  exec {compose} --project-name {name} "$@"
fi
PATH=${{PATH#*:}}
exec docker "$@"
"""
"""A stand-in for `docker` that uses this machine's Compose, and the overlay that separates several servers."""
_WHO = {
    f"GIT_{role}_{part}": text
    for role in ("AUTHOR", "COMMITTER")
    for part, text in (("NAME", "redeploy-action"), ("EMAIL", "redeploy-action@localhost"))
}
"""The author of commits."""


@pytest.fixture
def bare(client: docker.DockerClient, hub: Registry, tmp_path: Path) -> Server:
    """A server with only Docker, and stand-ins for `ssh` and `scp`."""
    stack = Stack(client, hub, tmp_path / NAME, main=f"docker-compose.{NAME}-prod.yml")
    server = Server(stack, tmp_path / "etc", tmp_path / "programs")
    server.programs.mkdir()
    programs = {
        "ssh": 'shift; exec "$@"',
        "scp": 'exec cp "$1" "$2" "${3#*:}"',
        "docker": _DOCKER.format(compose=shlex.join(compose()), name=stack.name),
        "nginx": f'exec docker exec {stack.name}-host-nginx nginx "$@"',
    }
    for name, text in programs.items():
        (server.programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (server.programs / name).chmod(0o755)
    return server


@contextmanager
def nginx_on_the_host(server: Server) -> Iterator[None]:
    """An nginx that serves nothing yet, in the host's network and with the server's files."""
    parts = {server.etc / "nginx" / part: f"/etc/nginx/{part}" for part in ("conf.d", NAME)}
    for folder in parts:
        folder.mkdir(parents=True)
    one = server.stack.client.containers.run(
        "nginx:1.28", detach=True, network_mode="host", name=f"{server.stack.name}-host-nginx",
        volumes={str(folder): {"bind": place, "mode": "ro"} for folder, place in parts.items()},
    )  # fmt: skip
    try:
        yield
    finally:
        one.remove(force=True)


@contextmanager
def certbots_certificate(server: Server, folder: Path) -> Iterator[None]:
    """The certificate of a server whose nginx, in a container, terminates TLS itself."""
    authority = trustme.CA()
    server.stack.authority = folder / "authority.pem"
    authority.cert_pem.write_to_path(server.stack.authority)
    (server.etc / "letsencrypt" / "live").mkdir(parents=True)
    issue(authority, server.etc / "letsencrypt" / "live" / DOMAIN)
    server.stack.files = ("docker-compose.tls.yml",)
    server.answers = ("--nginx", "compose", "--tls", "nginx")
    yield


@pytest.fixture(params=["nginx on the host", "nginx in a container"])
def server(request: pytest.FixtureRequest, bare: Server, tmp_path: Path) -> Iterator[Server]:
    """A server, with nginx on the host behind a tunnel, or with nginx in a container that terminates TLS."""
    on_the_host = request.param == "nginx on the host"
    with nginx_on_the_host(bare) if on_the_host else certbots_certificate(bare, tmp_path):
        yield bare
        if bare.stack.folder.exists():
            bare.stack.down()


@pytest.fixture
def newcomer(server: Server, tmp_path: Path) -> Newcomer:
    """A new user who has run `init` in the service's repository, which has a remote."""
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "origin"], check=True)
    subprocess.run(["git", "clone", "--quiet", tmp_path / "origin", tmp_path / "repository"], check=True)
    answers = ("--domain", DOMAIN, "--image", server.stack.image, "--name", NAME, *server.answers)
    one = Newcomer(tmp_path / "repository", answers)
    assert one.init().returncode == 0
    return one


def paths(repository: Path) -> set[str]:
    """The files of a repository that were pushed."""
    asked = ["git", "ls-tree", "-r", "--name-only", "@{push}"]
    return set(subprocess.run(asked, cwd=repository, check=True, capture_output=True, text=True).stdout.splitlines())


def test_the_printed_steps_lead_from_init_to_the_first_redeploy(
    newcomer: Newcomer, server: Server, action: Action
) -> None:
    stack, here = server.stack, newcomer.repository
    before = stack.push(V1)
    *_, look, last = range(1, len(re.findall(r"(?m)^\d+\. ", newcomer.output)) + 1)

    secrets = newcomer.secrets(server.programs)
    server.paste(newcomer.step(2), here)
    assert stack.settings.stat().st_mode & 0o777 == 0o600
    server.move()
    start, renewed, command = newcomer.step(3).partition("docker exec ")
    server.paste(start, here)
    stack.wait_for_watchtower()
    for path in ("/healthz", "/api/ready"):
        stack.wait_for(f"{server.origin}{path}")
    server.paste(renewed + command, here)  # as certbot would do
    assert stack.runs(before)
    assert server.paste(newcomer.step(look), here) == "401\n"
    server.paste(newcomer.step(last), here)
    doctor, redeploy = re.findall(r"gh workflow run (.*)", newcomer.step(last))
    published = paths(here)
    assert {f".github/workflows/{name}" for name in (doctor, redeploy)} <= published
    assert "deploy/.env.production" not in published

    examined = server.run(action, newcomer.inputs(secrets, doctor), secrets)
    assert (examined.outputs["verdict"], examined.problems) == ("ready", ()), examined.log
    assert examined.outputs["digest"] == before.digest
    after = stack.push(V2)
    redeployed = server.run(action, newcomer.inputs(secrets, redeploy), secrets)
    assert (redeployed.outputs["verdict"], redeployed.problems) == ("deployed", ()), redeployed.log
    assert (redeployed.outputs["proof"], redeployed.outputs["digest"]) == ("change", after.digest)
    assert stack.runs(after)
