"""What a run is asked to do, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from redeploy.contract.settings import Checks
from redeploy.registry.access import Access
from redeploy.service.endpoint import Service
from redeploy.text.secret import Secret
from redeploy.triggers.watchtower.endpoints import Watchtower
from redeploy.verdicts import Proof

if TYPE_CHECKING:  # most runs ask for no route, compare with no file, and look up no image
    from redeploy.registry.image import Image


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


@dataclass(frozen=True)
class Rate:
    """Requests that an origin may be asked: `per_second` in the long run, `burst` at once."""

    per_second: float
    burst: int = 15


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
    instances: int
    """How many instances answer behind the address that names the build."""
    request_timeout: float
    rate: Rate | None
    headers: Mapping[str, Secret]
    header_origins: frozenset[str]
    service_headers: Mapping[str, Secret]
    """What goes with requests to the service alone, at the origin of its base URL; wins over `headers`."""
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
        given = (
            self.watchtower.token,
            self.github_token,
            self.access.password,
            *self.headers.values(),
            *self.service_headers.values(),
        )
        return tuple(each for each in given if each.reveal())
