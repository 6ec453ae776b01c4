"""A real registry on loopback, and the images in it."""

import contextlib
import hashlib
import io
import json
import secrets
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import docker
import requests
import yaml
from docker.models.containers import Container
from docker.utils import parse_repository_tag

from sandbox.server.builds import Build
from tests.deploy_files import ROOT
from tests.ports import free_port

IMAGE = "registry:2"
CONFIG = Path("/etc/docker/registry/config.yml")
CHECKOUT = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
"""A part of the names of images of this checkout, so that the tests of another one can use the same engine."""
SANDBOX = f"redeploy-sandbox:{CHECKOUT}"
READER = {"username": "reader", "password": "a-password"}
PASSWORDS = {"htpasswd": "reader:$2b$04$qy/VlRIzHNQ5p1EITKSCvOpkDWDbEp5mTjR6zoGS2.RnIxh7DI/JO"}
"""The same user in a registry's file, as `htpasswd -B` writes it."""
BASIC = {"htpasswd": {"realm": "e2e", "path": str(CONFIG.parent / "htpasswd")}}


MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
"""The media types of a manifest for one platform, as engines push it."""


@dataclass(frozen=True)
class Pushed:
    """An image in the registry."""

    digest: str
    image_id: str


@dataclass(frozen=True)
class Manifest:
    """A manifest as the registry returned it."""

    digest: str
    media_type: str
    body: bytes


@dataclass
class Registry:
    """A registry that is reachable from this engine and through this machine's loopback."""

    client: docker.DockerClient
    container: Container
    address: str

    def reference(self, name: str) -> str:
        """An image's full name."""
        return f"{self.address}/{name}"

    def push(self, reference: str, base: str, *lines: str) -> Pushed:
        """Build an image on another one, push it, and remove it from the engine, which then has to pull it."""
        # The label comes first, so that no layer is shared with an image that another process builds and removes meanwhile.
        text = "\n".join([f"FROM {base}", f"LABEL registry={self.address}", *lines])
        image, _ = self.client.images.build(fileobj=io.BytesIO(text.encode()), tag=reference, rm=True)
        events = [json.loads(line) for line in self._pushing(reference)]
        [digest] = [one["aux"]["Digest"] for one in events if one.get("aux", {}).get("Digest")]
        self.client.images.remove(reference)
        return Pushed(digest, str(image.id))

    def push_build(self, reference: str, build: Build, *, megabytes: int = 0) -> Pushed:
        """Push the sandbox's service as that build; `megabytes` of noise make it heavy."""
        command = [
            "python3",
            "-m",
            "sandbox.server.backend",
            "--host",
            "0.0.0.0",
            "--port",
            "8000",
            "--build",
            build.dump(),
        ]
        lines = [f"LABEL build={build.name}"]
        lines += [f"LABEL org.opencontainers.image.revision={build.git_sha}"] if build.labelled else []
        lines += [f"RUN head -c {megabytes}M /dev/urandom >/ballast"] if megabytes else []
        lines += [f"CMD {json.dumps(command)}" if build.starts else 'ENTRYPOINT ["/missing"]']
        return self.push(reference, SANDBOX, *lines)

    def manifest(self, reference: str) -> Manifest:
        """Read the manifest that a tag points to."""
        found = self._ask("GET", reference, Accept=MANIFESTS)
        return Manifest(found.headers["Docker-Content-Digest"], found.headers["Content-Type"], found.content)

    def point(self, reference: str, manifest: Manifest) -> None:
        """Point a tag to a manifest that was read before."""
        self._ask("PUT", reference, manifest.body, Content_Type=manifest.media_type)

    def prune(self, reference: str, digest: str) -> None:
        """Delete a manifest of a repository and the tags that point to it, as a clean-up does."""
        self._ask("DELETE", reference, digest=digest)

    def start(self) -> None:
        """Start it, and wait until it responds, even if with 401."""
        self.container.start()
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(requests.RequestException):
                requests.get(f"http://{self.address}/v2/", timeout=2)
                return
            assert time.monotonic() < deadline, self.container.logs().decode()
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop it; its images are kept."""
        self.container.stop(timeout=1)

    @contextmanager
    def set_up(self, files: Mapping[str, str] = MappingProxyType({}), **settings: object) -> Iterator[None]:
        """Run it for a while with other settings, which may need files in its folder."""
        before, _ = self.container.get_archive(str(CONFIG))
        kept = b"".join(before)
        with tarfile.open(fileobj=io.BytesIO(kept)) as tar:
            file = tar.extractfile(CONFIG.name)
            assert file
            config = yaml.safe_load(file)
        for name, text in files.items():
            self.container.put_archive(str(CONFIG.parent), _archive(name, text))
        self._restart_with(_archive(CONFIG.name, json.dumps({**config, **settings})))
        try:
            yield
        finally:
            self._restart_with(kept)

    def forget(self) -> None:
        """Remove the images that the engine pulled from here."""
        # The engine's raw list: `client.images.list()` inspects each image, which another process may remove meanwhile.
        for image in self.client.api.images():
            names = [*(image["RepoTags"] or []), *(image["RepoDigests"] or [])]
            named = [name for name in names if not name.startswith("<none>")]
            if named and all(name.startswith(f"{self.address}/") for name in named):
                self.client.images.remove(image["Id"], force=True)

    def _ask(
        self, method: str, reference: str, body: bytes = b"", digest: str = "", **headers: str
    ) -> requests.Response:
        name, tag = parse_repository_tag(reference)
        url = f"http://{self.address}/v2/{name.removeprefix(self.address + '/')}/manifests/{digest or tag}"
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        answer = requests.request(method, url, data=body, headers=sent, timeout=10)
        assert answer.ok, f"{method} {url}: {answer.status_code} {answer.text}"
        return answer

    def _restart_with(self, settings: bytes) -> None:
        self.stop()
        self.container.put_archive(str(CONFIG.parent), settings)
        self.start()

    def _pushing(self, reference: str) -> list[str]:
        return str(self.client.api.push(reference)).splitlines()


@contextmanager
def registry(client: docker.DockerClient, *, bare: bool = False) -> Iterator[Registry]:
    """Run a registry for a while that allows anonymous reads and writes.

    A `bare` one has its own loopback address, and no port in its name: containrrr/watchtower filters an update by
    the part before the first colon.
    """
    host = f"127.{secrets.randbelow(255) + 1}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    place = (host, 80) if bare else ("127.0.0.1", free_port())
    container = client.containers.create(
        IMAGE,
        name=f"redeploy-registry-{secrets.token_hex(3)}",
        environment={"REGISTRY_STORAGE_DELETE_ENABLED": "true"},
        ports={"5000/tcp": place},
        restart_policy={"Name": "always"},
    )
    running = Registry(client, container, host if bare else f"127.0.0.1:{place[1]}")
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
