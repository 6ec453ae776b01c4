"""What a run is asked to do, as frozen values that every room shares."""

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from redeploy.core.secret import Secret

if TYPE_CHECKING:  # most runs ask for no route, compare with no file, and look up no image
    from redeploy.core.contract import Contract
    from redeploy.core.image import Image
    from redeploy.core.routes import Operation, Pattern


NO_IMAGE = "redeploy-action.invalid/no-such-image"
"""An image that no registry has: `.invalid` is nobody's (RFC 2606)."""

NO_PATH = "redeploy-action-no-such-path"
"""The last part of a path that no Watchtower has."""


class Mode(StrEnum):
    """What the action does."""

    DEPLOY = "deploy"
    VERIFY = "verify"
    DOCTOR = "doctor"
    ROLLBACK = "rollback"


class OnFailure(StrEnum):
    """What becomes of a deploy that failed."""

    KEEP = "keep"
    ROLLBACK = "rollback"


class Proof(IntEnum):
    """How it is known which build answers; a greater value is a stronger proof."""

    NONE = 0
    CLAIM = 1
    CHANGE = 2
    VERSION = 3
    DIGEST = 4

    @property
    def word(self) -> str:
        """The proof's name as inputs and outputs spell it."""
        return self.name.lower()


@dataclass(frozen=True)
class Rate:
    """Requests that an origin may be asked: `per_second` in the long run, `burst` at once."""

    per_second: float
    burst: int = 15


@dataclass(frozen=True, kw_only=True)
class Watchtower:
    """Where Watchtower listens and what the update is narrowed to. URLs may hold secrets: print origins only."""

    update_url: str | None
    containers_url: str | None
    check_url: str | None
    metrics_url: str | None = None
    token: Secret
    images: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()

    @property
    def trigger_url(self) -> str:
        """The update URL with the narrowing in its query.

        containrrr and openserbia compare with the repository alone, and containrrr splits on commas (filters.go:105);
        the fork takes each container name as an anchored regular expression (filter.go:32).
        """
        narrowing = {
            "image": ",".join(self.images),
            "container": ",".join(name.replace(".", r"\.") for name in self.containers),
        }
        query = urllib.parse.urlencode({name: value for name, value in narrowing.items() if value}, safe="/,:")
        url = self.update_url or ""
        return f"{url}{'&' if '?' in url else '?'}{query}" if query else url

    @property
    def idle_url(self) -> str:
        """The update URL narrowed to an image that cannot exist: where the line narrows, this updates nothing."""
        url, _, query = (self.update_url or "").partition("?")
        return f"{url}?{_narrowed_to_nothing(query)}"

    @property
    def nowhere_url(self) -> str:
        """A path beside the update URL that cannot exist; narrowed too, for a proxy that rewrites every path."""
        url, _, query = (self.update_url or "").partition("?")
        return f"{url.rstrip('/').rpartition('/')[0]}/{NO_PATH}?{_narrowed_to_nothing(query)}"

    @property
    def details_url(self) -> str:
        """Where the fork 1.20 and newer tells the flags of each container (`handlers/containers/details`)."""
        url, question, query = (self.containers_url or "").partition("?")
        return f"{url.rstrip('/')}/details{question}{query}"


@dataclass(frozen=True, kw_only=True)
class Service:
    """Where the service answers, what healthy means, and where it names its build."""

    base_url: str
    health_url: str
    version_url: str
    names_itself: bool
    """Whether `version-path` was given: only then is a one-line body a version."""
    health_expect: str = ""
    version_field: str = ""


class Breaking(StrEnum):
    """What becomes of operations that are gone."""

    IGNORE = "ignore"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Smoke:
    """A request that must be answered with `status`: three digits, or `2xx` and the like."""

    method: str
    target: str
    """Its path, or its whole URL, as the input writes it."""
    status: str
    url: str
    marked: bool = False
    """Whether `!` says that it may change something on the server."""

    def __str__(self) -> str:
        return f"{self.method} {self.target}" + ("" if self.status == "2xx" else f" {self.status}")

    @property
    def reads(self) -> bool:
        """Whether its method only reads, so that redirects can be followed."""
        return self.method in ("GET", "HEAD")

    @property
    def safe(self) -> bool:
        """Whether it may be repeated without a thought."""
        return self.reads and not self.marked


@dataclass(frozen=True)
class Reference:
    """An OpenAPI file of the workspace, and the lines on which its operations stand."""

    path: str
    contract: "Contract"
    lines: Mapping["Operation", int]


@dataclass(frozen=True, kw_only=True)
class Checks:
    """What a live build must keep to, beside being healthy."""

    document_url: str | None = None
    """Where the OpenAPI document is; None where it is not asked for."""
    document_needed: bool = False
    """Whether a missing document is a failure, whatever else is asked."""
    required: tuple["Pattern", ...] = ()
    forbidden: tuple["Pattern", ...] = ()
    reference: Reference | None = None
    breaking: Breaking = Breaking.WARN
    smoke: tuple[Smoke, ...] = ()

    @property
    def insist_on_document(self) -> bool:
        """Whether something was asked that only the document can answer."""
        compared = self.reference and self.breaking is Breaking.FAIL
        asked = self.document_needed or self.required or self.forbidden or compared
        return self.document_url is not None and bool(asked)


@dataclass(frozen=True)
class Access:
    """How registries are talked to; both texts are empty where nobody in particular talks."""

    username: str
    password: Secret
    allow_http: bool

    @property
    def known(self) -> bool:
        """Whether there are credentials."""
        return bool(self.password.reveal())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that the inputs say. Durations are in seconds."""

    mode: Mode
    watchtower: Watchtower
    service: Service
    checks: Checks
    expect_version: str
    expect_digest: str
    require_proof: Proof
    timeout: float
    stable_for: float
    request_timeout: float
    rate: Rate | None
    headers: Mapping[str, Secret]
    header_origins: frozenset[str]
    ca_certificate: str
    image: "Image | None"
    """The image whose tag is looked up in its registry; None where none is named, or several are."""
    images: tuple["Image", ...]
    """All images that are named: their repositories and tags choose the rows that count."""
    access: Access
    version_of_image: bool
    """Whether the commit that the image names is the version which must be live."""
    on_failure: OnFailure
    rollback_to: str
    """The digest or tag of the image that a rollback puts back; empty: the one that ran before."""
    deployment_environment: str
    """The GitHub environment that a Deployment is written for; empty: none is."""
    github_token: Secret
    warnings: tuple[str, ...] = ()
    """What is probably not meant as it stands; said before anything is sent."""

    @property
    def declared(self) -> bool:
        """Whether the inputs say what must be live."""
        return bool(self.expect_version or self.expect_digest)

    @property
    def may_roll_back(self) -> bool:
        """Whether this run may have to put an image back."""
        return self.mode is Mode.ROLLBACK or self.on_failure is OnFailure.ROLLBACK

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every value that must never be shown."""
        given = (self.watchtower.token, self.github_token, self.access.password, *self.headers.values())
        return tuple(each for each in given if each.reveal())


def _narrowed_to_nothing(query: str) -> str:
    """Return a query narrowed to `NO_IMAGE`; what else a proxy may want to see in it is kept."""
    kept = [each for each in query.split("&") if each and each.partition("=")[0] not in ("image", "container")]
    return "&".join([*kept, f"image={NO_IMAGE}"])


def origin_of(url: str) -> str:
    """Return scheme, host and port of `url`, in lower case and without the scheme's own port (RFC 6454)."""
    parts = urllib.parse.urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def is_loopback(url: str) -> bool:
    """Tell whether `url` names this machine itself."""
    host = (urllib.parse.urlsplit(url).hostname or "").lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return bool(re.fullmatch(r"127(?:\.\d{1,3}){3}|::1", host))
