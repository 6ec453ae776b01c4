"""The requests that a run can send, as values."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redeploy.http.fetch import HttpRequest
from redeploy.http.response import HttpResult
from redeploy.service.endpoint import Endpoint, Service
from redeploy.settings.plan import Mode, Plan

if TYPE_CHECKING:  # few runs have smoke requests, or name one image
    from redeploy.contract.response_schema import ResponseSchemas
    from redeploy.contract.smoke import Smoke
    from redeploy.registry.image import Image
    from redeploy.registry.manifest import Manifest

ALONE_FOR = 2.0
"""Seconds after which a look that hangs no longer delays the next one; in a window, `BLIND` seconds."""


BOTH = frozenset(Endpoint)


def addresses_of(service: Service) -> list[tuple[frozenset[Endpoint], str]]:
    """Return the addresses of a service; the last one names the version. A worker has none."""
    if not service.answers:
        return []
    if service.version_url == service.health_url:
        return [(BOTH, service.health_url)]
    return [
        (frozenset({Endpoint.HEALTH}), service.health_url),
        (frozenset({Endpoint.VERSION}), service.version_url),
    ]


@dataclass(frozen=True)
class Probe:
    """One look at the service."""

    endpoints: frozenset[Endpoint]
    url: str
    past_caches: bool = False
    """Whether a random query keeps caches from responding."""


def opening(plan: Plan) -> tuple[Probe, ...]:
    """Return the first looks of a run: they depend only on its plan, so they are sent before the rest is loaded.

    A deploy looks at all addresses in parallel, a run in mode verify at the one that names the version, unless it needs
    the registry first. Modes rollback and doctor begin otherwise.
    """
    addresses = addresses_of(plan.service)
    match plan.mode:
        case Mode.DEPLOY:
            first = addresses
        case Mode.VERIFY if plan.image is None:
            first = addresses[-1:]
        case _:
            first = []
    return tuple(Probe(endpoints, url) for endpoints, url in first)


@dataclass(frozen=True)
class FetchContainers:
    """One look at Watchtower's containers endpoint."""


@dataclass(frozen=True)
class CheckContainers:
    """A request to the fork's check endpoint, which says in words why it skips a container; it pulls nothing."""


@dataclass(frozen=True)
class ProbeContainerSupport:
    """The trigger without its token: it triggers nothing, and shows whether `container=` is supported."""


@dataclass(frozen=True)
class FetchTag:
    """A look-up of the image's tag in its registry; a manifest that is `known` is not read again."""

    known: "Manifest | None" = None
    tag: str = ""
    """Empty: the tag in the input."""
    image: "Image | None" = None
    """Another image than that of the inputs."""


@dataclass(frozen=True)
class FetchRevision:
    """A look-up of the commit that an image's label names."""

    manifest: "Manifest"


@dataclass(frozen=True)
class FetchManifest:
    """A look-up of the image's manifest by a tag or a digest."""

    reference: str


@dataclass(frozen=True)
class PutManifest:
    """A write of a manifest under the image's tag."""

    manifest: "Manifest"
    tag: str = ""
    """Empty: the tag in the input."""


@dataclass(frozen=True)
class SendTrigger:
    """The trigger."""


@dataclass(frozen=True)
class FetchDocument:
    """The service's OpenAPI document."""

    url: str
    past_caches: bool = False
    smoke: "tuple[Smoke, ...] | None" = field(default=None, compare=False)
    """The smoke requests to read promises for; None: the document is read later, so that it does not delay the trigger."""


@dataclass(frozen=True)
class SendSmoke:
    """One smoke request; the body of its response is compared with what the live document promises."""

    smoke: "Smoke"
    past_caches: bool = False
    promise: "ResponseSchemas | None" = field(default=None, compare=False)

    @property
    def url(self) -> str:
        """The URL of the request."""
        return self.smoke.url


OfService = Probe | FetchDocument | SendSmoke
"""Requests to the service, which draw from the bucket of its origin."""

OfRegistry = FetchTag | FetchRevision | FetchManifest | PutManifest

Request = OfService | FetchContainers | CheckContainers | ProbeContainerSupport | OfRegistry | SendTrigger | HttpRequest
"""All requests; only an examination sends a bare HTTP request."""


@dataclass(frozen=True)
class Step:
    """What to do now: send the requests, then wait for a response, or until `wake`, in monotonic seconds."""

    requests: tuple[Request, ...]
    wake: float
    finished: bool = False


@dataclass(frozen=True, kw_only=True)
class Event:
    """The result of a request; `sent` and `at` are monotonic seconds, `wall` is our clock at `at`."""

    service: str = ""
    """The key of the service that sent it; empty if there is only one."""
    request: Request
    http_result: HttpResult
    sent: float
    at: float
    wall: float
