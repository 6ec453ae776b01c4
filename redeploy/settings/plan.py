"""What a run should do, as frozen values: a plan for each service on each host, and the run of all of them.

The inputs make a run of one host with one service; a config file makes several.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from redeploy.contract.settings import Checks
from redeploy.http.urls import origin_of
from redeploy.registry.access import Access
from redeploy.service.endpoint import Service
from redeploy.text.secret import Secret
from redeploy.triggers.watchtower.endpoints import ContainerFilter, Watchtower, narrowed_together
from redeploy.verdicts import Proof

if TYPE_CHECKING:  # most runs require no route, compare with no file, and look up no image
    from redeploy.registry.image import Image
    from redeploy.settings.seen_before import SeenBefore


class Mode(StrEnum):
    """What the action does."""

    DEPLOY = "deploy"
    VERIFY = "verify"
    DOCTOR = "doctor"
    ROLLBACK = "rollback"


class OnFailure(StrEnum):
    """What happens after a failed deploy."""

    KEEP = "keep"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class Rate:
    """Requests that an origin may get: `per_second` in the long run, `burst` at once."""

    per_second: float
    burst: int = 15

    @property
    def apart(self) -> float:
        """Seconds between two looks in the long run."""
        return 1 / self.per_second


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run should do for one service on one host. Durations are in seconds."""

    name: str = ""
    """The service's name in the config file; empty if the inputs describe the only one."""
    host: str = ""
    """The host's name there; empty if the inputs name the only Watchtower."""
    mode: Mode
    watchtower: Watchtower
    containers: tuple[str, ...]
    """The containers whose rows count, if any are named; the update may be narrowed to something else."""
    service: Service
    checks: Checks
    expect_version: str
    branch: str
    """The branch whose head must be live, in mode verify; empty if `expect-version` names none."""
    grace: float
    """How long production may lag behind it."""
    expect_digest: str
    require_proof: Proof
    timeout: float
    stable_for: float
    max_downtime: float | None
    """How long the service may be without a good response; None: no limit."""
    instances: int
    """How many instances there are behind the address that names the build."""
    request_timeout: float
    rate: Rate | None
    headers: Mapping[str, Secret]
    header_origins: frozenset[str]
    service_headers: Mapping[str, Secret]
    """Headers of requests to the service only, at the origin of its base URL; they win over `headers`."""
    ca_certificate: str
    image: "Image | None"
    """The image whose tag is looked up in its registry; None if none is named, or several are."""
    images: tuple["Image", ...]
    """All images that are named: their repositories and tags choose the rows that count."""
    access: Access
    version_of_image: bool
    """Whether the commit in the image's label is the version that must be live."""
    on_failure: OnFailure
    rollback_to: str
    """The digest or tag of the image that a rollback puts back; empty: the one that was running before."""
    deployment_environment: str
    """The GitHub environment that a Deployment is written for; empty: no Deployment."""
    issue_on_failure: str
    """The title of the issue that a failed run opens and the next successful one closes; empty: no issue."""
    github_token: Secret
    wait_for_build: bool = False
    """Whether the run waits, in mode verify, for the declared build."""
    baseline: "SeenBefore | None" = None
    """What an earlier step saw before another tool deployed."""
    warnings: tuple[str, ...] = ()
    """Warnings about values that are probably mistakes; given before any request is sent."""

    @property
    def key(self) -> str:
        """The service's name in logs and outputs: with its host's, if that has one."""
        return f"{self.host}/{self.name}" if self.host else self.name

    @property
    def service_origins(self) -> tuple[str, ...]:
        """The origins of the service's addresses, that of its health check first; empty for a worker."""
        service, smoke = self.service, [each.url for each in self.checks.smoke]
        urls = (service.health_url, service.version_url, self.checks.document_url or "", *smoke)
        return tuple(dict.fromkeys(origin_of(url) for url in urls if url))

    @property
    def declared(self) -> bool:
        """Whether the inputs declare what must be live."""
        return bool(self.expect_version or self.expect_digest)

    @property
    def needs_rows(self) -> bool:
        """Whether only the list of running containers could prove what is required."""
        return bool(self.expect_digest) or (not self.service.answers and self.require_proof >= Proof.CHANGE)

    @property
    def rows_that_count(self) -> ContainerFilter:
        """Which of the running containers count."""
        return ContainerFilter(containers=self.containers, images=self.images, digest=self.expect_digest)

    @property
    def inspects(self) -> bool:
        """Whether the run only looks at the running build: then every window belongs to the build that is judged."""
        return self.mode is Mode.VERIFY and not self.awaits_build

    @property
    def awaits_build(self) -> bool:
        """Whether a run in mode verify waits for a build that another tool deploys."""
        return self.mode is Mode.VERIFY and (self.wait_for_build or self.baseline is not None)

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
            *(value for smoke in self.checks.smoke for _, value in smoke.sent.headers),
        )
        return tuple(each for each in given if each.reveal())


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """One Watchtower, and the services that one trigger of it updates."""

    name: str = ""
    services: tuple[Plan, ...]
    """In the order of the file. All have this host's Watchtower, narrowed to the services together."""

    @classmethod
    def of(cls, name: str, services: Sequence[Plan]) -> "HostPlan":
        """Return the plan of a host; each service's Watchtower is narrowed to that service alone."""
        watchtower = narrowed_together([each.watchtower for each in services])
        return cls(name=name, services=tuple(replace(each, watchtower=watchtower, host=name) for each in services))


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """Everything that one run does."""

    waves: tuple[tuple[HostPlan, ...], ...]
    """The hosts of a wave are updated side by side; a wave begins once all services of the one before are green."""
    max_parallel: int = 4
    """Hosts of a wave that are updated at once."""
    warnings: tuple[str, ...] = ()
    """Warnings about values that are probably mistakes; given before any request is sent."""

    @classmethod
    def of_one(cls, plan: Plan) -> "RunPlan":
        """Return the run of one service at one host."""
        return cls(waves=((HostPlan(name=plan.host, services=(plan,)),),), warnings=plan.warnings)

    @property
    def hosts(self) -> tuple[HostPlan, ...]:
        """All hosts, in the order of the waves."""
        return tuple(host for wave in self.waves for host in wave)

    @property
    def services(self) -> tuple[Plan, ...]:
        """All services, in the order of wave, host and file."""
        return tuple(service for host in self.hosts for service in host.services)

    @property
    def mode(self) -> Mode:
        """What the action does; the same for all services."""
        return self.services[0].mode

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Every value that must never be shown."""
        return tuple(secret for service in self.services for secret in service.secrets)
