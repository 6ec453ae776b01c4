"""A trigger that is not Watchtower: a plain webhook whose every 2xx is `accepted`. It tests the interface, unshipped."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from redeploy.http import client
from redeploy.http.fetch import HttpRequest
from redeploy.http.response import HttpResult, Response
from redeploy.rollout.perform import performer
from redeploy.rollout.requests import CheckContainers, FetchContainers, ProbeContainerSupport, SendTrigger
from redeploy.rollout.run import redeploy
from redeploy.rollout.service_state import ServiceState
from redeploy.triggers.trigger import Answer, Result
from redeploy.triggers.trigger_state import TriggerState
from redeploy.triggers.watchtower.containers import Look
from redeploy.triggers.watchtower.endpoints import ContainerFilter
from redeploy.verdicts import Reason
from sandbox.simulation import Log, World, plan
from tests.unit.factories import NEW, OLD, ready


@dataclass(frozen=True)
class Webhook:
    """A deployer that is asked to start, and reports nothing more."""

    url: str
    lists_running: bool = False
    explains: bool = False
    narrows_doubtfully: bool = False

    def update(self) -> HttpRequest:
        """Start the update."""
        return HttpRequest(method="POST", url=self.url, cap=4096)

    def read(self, http_result: HttpResult) -> Answer:
        """Treat any 2xx as accepted, and everything else as a refusal."""
        if isinstance(http_result, Response) and 200 <= http_result.status < 300:
            return Answer(result=Result.ACCEPTED, seen=f"{http_result.status}", status=http_result.status)
        return Answer(result=Result.NONE, seen="refused", refusal=Reason.MISROUTED)

    def list_running(self) -> HttpRequest:
        raise AssertionError

    def read_running(
        self, http_result: HttpResult, wanted: ContainerFilter, *, sent: float, at: float, redact: Callable[[str], str]
    ) -> Look:
        raise AssertionError(http_result, wanted, sent, at, redact)

    def explain(self) -> HttpRequest:
        raise AssertionError

    def read_explanation(
        self, http_result: HttpResult, result: Result, redact: Callable[[str], str]
    ) -> tuple[str, ...]:
        raise AssertionError(http_result, result, redact)

    def ask_support(self) -> HttpRequest:
        raise AssertionError

    def read_support(self, http_result: HttpResult) -> bool:
        raise AssertionError(http_result)


HOOK = Webhook("https://deploy.example.com/hooks/api")


def run(world: World, **inputs: str) -> tuple[str, str]:
    """Redeploy with the webhook in place of Watchtower."""
    state = ServiceState(plan(**inputs), began=world.now(), shared_trigger=TriggerState(kind=HOOK))
    conclusion = redeploy(state, world, lambda: 0.5, Log())
    return conclusion.verdict.value, conclusion.reason.value


def test_a_build_is_proven_whatever_deployed_it() -> None:
    world = World(lambda moment, _: ready(NEW if moment > 3 else OLD), trigger=(Response(204),))
    assert run(world, expect_version=NEW) == ("deployed", "")


def test_a_202_of_a_webhook_proves_nothing() -> None:
    world = World(lambda _, __: ready(OLD), trigger=(Response(202),))
    assert run(world, expect_version=NEW, timeout="20s") == ("stale", "old-build")


def test_a_refusal_of_another_trigger_ends_the_run() -> None:
    world = World(lambda _, __: ready(OLD), trigger=(Response(404),))
    assert run(world) == ("trigger-failed", "misrouted")


def test_requests_that_another_trigger_does_not_support_are_never_sent() -> None:
    world = World(lambda moment, _: ready(NEW if moment > 3 else OLD), trigger=(Response(204),))
    run(world, container="api", expect_version=NEW)
    assert not [each for kind in (FetchContainers, CheckContainers, ProbeContainerSupport) for each in world.sent(kind)]


def test_another_trigger_sends_its_own_request(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []

    def fetch(_: object, method: str, url: str, **__: Any) -> HttpResult:  # noqa: ANN401 - bounds and caps of all kinds
        sent.append((method, url))
        return Response(204)

    monkeypatch.setattr(client.Http, "fetch", fetch)
    assert performer(plan(), HOOK)(SendTrigger(), 5.0) == Response(204)
    assert sent == [("POST", HOOK.url)]
