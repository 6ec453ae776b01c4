"""A registry on loopback for the host's tags: it serves the images that the sandbox's Watchtower pulls.

It speaks the distribution protocol for manifests and configurations, authenticates its owner, and misbehaves in
the configured ways.
"""

import base64
import json
import secrets
import threading
from dataclasses import dataclass, field
from typing import Literal

from sandbox.network.front import Answer
from sandbox.network.sockets import Connection, Request, Server
from sandbox.server.builds import Build
from sandbox.server.host import Registry
from sandbox.server.images import Blob

USER = "leo"

Misbehaviour = Literal["redirect", "wrong-digest", "endless", "realm", "page"]
"""`redirect`: manifests are on another host. `wrong-digest`: bytes with another digest. `endless`: endless bytes. `realm`:
tokens come over plain http from another host. `page`: a web page responds."""


@dataclass(frozen=True)
class Ways:
    """How a registry behaves."""

    auth: Literal["none", "basic", "token"] = "none"
    """With `token`, blobs are in a store at another address, as at GHCR and Docker Hub."""
    read_only: bool = False
    misbehaviour: Misbehaviour | None = None
    after: float = 0.0
    """Seconds before a response."""
    arrives: tuple[int, Build] | None = None
    """The build that is pushed after this number of requests for its tag."""
    serves: bool = True
    """Whether it listens."""


@dataclass
class RegistryServer:
    """One registry. It does not listen before `listen`."""

    ways: Ways
    content: Registry = field(default_factory=Registry)
    """The host's tags."""
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    seen: list[Request] = field(default_factory=list)
    stored: list[Request] = field(default_factory=list)
    """The requests to its store."""

    def __post_init__(self) -> None:
        self._asked = 0
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()
        self._server, self._store = Server(self._serve), Server(self._hand_out, host="127.0.0.2")
        self.name = f"127.0.0.1:{self._server.port}"

    @property
    def basic(self) -> str:
        """The owner's credentials for Basic authentication."""
        return base64.b64encode(f"{USER}:{self.password}".encode()).decode()

    def listen(self) -> None:
        """Begin to respond, if it should."""
        if self.ways.serves:
            self._server.listen()
            self._store.listen()

    def close(self) -> None:
        """Close all connections."""
        self._server.close()
        self._store.close()

    def _serve(self, connection: Connection) -> None:
        while (request := connection.read()) is not None:
            self.seen.append(request)
            if connection.pause(self.ways.after):
                return
            if self.ways.misbehaviour == "endless" and "/manifests/" in request.path:
                _send_without_end(connection)
                return
            with self._lock:
                answer = self._answer(request)
            if not connection.send(answer.render(request)) or request.closes:
                return

    def _hand_out(self, connection: Connection) -> None:
        """Serve the store, which like real ones refuses a request with both a token and a signed URL."""
        while (request := connection.read()) is not None:
            self.stored.append(request)
            blob = self._blob(request.path.removeprefix("/"))
            refused = request.header("Authorization") is not None or blob is None
            answer = Answer(400, b"", "text/plain") if blob is None or refused else Answer(200, blob.body)
            if not connection.send(answer.render(request)) or request.closes:
                return

    def _answer(self, request: Request) -> Answer:
        if self.content.trouble is not None:
            return _error(self.content.trouble, "UNKNOWN")
        if self.ways.misbehaviour == "page":
            return Answer(200, b"<!doctype html><title>Sign in</title>")
        if request.path == "/token":
            return self._token(request)
        place, _, name = request.path.removeprefix("/v2/").rpartition("/")
        repository, _, kind = place.rpartition("/")
        if refusal := self._refusal(request, repository):
            return refusal
        if kind == "blobs":
            return self._of_blob(name)
        if request.method == "PUT":
            return self._put(request, f"{self.name}/{repository}:{name}")
        return self._manifest(f"{self.name}/{repository}:{name}", name)

    def _refusal(self, request: Request, repository: str) -> Answer | None:
        """The response that refuses a request; None if it may pass."""
        shown = request.header("Authorization") or ""
        action = "push" if request.method == "PUT" else "pull"
        passes = {
            "none": True,
            "basic": shown == f"Basic {self.basic}",
            "token": action in self._tokens.get(shown.removeprefix("Bearer "), "").split(","),
        }
        realm = "http://realm.test" if self.ways.misbehaviour == "realm" else f"http://{self.name}"
        if passes[self.ways.auth] and self.ways.misbehaviour != "realm":
            return None
        bearer = f'Bearer realm="{realm}/token",service="sandbox",scope="repository:{repository}:{action}"'
        challenge = 'Basic realm="sandbox"' if self.ways.auth == "basic" else bearer
        return _error(401, "UNAUTHORIZED", ("WWW-Authenticate", challenge))

    def _token(self, request: Request) -> Answer:
        if request.header("Authorization") != f"Basic {self.basic}":
            return _error(403, "DENIED")
        token = secrets.token_urlsafe(24)
        self._tokens[token] = request.query["scope"][0].rpartition(":")[2]
        return Answer(200, json.dumps({"token": token}).encode(), "application/json")

    def _manifest(self, reference: str, name: str) -> Answer:
        by_digest = name.startswith("sha256:")
        if not by_digest:
            self._asked += 1
            if self.ways.arrives and self._asked > self.ways.arrives[0]:
                self.content.push(reference, self.ways.arrives[1])
        build = None if by_digest else self.content.tags.get(reference)
        blob = self._blob(name) if build is None else build.image.index
        if blob is None:
            return _error(404, "MANIFEST_UNKNOWN")
        if self.ways.misbehaviour == "redirect":
            return Answer(307, b"", headers=(("Location", f"http://127.0.0.2:{self._store.port}/{blob.digest}"),))
        body = blob.body + b" " if self.ways.misbehaviour == "wrong-digest" else blob.body
        return Answer(200, body, blob.media_type, (("Docker-Content-Digest", blob.digest),))

    def _put(self, request: Request, reference: str) -> Answer:
        if self.ways.read_only:
            return _error(405, "UNSUPPORTED")
        build = next((one for one in self._kept() if one.image.index.body == request.body), None)
        if build is None:
            return _error(400, "MANIFEST_BLOB_UNKNOWN")
        self.content.push(reference, build)
        return Answer(201, b"", headers=(("Docker-Content-Digest", build.image.index.digest),))

    def _of_blob(self, digest: str) -> Answer:
        blob = self._blob(digest)
        if blob is None:
            return _error(404, "BLOB_UNKNOWN")
        if self.ways.auth == "token":
            return Answer(307, b"", headers=(("Location", f"http://127.0.0.2:{self._store.port}/{digest}?sig=1"),))
        return Answer(200, blob.body, "application/octet-stream")

    def _blob(self, digest: str) -> Blob | None:
        images = [build.image for build in self._kept()]
        blobs = (blob for image in images for blob in (image.index, *image.manifests, *image.configurations))
        return next((blob for blob in blobs if blob.digest == digest), None)

    def _kept(self) -> list[Build]:
        """All builds that were pushed, and not pruned since."""
        return [build for build in self.content.pushed if build.name not in self.content.pruned]


def _error(status: int, code: str, *headers: tuple[str, str]) -> Answer:
    body = json.dumps({"errors": [{"code": code, "message": code.lower(), "detail": None}]})
    version = ("Docker-Distribution-Api-Version", "registry/2.0")
    return Answer(status, body.encode(), "application/json; charset=utf-8", (version, *headers))


def _send_without_end(connection: Connection) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.index.v1+json\r\nConnection: close\r\n\r\n"
    sent = connection.send(head)
    while sent:
        sent = connection.send(b" " * 65536)
