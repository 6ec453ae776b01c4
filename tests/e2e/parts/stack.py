"""The server as docs/server.md sets it up, with the shipped files, as its own Compose project on this engine."""

import json
import os
import re
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker
import requests
from docker.errors import NotFound
from docker.models.containers import Container

from sandbox.server.builds import V1, Build
from sandbox.watchtower.variants import Variant
from tests.deploy_files import DEPLOY, ROOT
from tests.e2e.parts.images import watchtower
from tests.e2e.parts.registry import Pushed, Registry
from tests.ports import free_port

BACKEND = "portfolio/backend:latest"
NGINX = "portfolio/portfolio:latest"
REAL_WATCHTOWER = os.environ.get("E2E_WATCHTOWER_IMAGE", "")
"""The image of a real Watchtower, which replaces the sandbox's."""
LINE: Variant = (
    "containrrr" if "containrrr" in (REAL_WATCHTOWER or os.environ.get("E2E_LINE", "")) else "nicholas-fedor"
)
COMPOSES = (("docker", "compose"), ("docker-compose",))
PAGE = ROOT / "docs" / "server.md"
_PATIENCE = 60.0


def compose() -> tuple[str, ...]:
    """The Compose of this machine: v2 if installed, else docker-compose; `E2E_COMPOSE` names another."""
    if named := os.environ.get("E2E_COMPOSE"):
        return tuple(named.split())
    return next(command for command in COMPOSES if works(command))


def works(command: Sequence[str]) -> bool:
    """Whether this Compose is installed."""
    asked = [*command, "version"]
    return (
        shutil.which(command[0]) is not None and not subprocess.run(asked, check=False, capture_output=True).returncode
    )


def documented(text: str) -> list[str]:
    """The shell commands below a heading or a step of docs/server.md, one text per block."""
    page = PAGE.read_text(encoding="utf-8")
    below = page[page.index(text) :]
    end = re.compile(r"^(?:## |\*\*\d)", re.MULTILINE).search(below, len(text))
    return re.findall(r"^```sh\n(.*?)^```$", below[: end.start() if end else None], re.MULTILINE | re.DOTALL)


@dataclass
class Stack:
    """A server with service, Watchtower and nginx, started and removed together."""

    client: docker.DockerClient
    registry: Registry
    folder: Path
    """The folder that the documentation calls /opt/portfolio."""
    name: str = field(default_factory=lambda: f"redeploy-{secrets.token_hex(3)}")
    files: tuple[str, ...] = ()
    """Overlays of `deploy/`, in addition to that of the product line."""
    main: str = "docker-compose.portfolio-prod.yml"
    """The compose file of `deploy/` to which the overlays are added."""
    authority: Path | None = None
    """The certificate of the authority that issued nginx's, if nginx terminates TLS."""
    token: str = ""
    ports: Mapping[str, int] = field(
        default_factory=lambda: {
            name: free_port() for name in ("BACKEND_PORT", "NGINX_PORT", "WATCHTOWER_PORT", "TLS_PORT")
        }
    )

    @property
    def update_url(self) -> str:
        """The trigger URL, through nginx."""
        return f"{self.origin}/ops/watchtower/update"

    @property
    def origin(self) -> str:
        """The origin of nginx."""
        return f"https://localhost:{self.ports['TLS_PORT']}" if self.authority else self.clear_origin

    @property
    def clear_origin(self) -> str:
        """The origin of nginx without TLS."""
        return f"http://127.0.0.1:{self.ports['NGINX_PORT']}"

    @property
    def image(self) -> str:
        """The image reference of the service."""
        return self.registry.reference(BACKEND)

    @property
    def nginx_image(self) -> str:
        """The image reference of nginx."""
        return self.registry.reference(NGINX)

    @property
    def settings(self) -> Path:
        """The environment file that Compose reads."""
        return self.folder / "deploy" / ".env.production"

    def lay_out(self, **settings: str) -> None:
        """Put the files where the documentation says, and generate a token, with the documentation's commands."""
        shutil.copytree(DEPLOY, self.folder / "deploy")
        for block in documented("**2. Token.**"):
            self.shell(block.replace("/opt/portfolio", str(self.folder)))
        [self.token] = re.findall(r"^WATCHTOWER_HTTP_API_TOKEN=(.{64})$", self.settings.read_text(), re.MULTILINE)
        self.set(BACKEND_IMAGE=self.image, NGINX_IMAGE=self.nginx_image, **settings)
        self.stand_apart()

    def stand_apart(self) -> None:
        """Give it its own names, addresses and Watchtower, so that several stacks can run on one engine.

        Its scheduled updates, every five minutes, would take up a tag that a test moves while a run is under way.
        """
        (self.folder / "docker-config").mkdir()
        self.set(
            WATCHTOWER_IMAGE=REAL_WATCHTOWER or watchtower(LINE),
            DOCKER_CONFIG_DIR=str(self.folder / "docker-config"),
            WATCHTOWER_DOCKER_API_VERSION=str(self.client.version()["ApiVersion"]),
            **{name: str(port) for name, port in self.ports.items()},
        )
        labels = {"com.centurylinklabs.watchtower.scope": self.name}
        own: dict[str, dict[str, object]] = {
            name: {"container_name": self.container_name(name), "labels": labels}
            for name in ("backend", "nginx", "watchtower")
        }
        own["watchtower"]["environment"] = {"WATCHTOWER_SCOPE": self.name, "WATCHTOWER_POLL_INTERVAL": "86400"}
        networks = {"default": {"ipam": {"config": [{"subnet": self._free_subnet()}]}}}
        self.overlay("own.yml", {"services": own, "networks": networks})

    def overlay(self, name: str, content: Mapping[str, object]) -> None:
        """Write one more compose file; `up` applies it."""
        (self.folder / "deploy" / name).write_text(json.dumps(content))
        self.files = (*(one for one in self.files if one != name), name)

    def container_name(self, service: str) -> str:
        """The name of a service's container, which is `portfolio-...` in the shipped file."""
        return f"{self.name}-{service}"

    def set(self, **settings: str) -> None:
        """Write settings into `.env.production`; `up` applies them."""
        text = self.settings.read_text()
        for name, value in settings.items():
            text = re.sub(rf"^{name}=.*\n", "", text, flags=re.MULTILINE) + f"{name}={value}\n"
        self.settings.write_text(text)

    def compose(self, *arguments: str) -> str:
        """Run Compose as the documentation's alias `portfolio` does, and return its output."""
        ran = subprocess.run(
            [*self.alias(), *arguments], cwd=self.folder, check=False, capture_output=True, text=True, timeout=300
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def alias(self) -> list[str]:
        """The documentation's alias `portfolio`, for this project."""
        overlays = [f"deploy/{name}" for name in self.files]
        if LINE == "containrrr":
            overlays.insert(0, "deploy/docker-compose.containrrr.yml")
        named = [part for path in (f"deploy/{self.main}", *overlays) for part in ("-f", path)]
        return [
            *compose(), "--project-name", self.name, "--env-file", "deploy/.env.production", "--profile", "nginx", *named
        ]  # fmt: skip

    def shell(self, text: str, *, seconds: float = 60) -> str:
        """Run commands in the server's folder as a person does, and return their output."""
        ran = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", text],
            cwd=self.folder, check=False, capture_output=True, text=True, timeout=seconds,
        )  # fmt: skip
        assert ran.returncode == 0, f"{text}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def up(self, *arguments: str) -> None:
        """Apply the settings to all services, or to those named."""
        self.compose("up", "-d", *arguments)

    def start(self) -> None:
        """Start all services, and wait until they respond."""
        self.up()
        self.wait_for_watchtower()
        self.wait_for_service()

    def push(self, build: Build, *, megabytes: int = 0) -> Pushed:
        """Point the service's tag to a build."""
        return self.registry.push_build(self.image, build, megabytes=megabytes)

    def push_nginx(self, name: str) -> Pushed:
        """Point nginx's tag to an image of that name."""
        return self.registry.push(self.nginx_image, "nginx:1.28", f"LABEL build={name}")

    def serve(self, build: Build = V1) -> Pushed:
        """Have the service run this build, as an administrator would do it by hand, and wait until it responds."""
        pushed = self.push(build)
        self.follow_tag()
        return pushed

    def follow_tag(self) -> None:
        """Have the service run the image that its tag points to, by hand as well, and wait until it responds."""
        self.compose("pull", "backend")
        # A container that a test has left may resist removal, and has the label by which Compose recognises its containers.
        self.up("--timeout", "1", "--force-recreate", "backend")
        self.wait_for_service()

    def log_in(self, login: Mapping[str, str]) -> None:
        """Give Watchtower credentials for the registry, as the documentation says."""
        command = ["login", self.registry.address, "--username", login["username"], "--password-stdin"]
        subprocess.run(
            ["docker", "--config", str(self.folder / "docker-config"), *command],
            input=login["password"], text=True, check=True, capture_output=True,
        )  # fmt: skip

    def wait_for_service(self) -> None:
        """Wait until the service is ready, and reachable through nginx."""
        for url in (f"http://127.0.0.1:{self.ports['BACKEND_PORT']}/api/ready", f"{self.origin}/openapi.json"):
            self.wait_for(url)

    def wait_for_watchtower(self) -> None:
        """Wait until Watchtower responds, with 401 since no token is sent."""
        self.wait_for(f"http://127.0.0.1:{self.ports['WATCHTOWER_PORT']}/v1/update", status=401)

    def wait_until_healthy(self, service: str) -> None:
        """Wait until the engine reports a service as healthy, by the check of the compose file."""
        deadline = time.monotonic() + _PATIENCE
        while (health := self.container(service).attrs["State"]["Health"])["Status"] != "healthy":
            assert time.monotonic() < deadline, health
            time.sleep(0.5)

    def container(self, service: str = "backend") -> Container:
        """The container of a service as it is now; raises `NotFound`."""
        return self.client.containers.get(self.container_name(service))

    def runs(self, pushed: Pushed, service: str = "backend") -> bool:
        """Whether the container really runs that image."""
        try:
            container = self.container(service)
        except NotFound:
            return False
        return container.status == "running" and container.attrs["Image"] == pushed.image_id

    @contextmanager
    def seen_stopping(self) -> Iterator[threading.Event]:
        """An event that is set once the engine signals the service's container to stop."""
        seen = threading.Event()
        events = self.client.events(filters={"container": self.container_name("backend"), "event": "kill"}, decode=True)

        def listen() -> None:
            for _ in events:
                seen.set()
                return

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield seen
        finally:
            events.close()
            listener.join()

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a mounted file of nginx in place, and reload nginx."""
        file = self.folder / "deploy" / "nginx" / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        self.compose("exec", "-T", "nginx", "nginx", "-s", "reload")

    def with_ports(self, text: str, port: int) -> str:
        """An nginx file for the host, with this port to listen on and this stack's ports to proxy to."""
        for usual, own in (
            ("80 ", port),
            ("80;", port),
            ("8001;", self.ports["BACKEND_PORT"]),
            ("8083;", self.ports["WATCHTOWER_PORT"]),
        ):
            text = text.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{own}{usual[-1]}")
        return text

    def log(self, service: str) -> str:
        """The log of a service since it was created."""
        return str(self.container(service).logs().decode())

    def down(self) -> None:
        """Remove everything, Watchtower first, so that it does not recreate what was just removed."""
        self.compose("rm", "--stop", "--force", "watchtower")
        self.compose("down", "--volumes", "--timeout", "1")
        ours: dict[str, str | list[str] | bool] = {"label": f"com.docker.compose.project={self.name}"}
        left = [
            *self.client.containers.list(all=True, filters=ours),
            *self.client.networks.list(filters=ours),
            *self.client.volumes.list(filters=ours),
        ]
        assert left == []

    def _free_subnet(self) -> str:
        # At random, since several tests may look for one at the same time.
        taken = json.dumps([network.attrs["IPAM"] for network in self.client.networks.list()])
        while (subnet := f"10.{128 + secrets.randbelow(128)}.{secrets.randbelow(256)}.0/24") in taken:
            pass
        return subnet

    def wait_for(self, url: str, status: int = 200) -> None:
        """Wait until a URL responds with this status."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                method = "POST" if status == 401 else "GET"
                found = requests.request(method, url, timeout=2, verify=str(self.authority) if self.authority else True)
                if found.status_code == status:
                    return
                last = f"{found.status_code}"
            except requests.RequestException as error:
                last = str(error)
            assert time.monotonic() < deadline, (
                f"{url}: {last}\n{self.compose('ps')}{self.compose('logs', '--tail=20')}"
            )
            time.sleep(0.1)


@contextmanager
def standing(
    client: docker.DockerClient,
    registry: Registry,
    folder: Path,
    *files: str,
    authority: Path | None = None,
    **settings: str,
) -> Iterator[Stack]:
    """Run a stack with `V1` for a while; `files` are overlays of `deploy/`."""
    stack = Stack(client, registry, folder, files=files, authority=authority)
    stack.lay_out(**settings)
    stack.push_nginx("v1")
    stack.push(V1)
    try:
        stack.start()
        yield stack
    finally:
        stack.down()
