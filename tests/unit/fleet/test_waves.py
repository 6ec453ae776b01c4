"""Several hosts in waves: a wave starts once the previous one is green, and an interrupted run reports every service."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from redeploy.decision.verdict import Conclusion
from redeploy.http.response import HttpResult
from redeploy.report.several.page import page
from redeploy.report.several.texts import annotations_of
from redeploy.report.summary import Repository
from redeploy.rollout.requests import SendTrigger
from redeploy.settings.plan import HostPlan, Plan, RunPlan
from redeploy.verdicts import Verdict
from sandbox.simulated_hosts import Worlds
from sandbox.simulation import Log
from tests.unit.factories import NEW
from tests.unit.fleet.stage import Finished, fleet_of, run_to_end, service, sick, stays, world

pytestmark = pytest.mark.no_cover  # these runs take long, and other tests reach the same lines


def in_waves(
    waves: list[list[str]], answers: dict[str, Callable[[float], HttpResult]] | None = None, most: int = 4
) -> Finished:
    """Run the service `api` at every host; `answers` has its responses by host."""
    given = answers or {}

    def api(host: str) -> Plan:
        base = f"https://{host}.example.com"
        return replace(service(host, base_url=base, expect_version=NEW, timeout="20s"), name="api")

    hosts = {name: HostPlan.of(name, [api(name)]) for wave in waves for name in wave}
    run = RunPlan(waves=tuple(tuple(hosts[name] for name in wave) for wave in waves), max_parallel=most)
    return run_to_end(run, {name: world(given) for name in hosts})


def triggered(finished: Finished) -> dict[str, float]:
    """When each host was triggered."""
    return {name: world.triggered for name, world in finished.worlds.hosts.items() if world.triggered is not None}


def test_a_wave_starts_once_the_previous_one_is_green() -> None:
    finished = in_waves([["canary"], ["eu", "us"]])
    assert finished.verdict == ("deployed", "")
    assert set(finished.verdicts) == {"canary/api", "eu/api", "us/api"}
    sent = triggered(finished)
    canary = finished.fleet.hosts[0].services[0]
    assert sent["eu"] == sent["us"] >= canary.ended


def test_waves_after_a_failed_wave_are_not_started() -> None:
    finished = in_waves([["canary"], ["eu", "us"]], {"canary": stays})
    assert finished.verdicts == {
        "canary/api": ("stale", "old-build"),
        "eu/api": ("not-started", "earlier-wave"),
        "us/api": ("not-started", "earlier-wave"),
    }
    assert finished.verdict == ("stale", "old-build")
    assert set(triggered(finished)) == {"canary"}


def test_services_that_were_not_reached_are_reported_in_one_sentence() -> None:
    finished = in_waves([["canary"], ["eu", "us"]], {"canary": stays})
    shown = page(finished.outcome, Repository())
    assert "so 2 services were not started: eu/api, us/api." in shown
    assert shown.count("<summary>canary/api: ") == 1
    assert "<summary>eu/api: " not in shown
    titles = [each.title.partition(":")[0] for each in annotations_of(finished.outcome.services)]
    assert titles == ["canary/api", "Services not started"]


def test_hosts_of_a_wave_run_independently_and_a_failure_stops_no_other() -> None:
    finished = in_waves([["eu", "us"]], {"eu": sick})
    assert finished.verdicts == {"eu/api": ("unhealthy", "never-ready"), "us/api": ("deployed", "")}
    assert len(set(triggered(finished).values())) == 1


def test_max_parallel_limits_the_hosts_that_are_updated_at_once() -> None:
    finished = in_waves([["a", "b", "c"]], most=1)
    assert finished.verdict == ("deployed", "")
    hosts = finished.fleet.hosts
    moments = [(each.trigger.triggered or 0.0, each.services[0].ended) for each in hosts]
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(moments))


def test_lines_about_a_trigger_name_the_host() -> None:
    lines = [line.partition("s  ")[2] for line in in_waves([["eu", "us"]]).log.lines]
    assert "eu: trigger sent" in lines
    assert "us: trigger sent" in lines
    assert any(line.startswith("us/api: the expected build") for line in lines)


def test_waves_are_named_in_the_log() -> None:
    groups = in_waves([["canary"], ["eu", "us"]]).log.groups
    assert [group for group in groups if group.startswith("Wave")] == ["Wave 1 of 2: canary", "Wave 2 of 2: eu, us"]


def test_an_interrupted_run_reports_every_service() -> None:
    run = RunPlan(waves=((HostPlan.of("eu", [service("api")]),), (HostPlan.of("us", [service("api")]),)))
    fleet, outside = fleet_of(run), Worlds({"eu": world(), "us": world()})

    class Cut(Exception):  # noqa: N818 - a signal
        pass

    def under_way() -> None:
        raise Cut

    try:
        fleet.run(outside, Log(), under_way)
    except Cut:
        outcome = fleet.result(outside.now(), Conclusion(Verdict.CANCELLED, signal=15), "SIGTERM came.")
    assert {key: each.conclusion.verdict for key, each in outcome.services.items()} == {
        "eu/api": Verdict.CANCELLED,
        "us/api": Verdict.CANCELLED,
    }
    assert outcome.conclusion.exit_code == 143
    assert "SIGTERM came." in page(outcome, Repository())


def test_forty_hosts_in_five_waves_take_five_times_as_long_as_one() -> None:
    names = [f"h{number}" for number in range(40)]
    waves = [names[first : first + 8] for first in range(0, 40, 8)]
    many, one = in_waves(waves, most=8), in_waves([["h0"]])
    assert many.verdict == ("deployed", "")
    assert many.worlds.clock <= 5 * (one.worlds.clock + 1.0)
    assert sum(len(each.sent(SendTrigger)) for each in many.worlds.hosts.values()) == 40
