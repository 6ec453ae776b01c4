"""The examination: ask questions, and more that follow from the answers, until none is left. It changes nothing."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from redeploy.doctor.connect import find_way
from redeploy.doctor.diagnosis import diagnose, examined
from redeploy.doctor.evidence import Evidence
from redeploy.doctor.links import next_questions
from redeploy.doctor.questions import Answered, Connect, FetchEnvironment, LookUp, Question, ReadCommit, Request, late
from redeploy.doctor.terminal import line
from redeploy.github.deployment import place_of
from redeploy.github.retry import Trouble
from redeploy.http.client import Http, is_proxied, trusting
from redeploy.http.response import HttpResult
from redeploy.http.urls import origin_of
from redeploy.registry.image import Image, parse
from redeploy.report.outcome import Outcome
from redeploy.rollout import perform
from redeploy.rollout.requests import FetchDocument, Probe
from redeploy.rollout.workers import side_by_side
from redeploy.settings.plan import Plan
from redeploy.text.secret import Secret
from redeploy.triggers.watchtower import requests

if TYPE_CHECKING:  # only where an image is looked up
    from redeploy.registry.client import Registry

SECONDS = 10.0
"""Time limit of a look-up at the registry or at GitHub, and of Watchtower's check endpoint."""

GRACE = 1.0
"""Seconds after its own time limit at which a question is given up."""


class Outside(Protocol):
    """The outside world: it answers questions, in parallel."""

    def request(self, questions: tuple[Question, ...]) -> Mapping[Question, Answered]:
        """Return the answers to all questions."""


def doctor(
    plan: Plan, environment: Mapping[str, str], redact: Callable[[str], str], say: Callable[[str], None]
) -> Outcome:
    """Examine the whole chain, print every link, and return the outcome."""
    known = examine(Evidence(plan, redact=redact), World(plan, environment))
    chain = diagnose(known, time.time())
    for each in chain.links:
        say(line(each))
    return examined(known, chain)


def examine(known: Evidence, outside: Outside) -> Evidence:
    """Find out everything that can be found out without changing anything."""
    while questions := next_questions(known):
        known = replace(known, answers={**known.answers, **outside.request(questions)})
    return known


class World:
    """The real `Outside`."""

    def __init__(self, plan: Plan, environment: Mapping[str, str]) -> None:
        """`environment` has GitHub's addresses."""
        self._plan = plan
        self._environment = environment
        http = Http(headers=plan.headers, origins=plan.header_origins, ca_certificate=plan.ca_certificate)
        self._fetch = http.fetch
        self._of_service = http.to_service(plan.service_headers, origin_of(plan.service.base_url)).fetch

    def request(self, questions: tuple[Question, ...]) -> Mapping[Question, Answered]:
        """Ask each question in its own thread, with its own time limit."""

        def task(question: Question) -> tuple[Callable[[], Answered], float]:
            bound = self._bound(question)
            return lambda: Answered(self._answer(question, bound), time.time()), bound + GRACE

        found = side_by_side({each: task(each) for each in questions})
        return {each: found.get(each) or Answered(late(each), time.time()) for each in questions}

    def _bound(self, question: Question) -> float:
        mine = self._plan.request_timeout
        return (
            SECONDS
            if isinstance(question, LookUp | ReadCommit | FetchEnvironment) or question is Request.CHECK
            else mine
        )

    def _answer(self, question: Question, bound: float) -> object:
        match question:
            case Connect():
                proxied = is_proxied(question.origin)
                return find_way(question.origin, self._trusted, proxied=proxied, timeout=bound)
            case LookUp():
                return self._registry(question.image).resolve(question.image, bound)
            case ReadCommit():
                return self._registry(question.image).revision(question.image, question.manifest, bound)
            case FetchEnvironment():
                from redeploy.github.client import look

                place = place_of(self._environment)
                if place is None:
                    return Trouble(message="GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_SHA are not set")
                return look(place, self._plan.github_token, self._plan.deployment_environment)
            case Request():
                return self._send(question, bound)

    def _send(self, request: Request, bound: float) -> HttpResult:
        fetch, tower, plan = self._fetch, self._plan.watchtower, self._plan
        fresh = request in (Request.HEALTH_FRESH, Request.VERSION_FRESH, Request.DOCUMENT_FRESH)
        match request:
            case Request.POST_UPDATE:
                return requests.ask_whether_forked(fetch, tower, timeout=bound)
            case Request.NOWHERE:
                return requests.ask_nowhere(fetch, tower, timeout=bound)
            case Request.CONTAINERS:
                return requests.containers(fetch, tower, timeout=bound)
            case Request.DETAILS:
                return requests.details(fetch, tower, timeout=bound)
            case Request.CHECK:
                return requests.reasons(fetch, tower, timeout=bound)
            case Request.METRICS:
                return requests.metrics(fetch, tower, timeout=bound)
            case Request.IDLE_UPDATE:
                return requests.update_nothing(fetch, tower, timeout=bound)
            case Request.DOCUMENT | Request.DOCUMENT_FRESH:
                return perform.document(
                    self._of_service, FetchDocument(plan.checks.document_url or "", fresh), timeout=bound
                )
            case Request.HEALTH | Request.HEALTH_AGAIN | Request.HEALTH_FRESH:
                return perform.look(self._of_service, Probe(frozenset(), plan.service.health_url, fresh), timeout=bound)
            case _:
                return perform.look(
                    self._of_service, Probe(frozenset(), plan.service.version_url, fresh), timeout=bound
                )

    def _registry(self, image: Image) -> "Registry":
        """Return the client for an image's registry; a registry that only Watchtower names gets no credentials."""
        named = {parse(name).registry for name in self._plan.watchtower.images}
        return self._registries[image.registry in named]

    @cached_property
    def _registries(self) -> "Mapping[bool, Registry]":
        """The client with credentials, and the one without; each keeps its tokens from question to question."""
        from redeploy.registry.client import Registry

        bare = Http(headers={}, origins=frozenset(), ca_certificate=self._plan.ca_certificate)
        anonymous = replace(self._plan.access, username="", password=Secret(""))
        return {True: Registry(bare.fetch, self._plan.access), False: Registry(bare.fetch, anonymous)}

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        return trusting(self._plan.ca_certificate)
