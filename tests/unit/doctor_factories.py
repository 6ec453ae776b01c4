"""An examination without sockets: responses come from a script, which records the requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from redeploy.doctor.diagnosis import diagnose
from redeploy.doctor.known import Known
from redeploy.doctor.network import Certificate, Reachability
from redeploy.doctor.questions import (
    CHECK,
    CONTAINERS,
    WITHOUT_TOKEN,
    Answered,
    Connect,
    OfWatchtower,
    Question,
    SecondLook,
    late,
)
from redeploy.doctor.run import examine
from redeploy.http.response import HttpResult, Response
from redeploy.registry.errors import Trouble
from redeploy.registry.lookup import FromRegistry
from redeploy.registry.manifest import Manifest
from redeploy.report.chain import Chain, Check, LinkResult
from redeploy.rollout.requests import FetchDocument, Probe
from redeploy.service.endpoint import Endpoint
from sandbox.simulation import BASE, WALL, plan
from tests.unit.factories import D1, D2, page, ready, reply, rows

Answers = Mapping[Any, object]
"""Responses by request, or by the name of the request."""


class Asked(Enum):
    """The requests that contain an address or a token, by name."""

    POST_UPDATE = WITHOUT_TOKEN
    NOWHERE = OfWatchtower.NOWHERE
    CONTAINERS = CONTAINERS
    DETAILS = OfWatchtower.DETAILS
    CHECK = CHECK
    METRICS = OfWatchtower.METRICS
    IDLE_UPDATE = OfWatchtower.IDLE_UPDATE
    HEALTH = "the health address"
    HEALTH_AGAIN = "the health address once more"
    HEALTH_FRESH = "the health address, past caches"
    VERSION = "the version address"
    VERSION_AGAIN = "the version address once more"
    VERSION_FRESH = "the version address, past caches"
    DOCUMENT = "the OpenAPI document"
    DOCUMENT_FRESH = "the OpenAPI document, past caches"

    @classmethod
    def of(cls, question: Question) -> "Asked | None":
        """The name of a request; None for those that are identified by their values."""
        match question:
            case SecondLook(probe):
                return cls.HEALTH_AGAIN if Endpoint.HEALTH in probe.endpoints else cls.VERSION_AGAIN
            case Probe(endpoints, _, past_caches) if Endpoint.HEALTH in endpoints:
                return cls.HEALTH_FRESH if past_caches else cls.HEALTH
            case Probe(_, _, past_caches):
                return cls.VERSION_FRESH if past_caches else cls.VERSION
            case FetchDocument(_, past_caches):
                return cls.DOCUMENT_FRESH if past_caches else cls.DOCUMENT
        return next((each for each in cls if each.value == question), None)


FORK_NOWHERE, OLD_NOWHERE = reply(404, "Not Found"), reply(404, "404 page not found\n")
FORK_BY_POST = reply(401, "missing or invalid API Key")
OLD_BY_POST = reply(401)
NGINX_FORBIDS = page(403, "<center>nginx/1.22.1</center>", server="nginx/1.22.1")
DAY = 86400.0
TRUSTED = Certificate(begins=WALL - 30 * DAY, ends=WALL + 60 * DAY, names=("api.example.com",), issuer="An Authority")
CLEAR = Reachability(origin=BASE, addresses=("203.0.113.7",), certificate=TRUSTED, version="TLSv1.3")


def details(*listed: tuple[str, str]) -> Response:
    """The response of the details endpoint for rows of name and the flag that is set."""
    return reply(200, {"containers": [{"name": name, flag: True} for name, flag in listed]})


def checks(*listed: tuple[str, str, bool, str]) -> Response:
    """The response of the check endpoint for rows of name, image, whether there is a newer one, and error."""
    names = ("name", "image", "update_available", "error")
    return reply(200, {"containers": [dict(zip(names, row, strict=True)) for row in listed] or None})


WATCHED = rows(("api", "ghcr.io/o/api:latest", D1), ("web", "ghcr.io/o/web:latest", D2))
DOCUMENT = reply(200, {"openapi": "3.1.0", "info": {"version": "1"}, "paths": {"/api/ready": {"get": {}}}})
HOLDS: Answers = {
    Connect(BASE): CLEAR,
    Asked.POST_UPDATE: FORK_BY_POST,
    Asked.NOWHERE: FORK_NOWHERE,
    Asked.CONTAINERS: WATCHED,
    Asked.CHECK: checks(("api", "ghcr.io/o/api:latest", True, ""), ("web", "ghcr.io/o/web:latest", False, "")),
    Asked.METRICS: reply(200, "watchtower_scans_total 1\n", content_type="text/plain"),
    Asked.IDLE_UPDATE: reply(200),
    Asked.HEALTH: ready("1" * 40),
    Asked.HEALTH_AGAIN: ready("1" * 40),
    Asked.HEALTH_FRESH: ready("1" * 40),
    Asked.DOCUMENT: DOCUMENT,
}
"""A setup in which every link holds."""


@dataclass
class Script:
    """An `Outside` with scripted responses, and the requests in the order in which they came."""

    answers: Answers
    asked: list[tuple[Question | Asked, ...]] = field(default_factory=list)

    def request(self, questions: tuple[Question, ...]) -> Mapping[Question, Answered]:
        self.asked.append(tuple(Asked.of(each) or each for each in questions))
        return {each: Answered(self._answer(each), WALL) for each in questions}

    def _answer(self, question: Question) -> object:
        found = self.answers.get(Asked.of(question) or question, late(question))
        return FromRegistry(200, found=found) if isinstance(found, Manifest | Trouble | str) else found

    @property
    def requests(self) -> list[Question | Asked]:
        return [each for step in self.asked for each in step]


def known_from(answers: Answers, **inputs: str) -> tuple[Known, Script]:
    """What is known at the end of an examination with these responses and, for the rest, those of `HOLDS`."""
    script = Script({**HOLDS, **answers})
    return examine(Known(plan(mode="doctor", **inputs)), script), script


def chain_from(answers: Answers | None = None, **inputs: str) -> Chain:
    known, _ = known_from(answers or {}, **inputs)
    return diagnose(known, WALL)


def found(link: Check, answers: Answers | None = None, **inputs: str) -> LinkResult:
    return next(each for each in chain_from(answers, **inputs).links if each.link is link)


def weak(answers: Answers | None = None, **inputs: str) -> dict[str, str]:
    """The finding of every link that is not OK."""
    links = chain_from(answers, **inputs).links
    return {each.link.value: each.finding.value for each in links if each.finding is not None}


def without(*, line: HttpResult, nowhere: HttpResult = OLD_NOWHERE) -> dict[Any, object]:
    """A Watchtower with this response to a request without a token, and no endpoint but the update."""
    nothing = reply(404, "404 page not found\n")
    return {
        Asked.POST_UPDATE: line,
        Asked.NOWHERE: nowhere,
        Asked.CONTAINERS: nothing,
        Asked.CHECK: nothing,
        Asked.METRICS: nothing,
    }
