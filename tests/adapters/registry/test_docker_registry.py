"""The registry client against Debian's docker-registry: anonymous, with passwords, with tokens, read-only."""

import base64
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from redeploy.http.client import Http
from redeploy.http.response import HttpResult
from redeploy.registry.access import Access
from redeploy.registry.client import Registry
from redeploy.registry.errors import Kind, Trouble
from redeploy.registry.image import Image, parse
from redeploy.registry.lookup import FromRegistry
from redeploy.registry.manifest import Manifest
from redeploy.report.collect import result_of
from redeploy.rollback.run import undo
from redeploy.rollout.requests import FetchManifest, FetchRevision, FetchTag, PutManifest, SendTrigger
from redeploy.rollout.run import redeploy
from redeploy.rollout.service_state import ServiceState
from redeploy.text.secret import Secret
from redeploy.verdicts import Verdict
from sandbox.server.builds import V1, V2, Build
from sandbox.simulation import Log, World, plan
from tests.adapters.conftest import Serve, http
from tests.ports import free_port
from tests.registry_tokens import Issuer
from tests.unit.factories import ready, reply, rows, summary

PROGRAM = shutil.which("docker-registry")
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="docker-registry is not installed (on Debian: apt-get install docker-registry)"
)
PASSWORD = "s3cret-p4ss"
HASHED = "$2b$05$abcdefghijklmnopqrstuu65ZDstLtpWXejTDazfUkWdFkNYTSwOy"
BOUND = 20.0


@dataclass
class Real:
    """A running docker-registry; `headers` authenticate a test as its owner."""

    port: int
    headers: dict[str, str]

    def image(self, reference: str = "o/api:latest") -> Image:
        return parse(f"127.0.0.1:{self.port}/{reference}")

    def push(self, build: Build, tag: str = "latest", **headers: str) -> None:
        """Push the image of a build, as `docker push` does."""
        base, image = f"http://127.0.0.1:{self.port}/v2/o/api", build.image
        with requests.Session() as session:
            session.headers.update(self.headers | headers)
            for blob in image.configurations:
                place = session.post(f"{base}/blobs/uploads/").headers["Location"]
                sent = session.put(f"{place}&{urllib.parse.urlencode({'digest': blob.digest})}", data=blob.body)
                assert sent.status_code == 201, sent.text
            for manifest in (*image.manifests, image.index):
                name = tag if manifest is image.index else manifest.digest
                kind = {"Content-Type": manifest.media_type}
                sent = session.put(f"{base}/manifests/{name}", data=manifest.body, headers=kind)
                assert sent.status_code == 201, sent.text


def client(username: str = "", password: str = "", *, allow_http: bool = False) -> Registry:
    fetch = Http(headers={}, origins=frozenset()).fetch
    return Registry(fetch, Access(username, Secret(password), allow_http))


class Program:
    """Starts docker-registry, repeatedly with the same data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, settings: str = "", *, storage: str = "", **headers: str) -> Real:
        self.stop()
        file = self._folder / "registry.yml"
        file.write_text(
            f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
            f"storage:\n  filesystem: {{rootdirectory: {self._folder}/data}}\n{storage}"
            f"http: {{addr: '127.0.0.1:{self.port}'}}\n{settings}"
        )
        assert PROGRAM
        environment = {"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"}
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen([PROGRAM, "serve", str(file)], stdout=log, stderr=log, env=environment)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return Real(self.port, headers)
            assert self._process.poll() is None, (self._folder / "log").read_text()
            time.sleep(0.05)
        raise AssertionError((self._folder / "log").read_text())

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    one = Program(tmp_path)
    yield one
    one.stop()


def found(result: Manifest | Trouble) -> Manifest:
    assert isinstance(result, Manifest), result
    return result


def trouble(result: Manifest | Trouble | str) -> Trouble:
    assert isinstance(result, Trouble), result
    return result


def test_a_tag_is_resolved_moved_and_put_back(program: Program) -> None:
    real = program.start()
    real.push(V1)
    before = found(client().resolve(real.image(), BOUND))
    assert (before.digest, before.body) == (V1.digest, V1.image.index.body)
    assert before.is_of(V1.image.platform.digest)
    assert before.children[0] == V1.image.platform.digest, "linux/amd64 first"
    real.push(V2)
    registry = client()
    after = found(registry.resolve(real.image(), BOUND, before))
    assert after.digest == V2.digest
    assert registry.resolve(real.image(), BOUND, after) is after, "an unchanged manifest is not read again"
    assert found(registry.resolve(real.image().at(V1.digest), BOUND)) == before, "the tag is gone, the manifest is not"
    assert registry.put(real.image(), before, BOUND) == before
    assert found(registry.resolve(real.image(), BOUND)) == before


def test_a_deploy_that_failed_is_rolled_back_by_its_tag(program: Program) -> None:
    real = program.start()
    real.push(V1)
    real.push(V2)
    registry, image = client(), real.image()

    def from_registry(request: FetchTag | FetchRevision | FetchManifest | PutManifest) -> HttpResult:
        match request:
            case FetchTag():
                return FromRegistry(200, found=registry.resolve(image, BOUND))
            case FetchRevision(manifest):
                return FromRegistry(200, found=registry.revision(image, manifest, BOUND))
            case FetchManifest(reference):
                return FromRegistry(200, found=registry.resolve(image.under(reference), BOUND))
            case PutManifest(manifest):
                return FromRegistry(200, found=registry.put(image, manifest, BOUND))

    def runs() -> Build:
        return (V1, replace(V2, readiness="never"), V1)[len(world.sent(SendTrigger))]

    world = World(
        service=lambda _, __: ready(runs().git_sha) if runs().readiness == "json" else reply(503),
        trigger=[summary(updated=1)],
        containers=lambda _: rows(("api", str(image), runs().digest)),
        registry=lambda _, request: from_registry(request),
        manifests=lambda _, request: from_registry(request),
    )
    wanted = {"expect_version": V2.git_sha, "openapi_path": "off", "timeout": "20s"}
    state = ServiceState(plan(image=str(image), on_failure="rollback", **wanted), began=0.0)
    deploy = result_of(state, redeploy(state, world, lambda: 0.5, Log()), world.now())
    assert found(registry.resolve(image, BOUND)).digest == V2.digest
    ended = undo(deploy, state, world, lambda: 0.5, Log(), begun=lambda _: None)
    assert (ended.conclusion.verdict, ended.digest.live) == (Verdict.ROLLED_BACK, V1.digest)
    assert found(registry.resolve(image, BOUND)).body == V1.image.index.body


def test_the_label_names_the_commit(program: Program) -> None:
    real = program.start()
    real.push(V2)
    registry = client()
    manifest = found(registry.resolve(real.image(), BOUND))
    assert registry.revision(real.image(), manifest, BOUND) == V2.git_sha
    platform = found(registry.resolve(real.image().at(V2.image.platform.digest), BOUND))
    assert registry.revision(real.image(), platform, BOUND) == V2.git_sha


def test_a_missing_image_is_absent(program: Program) -> None:
    real = program.start()
    real.push(V1)
    assert trouble(client().resolve(real.image("o/other:1"), BOUND)).kind is Kind.ABSENT
    assert trouble(client().resolve(real.image("o/api:2"), BOUND)).kind is Kind.ABSENT
    gone = trouble(client().resolve(real.image().at(V2.digest), BOUND))
    assert (gone.kind, V2.digest in gone.sentence) == (Kind.ABSENT, True)


def test_a_manifest_whose_layers_were_pruned_is_not_accepted(program: Program) -> None:
    real = program.start()
    real.push(V1)
    unknown = Manifest(V2.digest, V2.image.index.media_type, V2.image.index.body)
    assert trouble(client().put(real.image(), unknown, BOUND)).kind is Kind.ABSENT


def test_a_read_only_registry_is_reported(program: Program) -> None:
    program.start().push(V1)
    real = program.start(storage="  maintenance: {readonly: {enabled: true}}\n")
    manifest = found(client().resolve(real.image(), BOUND))
    refused = trouble(client().put(real.image("o/api:other"), manifest, BOUND))
    assert (refused.kind, "read-only" in refused.sentence) == (Kind.REFUSED, True)


def test_a_password_is_accepted_and_a_missing_one_reported(program: Program, tmp_path: Path) -> None:
    (tmp_path / "htpasswd").write_text(f"leo:{HASHED}\n")
    settings = f"auth: {{htpasswd: {{realm: r, path: {tmp_path}/htpasswd}}}}\n"
    shown = base64.b64encode(f"leo:{PASSWORD}".encode()).decode()
    real = program.start(settings, Authorization=f"Basic {shown}")
    real.push(V1)
    registry = client("leo", PASSWORD)
    manifest = found(registry.resolve(real.image(), BOUND))
    assert registry.put(real.image("o/api:back"), manifest, BOUND) == manifest
    refused = trouble(client().resolve(real.image(), BOUND))
    assert refused.kind is Kind.REFUSED
    assert "Set `registry-username` and `registry-password`" in refused.fix
    wrong = trouble(client("leo", "wrong-password").resolve(real.image(), BOUND))
    assert (wrong.kind, "`repository:o/api:pull`" in wrong.fix) == (Kind.REFUSED, True)


class Realm:
    """A token server that grants `leo` everything, and `anonymous` the given actions."""

    def __init__(self, serve: Serve, folder: Path, anonymous: tuple[str, ...] = ()) -> None:
        self._issuer = Issuer()
        (folder / "authority.pem").write_text(self._issuer.authority)
        self._anonymous = anonymous
        self.asked: list[str] = []

        def answer(connection: socket.socket, head: bytes) -> None:
            connection.sendall(self._answer(head.decode("latin-1")))

        self.url = serve(answer).url
        auth = self._issuer.settings(f"{self.url}/token", f"{folder}/authority.pem")
        self.settings = f"auth: {json.dumps(auth)}\n"

    def token(self, *actions: str) -> str:
        return self._issuer.token([("o/api", list(actions))])

    def _answer(self, head: str) -> bytes:
        target = head.split(" ")[1]
        self.asked.append(target)
        shown = f"Authorization: Basic {base64.b64encode(f'leo:{PASSWORD}'.encode()).decode()}\r\n" in head
        if "Authorization" in head and not shown:
            return http("401 Unauthorized")
        scope = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)["scope"][0]
        wanted = scope.rpartition(":")[2].split(",")
        allowed = [each for each in wanted if shown or each in self._anonymous]
        return http(body=f'{{"token": "{self.token(*allowed)}"}}'.encode(), Content_Type="application/json")


def test_a_token_is_requested_for_no_more_than_is_needed(program: Program, tmp_path: Path, serve: Serve) -> None:
    realm = Realm(serve, tmp_path)
    real = program.start(realm.settings, Authorization=f"Bearer {realm.token('pull', 'push')}")
    real.push(V1)
    registry = client("leo", PASSWORD)
    manifest = found(registry.resolve(real.image(), BOUND))
    assert registry.resolve(real.image(), BOUND, manifest) is manifest
    assert registry.put(real.image("o/api:back"), manifest, BOUND) == manifest
    scopes = ["repository%3Ao%2Fapi%3Apull", "repository%3Ao%2Fapi%3Apull%2Cpush"]
    assert realm.asked == [f"/token?service=the+registry&scope={each}" for each in scopes]


def test_without_credentials_a_token_is_requested_for_a_public_image(
    program: Program, tmp_path: Path, serve: Serve
) -> None:
    realm = Realm(serve, tmp_path, anonymous=("pull",))
    real = program.start(realm.settings, Authorization=f"Bearer {realm.token('pull', 'push')}")
    real.push(V1)
    manifest = found(client().resolve(real.image(), BOUND))
    refused = trouble(client().put(real.image(), manifest, BOUND))
    assert (refused.kind, "does not let a client without credentials write `o/api`" in refused.sentence) == (
        Kind.REFUSED,
        True,
    )


def test_refused_credentials_are_distinguished_from_missing_ones(
    program: Program, tmp_path: Path, serve: Serve
) -> None:
    realm = Realm(serve, tmp_path)
    real = program.start(realm.settings)
    assert trouble(client().resolve(real.image(), BOUND)).fix.startswith("Set `registry-username`")
    assert trouble(client("leo", "wrong").resolve(real.image(), BOUND)).fix.startswith(
        "Use a user or token that may read"
    )
