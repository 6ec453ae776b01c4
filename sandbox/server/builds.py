"""The images of the sandbox's service: how each build identifies itself and behaves."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from sandbox.server.images import INDEX, MANIFEST_LIST, Image, image_of

Identity = Literal["full", "hidden", "start-time", "constant-version", "noise", "neighbours", "busy"]
Readiness = Literal["json", "text", "never", "html"]
Document = Literal["own", "2.0", "3.0", "none", "html", "other", "truncated", "deep", "huge", "hostile", "yaml", "odd"]


@dataclass(frozen=True)
class Build:
    """One image of the service. Durations are seconds."""

    name: str
    boot: float = 0.4
    """Time from the start of the process until its port listens."""
    age: float = 0.0
    """How long before its process started it claims to have started."""
    identity: Identity = "full"
    """What the responses contain: `full` commit, build and start time; `hidden` nothing; `start-time` only that;
    `constant-version` "0.1.0" beside the commit; `noise` build fields that change by themselves; `neighbours` a
    constant version beside that of a dependency; `busy` the commit beside a job's start and an uptime in percent."""
    readiness: Readiness = "json"
    ready_after: float = 0.0
    """How long `/api/ready` responds 503 once the port listens."""
    crashes_after: float | None = None
    ignores_term: float = 0.0
    """How long it continues to serve after SIGTERM."""
    starts: bool = True
    """False if the image's entrypoint does not exist."""
    passes_health_check: bool = True
    """The result of the image's own HEALTHCHECK, independent of the service's responses."""
    labelled: bool = True
    """Whether the image's label names the commit."""
    by_platform: bool = False
    """Whether the engine pulled it by the manifest of its platform, and not by the index."""
    attested: str = ""
    """Its attestation: the same image with another attestation has another index."""
    manifest_list: bool = False
    """Whether the index is a Docker manifest list, as `docker manifest` makes them."""
    operations: tuple[str, ...] = ()
    """`METHOD PATH` of operations that this build has in addition to the common ones."""
    lost: tuple[str, ...] = ()
    """`METHOD PATH` of common operations that this build lacks."""
    unkept: tuple[str, ...] = ()
    """Paths whose responses do not match their response model, with status 200."""
    document: Document = "own"
    """What `/openapi.json` is: `own` FastAPI's, `2.0` and `3.0` written by hand about the same service, `other` JSON
    that is not OpenAPI, `huge` larger than a client should read, `hostile` one whose strings attack the log."""

    @property
    def git_sha(self) -> str:
        """The commit of the build, 40 hexadecimal digits."""
        return hashlib.sha1(f"commit of {self.name}".encode(), usedforsecurity=False).hexdigest()

    @property
    def digest(self) -> str:
        """The digest by which the engine knows the image."""
        return (self.image.platform if self.by_platform else self.image.index).digest

    @property
    def image_id(self) -> str:
        """The digest of the image's configuration, which is the engine's image ID."""
        return self.image.configurations[-1].digest

    @property
    def image(self) -> Image:
        """The image as a registry keeps it."""
        kind = MANIFEST_LIST if self.manifest_list else INDEX
        return image_of(self.name, self.git_sha if self.labelled else "", attested=self.attested, media_type=kind)

    @property
    def head_digest(self) -> str:
        """The digest in the response to a HEAD that does not accept manifest lists: that of one platform."""
        return self.image.platform.digest if self.manifest_list else self.digest

    def dump(self) -> str:
        """Return the build as a JSON document, for the process that serves it."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Build":
        """Read a document of `dump`."""
        fields = json.loads(text)
        fields |= {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return cls(**fields)


V1 = Build("v1", boot=0.0, age=3600.0)  # it has been running long before the scenario begins
V2 = Build("v2", operations=("GET /api/search",))
V3 = Build("v3", operations=("GET /api/search", "GET /api/stats"))
BUILDS = {build.name: build for build in (V1, V2, V3)}
