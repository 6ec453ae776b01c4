"""The questions that doctor can ask: each is a value, and none changes anything."""

from dataclasses import dataclass
from enum import StrEnum

from redeploy.doctor.network import Reachability
from redeploy.github.retry import Trouble
from redeploy.http.response import ErrorKind, TransportError
from redeploy.registry.image import Image
from redeploy.registry.manifest import Manifest


@dataclass(frozen=True)
class Connect:
    """Can this origin be reached?"""

    origin: str


class Request(StrEnum):
    """The requests. Only those from `CONTAINERS` to `IDLE_UPDATE` carry the token."""

    POST_UPDATE = "POST of the update URL without a token"
    NOWHERE = "POST of a path that cannot exist, without a token"
    CONTAINERS = "GET of the containers endpoint"
    DETAILS = "GET of the containers' details"
    CHECK = "POST of the check endpoint"
    METRICS = "GET of the metrics endpoint"
    IDLE_UPDATE = "POST of the update URL, limited to an image that cannot exist"
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
    """Which image does this tag point to in the registry?"""

    image: Image


@dataclass(frozen=True)
class ReadCommit:
    """Which commit does an image name in its label?"""

    image: Image
    manifest: Manifest
    """The manifest that the image's tag points to."""


@dataclass(frozen=True)
class FetchEnvironment:
    """May this token read the environment's Deployments?"""


Question = Connect | Request | LookUp | ReadCommit | FetchEnvironment


@dataclass(frozen=True)
class Answered:
    """An answer: reachability, an HTTP result, a manifest, a commit or a trouble; None if there was none in time."""

    answer: object
    wall: float
    """Our clock when it came, in seconds since 1970."""


def late(question: Question) -> object:
    """Return the answer to a question that was not answered in time."""
    match question:
        case Connect():
            return Reachability(
                origin=question.origin, error_kind=ErrorKind.UNRESOLVED, detail="no response from the resolver in time"
            )
        case Request():
            return TransportError(ErrorKind.TIMED_OUT)
        case FetchEnvironment():
            return Trouble(message="no response in time")
        case _:
            return None
