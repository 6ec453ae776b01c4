"""The examination: ask questions, and more that follow from the answers, until none is left. It changes nothing."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Protocol

from redeploy.doctor.connect import find_way
from redeploy.doctor.diagnosis import diagnose, examined
from redeploy.doctor.known import Known
from redeploy.doctor.links import next_questions
from redeploy.doctor.questions import Answered, Connect, FetchEnvironment, OfWatchtower, Question, SecondLook, late
from redeploy.doctor.terminal import line
from redeploy.github.deployment import place_of
from redeploy.github.retry import Trouble
from redeploy.http.client import is_proxied, trusting
from redeploy.report.results import Examination
from redeploy.rollout.perform import performer
from redeploy.rollout.requests import CheckContainers, FetchRevision, FetchTag
from redeploy.rollout.workers import side_by_side
from redeploy.settings.plan import Plan

SECONDS = 10.0
"""Time limit of a look-up at the registry or at GitHub, and of Watchtower's check endpoint."""

_SLOW = FetchTag | FetchRevision | FetchEnvironment | CheckContainers

GRACE = 1.0
"""Seconds after its own time limit at which a question is given up."""


class Outside(Protocol):
    """The outside world: it answers questions, in parallel."""

    def request(self, questions: tuple[Question, ...]) -> Mapping[Question, Answered]:
        """Return the answers to all questions."""


def doctor(
    plan: Plan, environment: Mapping[str, str], redact: Callable[[str], str], say: Callable[[str], None]
) -> Examination:
    """Examine the whole chain, print every link, and return the result."""
    known = examine(Known(plan, redact=redact), World(plan, environment))
    chain = diagnose(known, time.time())
    for each in chain.links:
        say(line(each))
    return examined(known, chain)


def examine(known: Known, outside: Outside) -> Known:
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
        self._perform = performer(plan)

    def request(self, questions: tuple[Question, ...]) -> Mapping[Question, Answered]:
        """Ask each question in its own thread, with its own time limit."""

        def task(question: Question) -> tuple[Callable[[], Answered], float]:
            bound = self._bound(question)
            return lambda: Answered(self._answer(question, bound), time.time()), bound + GRACE

        found = side_by_side({each: task(each) for each in questions})
        return {each: found.get(each) or Answered(late(each), time.time()) for each in questions}

    def _bound(self, question: Question) -> float:
        return SECONDS if isinstance(question, _SLOW) else self._plan.request_timeout

    def _answer(self, question: Question, bound: float) -> object:
        match question:
            case Connect():
                proxied = is_proxied(question.origin)
                return find_way(question.origin, self._trusted, proxied=proxied, timeout=bound)
            case FetchEnvironment():
                from redeploy.github.client import look

                place = place_of(self._environment)
                if place is None:
                    return Trouble(message="GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_SHA are not set")
                return look(place, self._plan.github_token, self._plan.deployment_environment)
            case OfWatchtower():
                return self._perform(question.to(self._plan.watchtower), bound)
            case SecondLook(probe):
                return self._perform(probe, bound)
            case _:
                return self._perform(question, bound)

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        return trusting(self._plan.ca_certificate)
