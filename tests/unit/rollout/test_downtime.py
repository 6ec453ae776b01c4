"""`max-downtime`: how long the service may be down during a deploy, and how much of that can be known."""

import json
import re

import pytest

from redeploy.http.response import ErrorKind, HttpResult, TransportError
from redeploy.report.annotations import annotations
from redeploy.report.outputs import outputs
from redeploy.report.summary import Repository, page
from redeploy.rollout.requests import Probe
from sandbox.simulation import Story, World, bare_plan, plan, simulate
from tests.unit.factories import NEW, OLD, bare_problems, problems, ready, summary

pytestmark = pytest.mark.no_cover  # these runs take long, and other tests reach the same lines

GONE = TransportError(ErrorKind.REFUSED)


def deploy(down: float, **inputs: str) -> Story:
    """A deploy whose service goes down at second 2 for this many seconds."""

    def service(moment: float, _: Probe) -> HttpResult:
        return ready(OLD) if moment < 2 else GONE if moment < 2 + down else ready(NEW)

    return simulate(World(service, trigger=[(summary(updated=1), 3.0)]), expect_version=NEW, **inputs)


def test_a_service_that_was_certainly_down_for_longer_fails_the_run() -> None:
    story = deploy(8.0, max_downtime="5s")
    assert story.verdict == ("checks-failed", "downtime")
    found = outputs(story.outcome)
    assert json.loads(found["failed-checks"]) == ["max-downtime"]
    assert float(found["downtime-seconds"]) > 8
    [error] = annotations(story.outcome)
    assert error.kind == "error"
    least = re.search(r"The service was down for at least ([\d.]+) s and at most", error.message)
    assert least
    assert 5 < float(least[1]) <= 8
    assert "`max-downtime` allows 5 s" in error.message


def test_a_service_that_may_have_been_down_for_longer_is_a_warning() -> None:
    story = deploy(4.0, max_downtime="4s")
    assert story.verdict == ("deployed", "")
    [warning] = annotations(story.outcome)
    assert warning.kind == "warning"
    assert "not known whether the service was down for longer than the 4 s of `max-downtime`" in warning.message
    assert outputs(story.outcome)["failed-checks"] == "[]"


@pytest.mark.parametrize(("down", "limit"), [(2.0, "20s"), (0.0, "0s")])
def test_a_downtime_within_the_limit_causes_no_annotation(down: float, limit: str) -> None:
    story = deploy(down, max_downtime=limit)
    assert story.verdict == ("deployed", "")
    assert annotations(story.outcome) == []
    shown = page(story.outcome, Repository())
    assert ("No interruption was seen" in shown) is (down == 0)


def test_without_a_limit_downtime_does_not_fail_the_run() -> None:
    story = deploy(60.0)
    assert story.verdict == ("deployed", "")
    assert outputs(story.outcome)["report"].count("max-downtime") == 0


def test_a_limit_of_zero_fails_on_every_interruption_that_was_seen_twice() -> None:
    assert deploy(3.0, max_downtime="0s").verdict == ("checks-failed", "downtime")


def test_in_mode_verify_max_downtime_is_accepted() -> None:
    chosen = bare_plan(mode="verify", base_url="https://api.example.com", max_downtime="10s")
    assert chosen.max_downtime == 10


def test_another_check_that_failed_comes_first() -> None:
    story = deploy(8.0, max_downtime="5s", required_routes="GET /nowhere")
    assert story.verdict == ("checks-failed", "openapi")
    assert json.loads(outputs(story.outcome)["failed-checks"]) == ["openapi", "max-downtime"]


@pytest.mark.parametrize(
    ("limit", "rate", "too_fine"),
    [("1s", "30/m", True), ("2s", "30/m", False), ("0s", "30/m", True), ("1s", "2/s", False), ("0s", "off", False)],
)
def test_a_limit_below_the_time_between_two_looks_is_named_at_the_start(limit: str, rate: str, too_fine: bool) -> None:
    warnings = plan(max_downtime=limit, request_rate=rate).warnings
    assert any("two looks at the service may be 2 s apart" in each for each in warnings) is too_fine


def test_a_rollback_may_take_as_long_as_it_needs() -> None:
    given = {"mode": "rollback", "image": "ghcr.io/o/app:latest", "max_downtime": "5s"}
    assert set(problems(**given)) == {"max-downtime"}
    assert set(bare_problems(mode="verify", base_url="https://a.example", max_downtime="soon")) == {"max-downtime"}
