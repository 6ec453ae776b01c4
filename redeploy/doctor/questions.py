"""The questions that doctor can ask: each is a value, and none changes anything."""

from dataclasses import dataclass
from enum import StrEnum

from redeploy.doctor.network import Reachability
from redeploy.github.retry import Trouble
from redeploy.http.fetch import HttpRequest
from redeploy.http.response import ErrorKind, TransportError
from redeploy.rollout.requests import CheckContainers, FetchContainers, Probe, ProbeContainerSupport, Request
from redeploy.triggers.watchtower import requests
from redeploy.triggers.watchtower.endpoints import Watchtower

WITHOUT_TOKEN, CONTAINERS, CHECK = ProbeContainerSupport(), FetchContainers(), CheckContainers()


class OfWatchtower(StrEnum):
    """Requests to Watchtower that a rollout never sends. All but `NOWHERE` carry the token."""

    NOWHERE = "POST of a path that cannot exist, without a token"
    DETAILS = "GET of the containers' details"
    METRICS = "GET of the metrics endpoint"
    IDLE_UPDATE = "POST of the update URL, limited to an image that cannot exist"

    def to(self, watchtower: Watchtower) -> HttpRequest:
        """Return it as it is sent."""
        match self:
            case OfWatchtower.NOWHERE:
                return requests.ask_nowhere(watchtower)
            case OfWatchtower.DETAILS:
                return requests.details(watchtower)
            case OfWatchtower.METRICS:
                return requests.metrics(watchtower)
            case OfWatchtower.IDLE_UPDATE:
                return requests.update_nothing(watchtower)


@dataclass(frozen=True)
class SecondLook:
    """A probe that was sent once already: what differs between both responses names no build."""

    probe: Probe


@dataclass(frozen=True)
class Connect:
    """Can this origin be reached? Only a handshake is made, and no request is sent."""

    origin: str


@dataclass(frozen=True)
class FetchEnvironment:
    """May this token read the environment's Deployments? GitHub's own library asks."""


Question = Request | SecondLook | OfWatchtower | Connect | FetchEnvironment
"""The requests of a rollout, and what only an examination asks."""

WITH_TOKEN: tuple[Question, ...] = (CONTAINERS, CHECK, OfWatchtower.METRICS, OfWatchtower.IDLE_UPDATE)
"""The requests whose responses show whether the token is right."""


@dataclass(frozen=True)
class Answered:
    """An answer: reachability, an HTTP result, or GitHub's trouble; None if GitHub had none."""

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
        case FetchEnvironment():
            return Trouble(message="no response in time")
        case _:
            return TransportError(ErrorKind.TIMED_OUT)
