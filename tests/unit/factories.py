"""Factories of test values: each returns something ordinary, and takes what the test is about."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from redeploy.conditions.expectation import NOTHING_EXPECTED
from redeploy.conditions.grammar import expectation
from redeploy.decision.facts import Facts
from redeploy.http.condition import Condition
from redeploy.http.response import ErrorKind, HttpResult, Response
from redeploy.rollout.assess import Assessment
from redeploy.rollout.requests import BOTH, Event, FetchContainers, Probe, SendTrigger
from redeploy.rollout.service_state import ServiceState
from redeploy.service.build_fields import Kind, kind_of_field
from redeploy.service.declared import Rank
from redeploy.service.endpoint import Endpoint, Service
from redeploy.service.process import Start
from redeploy.service.sample import Sample
from redeploy.settings.reading import InvalidInputsError
from redeploy.triggers.trigger import Answer, Counts, Result
from sandbox.simulation import BASE, ENOUGH, WALL, bare_plan, plan

OLD, NEW, THIRD = "1" * 40, "2" * 40, "3" * 40
D1, D2, D3 = ("sha256:" + digit * 64 for digit in "123")
HEALTH, VERSION = frozenset({Endpoint.HEALTH}), frozenset({Endpoint.VERSION})


def bare_problems(**inputs: str) -> dict[str, str]:
    """The messages about invalid inputs, by input; several about one input are joined."""
    found: dict[str, str] = {}
    try:
        bare_plan(**inputs)
    except InvalidInputsError as error:
        for problem in error.problems:
            found[problem.input] = f"{found.get(problem.input, '')} {problem.message}".strip()
    return found


def problems(**inputs: str) -> dict[str, str]:
    """As `bare_problems`, with the inputs that a deploy requires."""
    return bare_problems(**(ENOUGH | inputs))


def reply(status: int = 200, body: object = b"", **headers: str) -> Response:
    """A response; a body that is not text is sent as JSON, and `content_type` names a header."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, bytes):
        return Response(status, named, body)
    if isinstance(body, str):
        return Response(status, named, body.encode())
    return Response(status, {"content-type": "application/json"} | named, json.dumps(body).encode())


def page(status: int = 200, text: str = "hello", **headers: str) -> Response:
    return reply(status, f"<!doctype html><title>{text}</title>", content_type="text/html; charset=utf-8", **headers)


def ready(build: str = "", /, **fields: Any) -> Response:  # noqa: ANN401 - JSON values
    """A healthy response that names its build, if one is given."""
    return reply(200, {"status": "ready", **({"commit": build} if build else {}), **fields})


def summary(**counts: int) -> Response:
    """The response of nicholas-fedor's Watchtower to a trigger."""
    counted = {"scanned": 1, "updated": 0, "failed": 0, "restarted": 0, "skipped": 0} | counts
    return reply(200, {"api_version": "v1", "summary": counted, "timing": {"duration": "930.4µs"}})


def rows(*listed: tuple[str, str, str]) -> Response:
    """The response of the containers endpoint for rows of name, image and digest."""
    return reply(
        200,
        {"containers": [dict(zip(("name", "image", "digest"), row, strict=True)) for row in listed] or None},
    )


def service(
    *, apart: bool = False, names_itself: bool = False, health_expect: str = "", version_field: str = ""
) -> Service:
    return Service(
        base_url=BASE,
        health_url=f"{BASE}/api/ready",
        version_url=f"{BASE}/api/version" if apart else f"{BASE}/api/ready",
        names_itself=names_itself or apart,
        health_expect=expectation(health_expect) if health_expect else NOTHING_EXPECTED,
        version_field=version_field,
    )


def sample(
    at: float,
    build: str = "",
    condition: Condition = Condition.HEALTHY,
    *,
    took: float = 0.04,
    endpoints: frozenset[Endpoint] = BOTH,
    names: Mapping[str, str] | None = None,
    start: float | None = None,
    starts: Mapping[str, float] | None = None,
    error_kind: ErrorKind | None = None,
    ticking: Sequence[str] = (),
    uptimes: Mapping[str, float] | None = None,
) -> Sample:
    """One look whose response came at `at`; `build` is its `commit`, `start` its `start_time`."""
    moments = dict(starts or {}) | ({} if start is None else {"start_time": start})
    named = dict(names or {}) | ({"commit": build} if build else {})
    return Sample(
        sent=at - took,
        at=at,
        endpoints=endpoints,
        condition=condition,
        seen=condition.value,
        error_kind=error_kind,
        names=named,
        ranks={path: ranked(path, name) for path, name in named.items()},
        uptimes=dict(uptimes or {}),
        wall=WALL + at,
        starts={path: Start(reported=moment, ours=moment) for path, moment in moments.items()},
        ticking=frozenset(ticking),
        names_itself=Endpoint.VERSION in endpoints,
        beyond_caches=True,
    )


def ranked(path: str, name: str) -> Rank:
    """The kind and the place of a name, from its path."""
    bare = path.removeprefix("health:")
    kind = Kind.FILES if bare == "files" else kind_of_field(bare, name)
    return Rank(kind, at_health=bare != path, depth=bare.count("."))


def gone(at: float) -> Sample:
    """A look whose connection was cut."""
    return sample(at, condition=Condition.DOWN, error_kind=ErrorKind.CUT)


def answer(result: Result = Result.UPDATED, **counts: int) -> Answer:
    """Watchtower's response with these counts; without arguments, one without counts."""
    counted = {"scanned": 1, "skipped": 0} | counts
    return Answer(result=result, seen=result.value, counts=Counts(**counted) if counts else None)


UPDATED = answer(Result.UPDATED, updated=1)
ACCEPTED = answer(Result.ACCEPTED)
NOTHING = answer(Result.NOTHING, updated=0)
FAILED = answer(Result.FAILED, failed=1)
BLOCKED = answer(Result.BLOCKED, scanned=0, skipped=1)
PARTIAL_FAILED = answer(Result.PARTIAL, scanned=2, updated=1, failed=1)
PARTIAL_SKIPPED = answer(Result.PARTIAL, scanned=2, updated=1, skipped=1)
SCANNED_NOTHING = answer(Result.UNKNOWN, scanned=0)
LOST = answer(Result.UNKNOWN)


def facts(**known: Any) -> Facts:  # noqa: ANN401 - the fields of a Facts
    """What is known at 100 s of a deploy whose deadline is at 300 s; a response of Watchtower came at 10 s."""
    usual: dict[str, Any] = {
        "now": 100.0,
        "deadline": 300.0,
        "stable_for": 5.0,
        "version_declared": False,
        "digest_declared": False,
    }
    if known.get("answer") is not None:
        usual |= {"answered_at": 10.0, "answer_final": True}
    return Facts(**usual | known)


class Run:
    """The state of a run, to which a test feeds events one by one."""

    def __init__(self, **inputs: str) -> None:
        self.state = ServiceState(plan(**inputs), began=0.0)

    def trigger(self, at: float) -> "Run":
        self.state.budget.note_sent(SendTrigger(), at)
        self.state.record_trigger(at, WALL + at)
        return self

    def look(
        self, at: float, http_result: HttpResult, endpoints: frozenset[Endpoint] = BOTH, took: float = 0.04
    ) -> "Run":
        """A look at the service, with its response at `at`."""
        target = self.state.plan.service
        url = target.version_url if endpoints == VERSION else target.health_url
        good = isinstance(http_result, Response) and http_result.status < 300
        request = Probe(endpoints, url, past_caches=good)
        self.state.budget.note_sent(request, at - took)
        self.state.take(Event(request=request, http_result=http_result, sent=at - took, at=at, wall=WALL + at))
        return self

    def looks(self, begin: float, end: float, http_result: HttpResult, every: float = 1.0) -> "Run":
        """Looks from `begin` to `end`, all with the same response."""
        moment = begin
        while moment <= end:
            self.look(moment, http_result)
            moment += every
        return self

    def containers(self, at: float, http_result: HttpResult, took: float = 0.04) -> "Run":
        self.state.take(
            Event(request=FetchContainers(), http_result=http_result, sent=at - took, at=at, wall=WALL + at)
        )
        return self

    def answer(self, at: float, http_result: HttpResult) -> "Run":
        sent = self.state.triggered or 0.0
        self.state.take(Event(request=SendTrigger(), http_result=http_result, sent=sent, at=at, wall=WALL + at))
        return self

    @property
    def assessed(self) -> Assessment:
        return Assessment(self.state)

    def known(self, now: float) -> Facts:
        return Assessment(self.state).facts(now)


def commands(log: str) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands in a log, as the runner reads them: name, properties and data."""
    found = []
    for line in re.split(r"\r\n|\r|\n", log):
        text = line.lstrip()
        if text.startswith("::") and "::" in text[2:]:
            header, _, data = text[2:].partition("::")
            name, _, pairs = header.partition(" ")
            properties = dict(pair.split("=", 1) for pair in pairs.split(",") if "=" in pair)
            found.append((name, {key: _plain(value) for key, value in properties.items()}, _plain(data)))
        if "##[" in line:
            found.append(("##[", {}, line))
    return found


def _plain(text: str) -> str:
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, character)
    return text
