"""What doctor can ask: every question is a value, and none changes anything."""

from dataclasses import dataclass
from enum import StrEnum

from redeploy.doctor.network import Reachability
from redeploy.github.retry import Trouble
from redeploy.http.response import ErrorKind, TransportError
from redeploy.registry.image import Image
from redeploy.registry.manifest import Manifest


@dataclass(frozen=True)
class Connect:
    """How far does one get to this origin?"""

    origin: str


class Request(StrEnum):
    """The requests. Only those from `CONTAINERS` to `IDLE_UPDATE` carry the token."""

    POST_UPDATE = "POST of the update URL without a token"
    NOWHERE = "POST of a path that cannot exist, without a token"
    CONTAINERS = "GET of the containers endpoint"
    DETAILS = "GET of the containers' details"
    CHECK = "POST of the check endpoint"
    METRICS = "GET of the metrics endpoint"
    IDLE_UPDATE = "POST of the update URL, narrowed to an image that cannot exist"
    HEALTH = "GET of the health address"
    HEALTH_AGAIN = "GET of the health address once more"
    HEALTH_FRESH = "GET of the health address, past caches"
    VERSION = "GET of the version address"
    VERSION_AGAIN = "GET of the version address once more"
    VERSION_FRESH = "GET of the version address, past caches"
    DOCUMENT = "GET of the OpenAPI document"
    DOCUMENT_FRESH = "GET of the OpenAPI document, past caches"


HEALTH = (Request.HEALTH, Request.HEALTH_AGAIN, Request.HEALTH_FRESH)
VERSION = (Request.VERSION, Request.VERSION_AGAIN, Request.VERSION_FRESH)


@dataclass(frozen=True)
class LookUp:
    """What does the registry have under this tag?"""

    image: Image


@dataclass(frozen=True)
class ReadCommit:
    """Which commit does an image name in its label?"""

    image: Image
    manifest: Manifest
    """What the registry has under its tag."""


@dataclass(frozen=True)
class FetchEnvironment:
    """May this token see the environment's Deployments?"""


Question = Connect | Request | LookUp | ReadCommit | FetchEnvironment


@dataclass(frozen=True)
class Answered:
    """An answer: a way, an exchange, a manifest, a commit, or what went wrong; None where nothing did or none came."""

    answer: object
    wall: float
    """Our clock when it came, in seconds since 1970."""


def late(question: Question) -> object:
    """Return the answer to a question that was not answered in time."""
    match question:
        case Connect():
            return Reachability(
                origin=question.origin, error_kind=ErrorKind.UNRESOLVED, detail="the resolver did not answer in time"
            )
        case Request():
            return TransportError(ErrorKind.TIMED_OUT)
        case FetchEnvironment():
            return Trouble(message="no answer in time")
        case _:
            return None
