"""Many services of one origin: the run says when `request-rate` allows too few requests, and blames no service for it."""

import re

import pytest

from redeploy.report.annotations import annotations
from redeploy.report.results import representative
from redeploy.settings.plan import HostPlan, RunPlan
from tests.unit.factories import NEW, OLD
from tests.unit.fleet.stage import Finished, run_to_end, service, sick, swapped, world

STARVED = ("unhealthy", "throttled")
ENOUGH = re.compile(r"`request-rate: (\d+)/m` or `timeout: (\d+)s` would be enough$")


def of_one_origin(number: int, **inputs: str) -> Finished:
    """Run services at paths of one origin."""
    services = [
        service(f"s{each}", base_url="https://all.example.com", health_path=f"/{each}", **inputs)
        for each in range(number)
    ]
    return run_to_end(RunPlan(waves=((HostPlan.of("", services),),)), {"": world({"all": swapped})})


@pytest.mark.parametrize("declared", ["", NEW])
@pytest.mark.parametrize("paths", [{}, {"version_path": "/version"}])
def test_a_service_that_could_not_be_watched_is_not_called_down_or_flapping(
    declared: str, paths: dict[str, str]
) -> None:
    finished = of_one_origin(20, timeout="20s", expect_version=declared, **paths)
    assert finished.verdict == STARVED
    assert set(finished.verdicts.values()) <= {STARVED, ("deployed", ""), ("unproven", "no-identity")}


def test_the_message_names_the_shortage_and_sufficient_settings() -> None:
    finished = of_one_origin(20, timeout="20s", expect_version=NEW)
    [error, *_] = annotations(representative(finished.outcome))
    assert error.title.endswith("`request-rate` left too few requests for it")
    assert "allows 30 requests a minute at `https://all.example.com`, which 20 services share" in error.message
    assert "Nothing shows that this service is unhealthy." in error.message
    assert "defaults:\n  request-rate: 315/m\n" in error.message
    assert "defaults:\n  timeout: 210s\n" in error.message


def test_no_image_is_rolled_back_only_because_requests_ran_short() -> None:
    finished = of_one_origin(20, timeout="20s", expect_version=NEW, on_failure="rollback", image="ghcr.io/o/all:latest")
    for each in finished.services.values():
        if each.conclusion.reason == "throttled":
            assert each.rollback is not None
            assert each.rollback.sentence.startswith("No rollback was tried: too few requests got through")


def test_services_that_cannot_all_be_watched_in_time_are_named_before_the_trigger() -> None:
    line = of_one_origin(12, timeout="60s").log.lines[0]
    assert line.startswith("note: 12 services share https://all.example.com, and `request-rate` allows fewer requests")
    assert "within 60 s than the 72 that" in line
    assert line.endswith("the reason `throttled`; `request-rate: 57/m` or `timeout: 114s` would be enough")


@pytest.mark.parametrize("number", [6, 20])
@pytest.mark.parametrize("mode", ["deploy", "verify"])
def test_the_suggested_settings_are_sufficient(number: int, mode: str) -> None:
    asked = {"mode": mode, "expect_version": NEW if mode == "deploy" else OLD}
    found = ENOUGH.search(of_one_origin(20, timeout="20s", **asked).log.lines[0])
    assert found
    rate, seconds = found.groups()
    for more in ({"timeout": "20s", "request_rate": f"{rate}/m"}, {"timeout": f"{seconds}s"}):
        finished = of_one_origin(number, **asked, **more)
        assert set(finished.verdicts.values()) == {("deployed" if mode == "deploy" else "verified", "")}, more
        assert not finished.log.lines[0].startswith("note: ")


def test_services_that_cannot_be_looked_at_before_the_trigger_are_counted() -> None:
    lines = of_one_origin(20, timeout="10m").log.lines
    assert lines[0].startswith(
        "note: 20 services share https://all.example.com, and `request-rate` allows no look at 4"
    )
    assert "`expect-version` would prove them" in lines[0]


def test_a_service_that_was_seen_to_be_unhealthy_is_reported_as_unhealthy() -> None:
    shared = [
        service(name, base_url=f"https://{name}.example.com/x", health_path="/", timeout="20s", expect_version=NEW)
        for name in ("sick", "api", "web")
    ]
    finished = run_to_end(RunPlan(waves=((HostPlan.of("", shared),),)), {"": world({"sick": sick})})
    assert finished.verdicts["sick"] == ("unhealthy", "never-ready")
    alike = [
        service(f"s{each}", base_url="https://all.example.com", health_path=f"/{each}", timeout="30s")
        for each in range(3)
    ]
    finished = run_to_end(RunPlan(waves=((HostPlan.of("", alike),),)), {"": world({"all": sick})})
    assert set(finished.verdicts.values()) == {("unhealthy", "never-ready")}


def test_a_wrong_build_is_reported_however_rarely_it_was_looked_at() -> None:
    finished = of_one_origin(20, timeout="20s", mode="verify", expect_version=NEW)
    assert set(finished.verdicts.values()) == {("wrong-build", "wrong-version")}
