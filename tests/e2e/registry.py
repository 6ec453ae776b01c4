"""A real registry on loopback, and the images in it."""

import contextlib
import hashlib
import io
import json
import secrets
import socket
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import docker
import requests
from docker.models.containers import Container

from sandbox.builds import Build
from tests.kit import ROOT

IMAGE = "registry:2"
CHECKOUT = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
"""In the names of what this checkout builds, so that another one's tests may use the same engine."""
SANDBOX = f"redeploy-sandbox:{CHECKOUT}"
READER = {"username": "reader", "password": "a-password"}
HTPASSWD = "reader:$2b$04$qy/VlRIzHNQ5p1EITKSCvOpkDWDbEp5mTjR6zoGS2.RnIxh7DI/JO"
"""The same, as `htpasswd -B` writes it."""


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Pushed:
    """An image as the registry has it."""

    digest: str
    image_id: str


@dataclass
class Registry:
    """A registry that this engine, and whoever shares this machine's loopback, reaches."""

    client: docker.DockerClient
    container: Container
    address: str
    login: Mapping[str, str] | None = None
    """What must be shown, if anything."""

    def reference(self, name: str) -> str:
        """An image's full name."""
        return f"{self.address}/{name}"

    def push(self, reference: str, base: str, *lines: str) -> Pushed:
        """Build an image on another one, push it, and forget it here, so that the engine has to pull it."""
        # The label comes first, so that no layer is shared with what another process builds and forgets meanwhile.
        text = "\n".join([f"FROM {base}", f"LABEL registry={self.address}", *lines])
        image, _ = self.client.images.build(fileobj=io.BytesIO(text.encode()), tag=reference, rm=True)
        said = [json.loads(line) for line in self._pushing(reference)]
        [digest] = [one["aux"]["Digest"] for one in said if one.get("aux", {}).get("Digest")]
        self.client.images.remove(reference)
        return Pushed(digest, str(image.id))

    def push_build(self, reference: str, build: Build, *, megabytes: int = 0) -> Pushed:
        """Push the sandbox's service as that build; `megabytes` of noise make it heavy."""
        command = ["python3", "-m", "sandbox.backend", "--host", "0.0.0.0", "--port", "8000", "--build", build.dump()]
        lines = [f"LABEL build={build.name}"]
        lines += [f"RUN head -c {megabytes}M /dev/urandom >/ballast"] if megabytes else []
        lines += [f"CMD {json.dumps(command)}" if build.starts else 'ENTRYPOINT ["/missing"]']
        return self.push(reference, SANDBOX, *lines)

    def start(self) -> None:
        """Start it, and wait until it answers, if only that it wants to know who asks."""
        self.container.start()
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(requests.RequestException):
                requests.get(f"http://{self.address}/v2/", timeout=2)
                return
            assert time.monotonic() < deadline, self.container.logs().decode()
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop it; its images stay."""
        self.container.stop(timeout=1)

    def forget(self) -> None:
        """Remove what the engine pulled from here."""
        # The engine's list as it is: `client.images.list()` looks at each, and another process removes its own meanwhile.
        for image in self.client.api.images():
            names = [*(image["RepoTags"] or []), *(image["RepoDigests"] or [])]
            named = [name for name in names if not name.startswith("<none>")]
            if named and all(name.startswith(f"{self.address}/") for name in named):
                self.client.images.remove(image["Id"], force=True)

    def _pushing(self, reference: str) -> list[str]:
        told = self.client.api.push(reference, auth_config=dict(self.login) if self.login else None)
        return str(told).splitlines()


@contextmanager
def registry(
    client: docker.DockerClient, environment: Mapping[str, str] | None = None, *, htpasswd: str = ""
) -> Iterator[Registry]:
    """Run a registry for a while; `environment` holds its settings, `htpasswd` who may use it."""
    auth = {"AUTH": "htpasswd", "AUTH_HTPASSWD_REALM": "e2e", "AUTH_HTPASSWD_PATH": "/etc/htpasswd"} if htpasswd else {}
    port = free_port()
    container = client.containers.create(
        IMAGE,
        name=f"redeploy-registry-{secrets.token_hex(3)}",
        environment={f"REGISTRY_{name}": text for name, text in auth.items()} | dict(environment or {}),
        ports={"5000/tcp": ("127.0.0.1", port)},
        restart_policy={"Name": "always"},
    )
    if htpasswd:
        container.put_archive("/etc", _archive("htpasswd", htpasswd))
    running = Registry(client, container, f"127.0.0.1:{port}")
    running.start()
    try:
        yield running
    finally:
        container.remove(force=True, v=True)
        running.forget()


def _archive(name: str, text: str) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    return held.getvalue()
